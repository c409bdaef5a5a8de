/*
 * caller.h - on whose behalf unit files are read: the loader has given up the caller's identity by
 *            the time it asks.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_trust.c
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Once, before the identity is given up; until then the answers are those of the process. */
void caller_set(uid_t uid, gid_t gid);
uid_t caller_uid(void);
gid_t caller_gid(void);
uint64_t caller_bounding(void); /* capability bounding set */
