/*
 * hooks.h - ways to switch a defence off, or to try what must fail, so that tests can see the
 * defence behind it hold. They exist only in the program sallyport-httpd-hooks, which is built for
 * the tests and never installed; in the real one hook_is_set() is the constant false.
 * Runs as: worker, no rights.
 * Tests:   tests/http, tests/tls
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef SALLYPORT_HOOKS
#define SALLYPORT_HOOKS 0
#endif

/* True if the environment variable SALLYPORT_HOOK is this name. */
static inline bool
hook_is_set(const char *name)
{
#if SALLYPORT_HOOKS
	const char *set = getenv("SALLYPORT_HOOK");

	return set && strcmp(set, name) == 0;
#else
	(void)name;
	return false;
#endif
}
