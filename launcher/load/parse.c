/*
 * parse.c - values of one kind; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include "launcher/load/parse.h"

#include "common/clock.h"
#include "common/num.h"
#include "launcher/load/expand.h"
#include "launcher/load/quote.h"
#include "launcher/load/value.h"

int
parse_expand(struct assign *a, const char *text, struct buf *out)
{
	const struct specifier_of of = { &a->draft->name, a->draft->path };

	buf_reset(out);
	return specifier_static(text, &of, out, &a->why);
}

void
parse_legacy_run(struct assign *a, struct buf *path)
{
	if (!str_starts(buf_cstr(path), "/var/run/"))
		return;
	assign_warn(a, "/var/run is legacy: %s is meant", path->data + strlen("/var"));
	path->len -= strlen("/var");
	memmove(path->data, path->data + strlen("/var"), path->len + 1);
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
	const char *const *names = directive_arg(a->row);

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
	_cleanup_buf_ struct buf text = { 0 };
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
parse_path(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	if (text.len > 0 && !value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	*(struct ref *)field =
	    text.len > 0 ? build_str(&a->loader->build, text.data) : (struct ref){ 0 };
	return 0;
}

int
parse_words(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf word = { 0 }, text = { 0 };
	const char *p = a->value;
	struct plan_list *list = field, fresh = *list;
	int r = 0;

	if (!*p)
		fresh = (struct plan_list){ 0 };
	buf_init_heap(&word, PARSE_BYTES_MAX);
	buf_init_heap(&text, PARSE_BYTES_MAX);
	while (*p && (r = parse_word(a, &p, &word)) > 0) {
		r = parse_expand(a, buf_cstr(&word), &text);
		if (r < 0)
			return r;
		build_append_word(&a->loader->build, &fresh, buf_cstr(&text));
	}
	if (r < 0)
		return r;
	*list = fresh;
	return 0;
}

int
parse_signal(struct assign *a, void *field)
{
	const int signal = value_signal(a->value);

	if (signal < 0)
		return why_set(&a->why, -EINVAL, "not a signal");
	*(int32_t *)field = signal;
	return 0;
}

static int
opt_set(void *field, int64_t value)
{
	*(struct plan_opt *)field = (struct plan_opt){ 1, (int32_t)value };
	return 0;
}

/* An empty value: the kernel's own again. Return: true when it was one. */
static bool
opt_reset(const struct assign *a, void *field)
{
	if (a->value[0])
		return false;
	*(struct plan_opt *)field = (struct plan_opt){ 0 };
	return true;
}

int
parse_opt_bool(struct assign *a, void *field)
{
	bool v;
	int r;

	if (opt_reset(a, field))
		return 0;
	r = parse_bool(a, &v);
	return r < 0 ? r : opt_set(field, v);
}

int
parse_opt_number(struct assign *a, void *field)
{
	const struct parse_range *range = directive_arg(a->row);
	const bool minus = a->value[0] == '-';
	uint64_t v;
	int64_t n;

	if (opt_reset(a, field))
		return 0;
	n = num_parse_str(a->value + minus, 0, INT32_MAX, &v) == 0 ? (int64_t)v : INT64_MAX;
	if (minus)
		n = -n;
	if (n < range->min || n > range->max)
		return why_set(&a->why, -ERANGE, "not a number from %lld to %lld",
		    (long long)range->min, (long long)range->max);
	return opt_set(field, n);
}

int
parse_opt_bytes(struct assign *a, void *field)
{
	uint64_t v;

	if (opt_reset(a, field))
		return 0;
	if (value_size(a->value, &v) < 0 || v == 0 || v > INT32_MAX)
		return why_set(&a->why, -EINVAL, "not a size from 1 to 2G");
	return opt_set(field, (int64_t)v);
}

int
parse_opt_seconds(struct assign *a, void *field)
{
	uint64_t v;
	int r;

	if (opt_reset(a, field))
		return 0;
	r = parse_usec(a, &v);
	if (r < 0)
		return r;
	if (v / USEC_PER_SEC > INT32_MAX)
		return why_set(&a->why, -ERANGE, "too long");
	return opt_set(field, (int64_t)(v / USEC_PER_SEC));
}

int
parse_opt_enum(struct assign *a, void *field)
{
	int v = 0;
	const int r = parse_enum(a, &v);

	return r < 0 ? r : opt_set(field, v);
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
