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
 * enumeration in range; and, unless the operator allows that, no command of any service as uid or
 * gid 0, and no service with capabilities.
 * @allow: ALLOW_ROOT also for a launcher that is not root itself
 * Return: 0; -EBADMSG when it is malformed; -EPERM when it would give a service more than is
 *         allowed. why says what and of which unit.
 */
enum plan_allow {
	ALLOW_NOTHING,
	ALLOW_CAPABILITIES, /* AmbientCapabilities= */
	ALLOW_ROOT, /* and root services, which can have any capability */
};
_must_check_ int plan_verify(const struct plan *p, enum plan_allow allow, struct why *why);

/* Does a service of a verified plan run any command as uid 0? */
bool plan_runs_root(const struct plan *p, const struct plan_unit *u);
