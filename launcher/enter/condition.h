/*
 * condition.h - ConditionPathExists= and its kin, at the moment of a start.
 * Runs as: root or whoever runs the launcher, before the child becomes somebody else; and when
 *          sockets are opened.
 * Trusts:  the frozen plan says what to look at; what is found there is only compared.
 * Calls:   async-signal-safe functions only, so that it may run between fork and exec.
 * Tests:   tests/unit/test_condition.c
 */
#pragma once

#include "launcher/unit/plan.h"

enum conditions_outcome {
	CONDITIONS_MET = 0,
	CONDITIONS_SKIP, /* a Condition*= is not so: no start, no failure */
	CONDITIONS_FAIL, /* an Assert*= is not so: the start fails */
};

/* unit_conditions_met - all of a unit's. Return: enum conditions_outcome. */
int unit_conditions_met(const struct plan *p, const struct plan_unit *u);
