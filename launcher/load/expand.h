/*
 * expand.h - "%i" and the like at load: systemd.unit(5), "Specifiers".
 * Runs as: as load.h.
 * Tests:   tests/unit/test_name.c
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
