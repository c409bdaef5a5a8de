/*
 * why.h - the reason of a failure, filled by code that does not log and printed once by its caller.
 * Runs as: every process of ours, root included. Allocates nothing.
 * Tests:   tests/unit/test_why.c
 */
#pragma once

#include "common/cleanup.h"

struct why {
	char text[1024]; /* cut with "..." when longer; never empty after why_set() */
};

/*
 * why_set - say what failed. The text of -error is appended after ": " unless error is 0.
 * @why:    may be NULL: then only the code is passed on
 * @error:  -errno, or a positive outcome (no text appended)
 * Return: error, so that `return why_set(...)` reads as one sentence.
 */
int why_set(struct why *why, int error, const char *format, ...) _printf_(3, 4);

/* Puts "prefix: " in front of a reason that is already there. Return: error, unchanged. */
int why_prefix(struct why *why, int error, const char *format, ...) _printf_(3, 4);
