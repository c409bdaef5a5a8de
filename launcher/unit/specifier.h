/*
 * specifier.h - "%i" and the like, systemd.unit(5), "Specifiers".
 * Runs as: specifier_static() as load.h; specifier_expand() anywhere, also between fork and exec.
 * Trusts:  an instance name made from a connection ends up in arguments and the environment only,
 *          and holds nothing but the characters of a unit name.
 * Tests:   tests/unit/test_specifier.c
 */
#pragma once

#include "launcher/unit/name.h"

/* Whose specifiers they are. */
struct specifier_of {
	const struct unit_name *name;
	const char *path; /* of the unit file */
};

/*
 * specifier_static - at load: all of them. In the text of a template ("echo@.service", one instance
 * a connection) those that depend on the instance stay, and "%%" with them, for specifier_expand().
 * An unknown specifier stays as written, as in systemd.
 * Return: 0; -ENOBUFS; -errno when one could not be found out (why says which).
 */
_must_check_ int specifier_static(
    const char *text, const struct specifier_of *of, struct buf *out, struct why *why);

/*
 * specifier_expand - at start: what a template's text (plan_unit.is_template) still has.
 * @instance: the unit's own name, "echo@1-127.0.0.1:80-127.0.0.1:9.service"
 * Async-signal-safe; allocates only if out does. Return: 0; -ENOBUFS.
 */
_must_check_ int specifier_expand(
    const char *text, const struct unit_name *instance, struct buf *out);
