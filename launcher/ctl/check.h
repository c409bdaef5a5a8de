/*
 * check.h - `sallyport check UNIT...`: every directive with what is done about it, then the plan.
 * Runs as: whoever calls it; opens, starts and changes nothing.
 * Trusts:  as launcher/load/load.h.
 * Tests:   tests/unit/test_check.c, tests/interop/
 */
#pragma once

#include <stddef.h>

#include "common/buf.h"
#include "launcher/load/diag.h"
#include "launcher/unit/plan.h"

/*
 * check_main - the verb, its own name in argv[0].
 * Return: exit code: 0 all is well, 1 a unit would be refused, 64 (EX_USAGE) on a wrong command
 * line.
 */
int check_main(int argc, char **argv);

/* The findings as lines "FILE:LINE: LEVEL: Section.Name=value: text", as a compiler would. */
void check_findings(const struct diag *diag, struct buf *out);

/* The effective plan: per unit the directives that count, with their values after all defaults. */
void check_plan(const struct plan *p, struct buf *out);

/* Both as one JSON object; p is NULL when the load failed. */
void check_json(const struct diag *diag, const struct plan *p, struct buf *out);
