/*
 * parse_unit.c - what stands between units, and what must be so before one starts; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include "common/capname.h"
#include "launcher/load/parse.h"
#include "launcher/load/value.h"

int
parse_dependencies(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf word = { 0 }, text = { 0 };
	const char *p = a->value;
	bool any = false;
	int r;

	buf_init_heap(&word, PARSE_BYTES_MAX);
	buf_init_heap(&text, PARSE_BYTES_MAX);
	while ((r = parse_word(a, &p, &word)) > 0) {
		struct unit_name name;

		r = parse_expand(a, buf_cstr(&word), &text);
		if (r < 0)
			return r;
		if (unit_name_parse(buf_cstr(&text), &name) < 0) {
			assign_warn(a, "\"%s\" is no unit's name, ignored", buf_cstr(&text));
			continue;
		}
		if (name.kind == UNIT_KIND_END)
			continue;
		build_append_word(&a->loader->build, field, name.id);
		any = true;
	}
	if (r < 0 || any)
		return r;
	return why_set(&a->why, PARSE_NOTED, "there are no targets, mounts or devices here");
}

/* Which operands are paths. */
static bool
condition_takes_path(uint32_t type)
{
	return type <= CONDITION_FILE_IS_EXECUTABLE; /* as plan.h has them */
}

int
parse_condition(struct assign *a, void *field)
{
	struct plan_condition c = { .type = *(const uint32_t *)a->row->arg }, *into;
	_cleanup_buf_ struct buf text = { 0 };
	const char *p = a->value;
	struct ref next;
	int r;

	if (!*p) { /* forgets all conditions, or all assertions, whatever they look at */
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	c.trigger = *p == '|';
	p += c.trigger;
	c.negate = *p == '!';
	p += c.negate;
	p += strspn(p, " \t");
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, p, &text);
	if (r < 0)
		return r;
	if (a->draft->unit.is_template && strchr(buf_cstr(&text), '%'))
		return why_set(&a->why, -EOPNOTSUPP, "depends on the instance, not done here");
	if (condition_takes_path(c.type) && !value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	if (c.type == CONDITION_CAPABILITY && capname_parse(buf_cstr(&text)) < 0)
		return why_set(&a->why, -EINVAL, "not a capability");
	into = build_append(&a->loader->build, field, sizeof(*into));
	next = into->next;
	c.text = build_str(&a->loader->build, buf_cstr(&text));
	*into = c;
	into->next = next;
	return 0;
}
