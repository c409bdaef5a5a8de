/*
 * ctl.h - the operator's verbs: each asks the manager, or /proc, and prints.
 * Runs as: whoever calls it; holds nothing and may do what the caller may.
 * Trusts:  the manager's answers after control_check_reply(); /proc.
 * Tests:   tests/lifecycle/test_verbs.py, tests/lifecycle/test_audit.py
 *
 * Exit codes are systemctl(1)'s: 0; 1 it failed; 3 the unit is not active; 4 there is no such unit
 * (5 where a verb wanted to change one); 64 wrong usage.
 */
#pragma once

#include <stdbool.h>

/* Is it one of the verbs below? */
bool ctl_is_verb(const char *name);

/* Runs the verb named by argv[0]; see ctl_verbs[] in ctl.c. Return: exit code. */
int ctl_main(int argc, char **argv);
