/*
 * parse.c - values of one kind; see parse.h.
 */
#include "launcher/unit/parse.h"

#include "common/clock.h"
#include "common/num.h"
#include "launcher/unit/quote.h"
#include "launcher/unit/specifier.h"
#include "launcher/unit/value.h"

int
parse_expand(struct assign *a, const char *text, struct buf *out)
{
	const struct specifier_of of = { &a->draft->name, a->draft->path };

	buf_reset(out);
	return specifier_static(text, &of, out, &a->why);
}

int
parse_word(struct assign *a, const char **p, struct buf *out)
{
	unsigned notes = 0;
	const int r = word_next(p, out, &notes);

	if (r == -EINVAL)
		return why_set(&a->why, -EINVAL, "a quote is never closed");
	if (r < 0)
		return why_set(&a->why, r, "a word is too long");
	if (notes & WORD_BAD_ESCAPE)
		assign_warn(a, "an escape that C does not have is kept as written");
	return r;
}

int
parse_bool(struct assign *a, void *field)
{
	const int r = value_bool(a->value, field);

	return r < 0 ? why_set(&a->why, r, "not a boolean") : 0;
}

int
parse_u32(struct assign *a, void *field)
{
	uint64_t v;
	const int r = num_parse_str(a->value, 0, UINT32_MAX, &v);

	if (r < 0)
		return why_set(&a->why, r, "not a number up to %u", UINT32_MAX);
	*(uint32_t *)field = (uint32_t)v;
	return 0;
}

int
parse_usec(struct assign *a, void *field)
{
	const int r = value_usec(a->value, field);

	return r < 0 ? why_set(&a->why, r, "not a time span") : 0;
}

int
parse_usec_limit(struct assign *a, void *field)
{
	const int r = parse_usec(a, field);

	if (r == 0 && *(uint64_t *)field == 0)
		*(uint64_t *)field = USEC_INFINITY;
	return r;
}

int
parse_mode(struct assign *a, void *field)
{
	const int r = value_mode(a->value, field);

	return r < 0 ? why_set(&a->why, r, "not an access mode") : 0;
}

int
parse_enum(struct assign *a, void *field)
{
	const char *const *names = a->row->arg;

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], a->value) == 0) {
			*(int *)field = i;
			return 0;
		}
	return why_set(&a->why, -EINVAL, "not a value it has here");
}

int
parse_string(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf text;
	int r;

	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	*(struct ref *)field =
	    text.len > 0 ? build_str(&a->loader->build, text.data) : (struct ref){ 0 };
	return 0;
}

int
parse_off(struct assign *a, void *field)
{
	bool on = true;

	(void)field;
	if (strcmp(a->value, "infinity") == 0 || strcmp(a->value, "inherit") == 0 ||
	    strcmp(a->value, "default") == 0)
		return 0;
	return value_bool(a->value, &on) == 0 && !on ? 0 : -EINVAL;
}
