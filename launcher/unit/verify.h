/*
 * verify.h - is this block of bytes a plan that root may act on?
 * Runs as: root, once for each plan, before anything of it is used.
 * Trusts:  nothing in the plan: the process that wrote it has read text, and had no rights.
 * Tests:   tests/unit/test_verify.c, tests/fuzz/fuzz_plan.c
 */
#pragma once

#include "launcher/unit/plan.h"

/*
 * plan_verify - every reference inside, every list finite, every string ended, every index and
 * enumeration in range; and, unless root services are allowed, no command of any service as uid or
 * gid 0.
 * @allow_root: also true for a launcher that is not root itself
 * Return: 0; -EBADMSG when it is malformed; -EPERM when it would run a service as root. why says
 *         what and of which unit.
 */
_must_check_ int plan_verify(const struct plan *p, bool allow_root, struct why *why);

/* Does a service of a verified plan run any command as uid 0? */
bool plan_runs_root(const struct plan *p, const struct plan_unit *u);
