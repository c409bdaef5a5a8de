/*
 * identity.h - giving up rights, each call with its proof.
 * Runs as: root, in a child that is about to become somebody lesser.
 * Calls:   system calls only; async-signal-safe.
 * Tests:   tests/privilege/, tests/unit/test_identity.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
#define CAP_ALL UINT64_MAX /* every capability, also those this kernel does not know */

struct capsets {
	uint64_t permitted, effective, inheritable;
};

/* capget(2) and capset(2) on the caller. 0 or -errno. */
_must_check_ int caps_get(struct capsets *ret);
_must_check_ int caps_set(const struct capsets *sets);

/*
 * caps_bound - cut the bounding set down to `keep`.
 * Without CAP_SETPCAP this fails with -EPERM, unless nothing has to be dropped.
 */
_must_check_ int caps_bound(uint64_t keep);

/*
 * caps_keep - of all sets but the bounding one these are left, also for whatever is executed; read
 * back: -EPERM if any bit differs. 0: no capability at all.
 */
_must_check_ int caps_keep(uint64_t keep);

/* setgroups(2) and setresgid(2), read back. */
_must_check_ int ids_set_groups(gid_t gid, const gid_t *groups, size_t n_groups);

/*
 * ids_set_user - setresuid(2), read all four ids back, and try the way back to root.
 * @keep_caps: permitted capabilities survive (PR_SET_KEEPCAPS); the caller cuts them down
 * Return: 0; -EPERM when any id differs or root could be had again; -errno.
 */
_must_check_ int ids_set_user(uid_t uid, bool keep_caps);
