/*
 * selfcheck.h - refuse to be more than nobody.
 * Runs as: worker, first thing in main; must find no rights.
 * Tests:   tests/unit/test_selfcheck.c, tests/http/test_http_start.py
 */
#pragma once

#include "common/procstatus.h"

/*
 * selfcheck - look at what this process is.
 * Return: 0; -EPERM when it has root in any id, a capability in any set but the bounding one, or
 *         an id to go back to. why names every one of them.
 */
_must_check_ int selfcheck(struct why *why);

/* The same on what was read: for tests. */
_must_check_ int selfcheck_status(const struct procstatus *s, struct why *why);
