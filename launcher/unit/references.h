/*
 * references.h - the table of all that a unit of the plan refers to.
 * Runs as: as verify.h.
 * Tests:   tests/unit/test_verify.c, tests/fuzz/fuzz_plan.c
 */
#pragma once

#include "launcher/unit/plan.h"

/* What a field of struct plan_unit refers to. */
enum target {
	TO_STRING,
	TO_WORDS,
	TO_BELOW, /* words that are relative paths and stay below */
	TO_UNITS,
	TO_COMMANDS,
	TO_ENV_FILES,
	TO_CREDENTIALS,
	TO_CONDITIONS,
	TO_LISTENS,
};

extern const struct reference {
	const char *name;
	size_t offset, stride, n;
	enum target target;
} references[];
extern const size_t references_count;
