/*
 * sandbox.h - what a worker gives up before it reads a foreign byte, under any launcher.
 * Runs as: worker, no rights.
 * Trusts:  the kernel. Landlock is used as far as the kernel has it; seccomp must work.
 * Tests:   tests/http/test_http_sandbox.py, by a hook that tries what must fail
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/why.h"

#define SANDBOX_PATHS_MAX 8192

struct sandbox {
	size_t n_read; /* directories, or files, to read below */
	const char *read[SANDBOX_PATHS_MAX];
	size_t n_write; /* directories in which log files are opened again */
	const char *write[SANDBOX_PATHS_MAX];
};

/* Adds to a list; NULL is no path. Return: 0 or -E2BIG. */
_must_check_ int sandbox_read(struct sandbox *s, const char *path);
_must_check_ int sandbox_write(struct sandbox *s, const char *path);

/* For the first process: no exec, no new rights, not dumpable. What it forks inherits that. */
_must_check_ int sandbox_supervisor(struct why *why);

/*
 * sandbox_worker - for a worker, for good: Landlock (read below the paths only, no TCP bind or
 * connect, no signal outward) and seccomp (a list of calls).
 * Return: 0; -errno with why. A kernel without Landlock is no error: *ret_landlock is then 0.
 */
_must_check_ int sandbox_worker(const struct sandbox *s, int *ret_landlock, struct why *why);
