/*
 * capname.h - capabilities by name, capabilities(7).
 * Runs as: every process of ours, root included. Allocates nothing.
 * Tests:   tests/unit/test_capname.c
 */
#pragma once

#include <stdint.h>

#define CAPNAME_ALL UINT64_MAX /* every capability, also those that have no name yet */

/* The number of "CAP_CHOWN" or "cap_chown"; -EINVAL when there is none of that name. */
int capname_parse(const char *name);

/* "cap_chown"; NULL for a number that has no name yet. */
const char *capname_of(unsigned cap);
