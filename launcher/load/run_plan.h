/*
 * run_plan.h - the units of `sallyport run` as a plan.
 * Runs as: the loader, which may read and nothing else (start/isolate.h).
 * Logs:    errors, refusals and warnings; `sallyport check` prints the rest.
 * Tests:   tests/activation/
 */
#pragma once

#include "launcher/load/load.h"

struct run_plan {
	struct load_options options;
	const char *const *units;
	size_t n_units;
};

/*
 * run_plan_write - a plan_writer (start/isolate.h).
 * @context: struct run_plan
 * Return: 0; EX_CONFIG when a unit was refused, EX_OSERR; then it was said why.
 */
int run_plan_write(void *context, int fd, const char *user);
