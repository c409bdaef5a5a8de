/*
 * parse_unit.c - what stands between units; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include "launcher/load/parse.h"

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
