/*
 * name.h - unit names as systemd.unit(5) has them: "prefix@instance.type".
 * Runs as: as load.h. Allocates nothing.
 * Tests:   tests/unit/test_name.c
 */
#pragma once

#include "common/buf.h"
#include "launcher/unit/plan.h"

#define UNIT_NAME_MAX 256 /* with the NUL, as systemd */

struct unit_name {
	char id[UNIT_NAME_MAX];
	struct unit_name_at {
		unsigned short at; /* offset of '@', 0 when there is none */
		unsigned short dot; /* offset of the '.' before the type */
	} pos;
	enum unit_kind kind; /* UNIT_KIND_END: a type that is never loaded here (target, mount) */
};

/*
 * unit_name_parse - check and split.
 * Return: 0; -EINVAL when text is no unit name of any type systemd has.
 */
_must_check_ int unit_name_parse(const char *text, struct unit_name *ret);

/* Parts; the views live as long as the name. The instance of "a@.service" and "a.service": empty.
 */
struct span unit_name_prefix(const struct unit_name *n);
struct span unit_name_instance(const struct unit_name *n);
struct span unit_name_stem(const struct unit_name *n); /* without ".type" */
const char *unit_name_type(const struct unit_name *n); /* "service" */

static inline bool
unit_name_is_template(const struct unit_name *n)
{
	return n->pos.at && n->pos.at + 1 == n->pos.dot;
}

static inline bool
unit_name_is_instance(const struct unit_name *n)
{
	return n->pos.at && n->pos.at + 1 < n->pos.dot;
}

/*
 * unit_name_make - prefix, '@' + instance where instance.ptr is set (may be empty), '.', type.
 * Return: 0; -EINVAL when the result is no unit name.
 */
_must_check_ int unit_name_make(
    struct span prefix, struct span instance, const char *type, struct unit_name *ret);

/* "." for '-' as '/' and "\x2d" as '-': systemd-escape(1) backwards, appended to out. */
void unit_name_unescape(struct span text, struct buf *out);
