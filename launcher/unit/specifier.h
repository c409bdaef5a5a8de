/*
 * specifier.h - what of "%i" and the like is left to the start of an instance: systemd.unit(5),
 *               "Specifiers". All the others are replaced at load, by launcher/load/expand.h.
 * Runs as: a child between fork and exec, as root; the loader. Allocates only if the buffer does.
 * Trusts:  an instance name made from a connection ends up in arguments and the environment only,
 *          and holds nothing but the characters of a unit name.
 * Tests:   tests/unit/test_name.c
 */
#pragma once

#include "launcher/unit/name.h"

#define SPECIFIER_INSTANCE "niNIf" /* known only once there is an instance */

/* Those that are parts of the unit's name. Return: false when c is none of them. */
bool specifier_put_name(char c, const struct unit_name *n, struct buf *out);

/*
 * specifier_expand - at start: what a template's text (plan_unit.is_template) still has.
 * @instance: the unit's own name, "echo@1-127.0.0.1:80-127.0.0.1:9.service"
 * Async-signal-safe; allocates only if out does. Return: 0; -ENOBUFS.
 */
_must_check_ int specifier_expand(
    const char *text, const struct unit_name *instance, struct buf *out);
