/*
 * resolve.h - users and groups by name, asked by a child that lives for that one question.
 * Runs as: the question in a forked child, because NSS loads foreign code (LDAP, sss) that root
 *          must not keep; the answer comes back as one fixed structure over a pipe.
 * Trusts:  the answer only as far as it is checked: whole, and its texts ended.
 * Tests:   tests/unit/test_resolve.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"

#define RESOLVE_GROUPS_MAX 1024

struct resolved {
	int32_t error; /* 0 or -errno; the rest only with 0 */
	uid_t uid;
	gid_t gid; /* of the group asked for, else the user's own */
	uint32_t n_groups;
	gid_t groups[RESOLVE_GROUPS_MAX]; /* as initgroups(3) would set them */
	char name[256];
	char home[1024]; /* "" for none worth telling ("/"), as systemd has it */
	char shell[256]; /* "" for none worth telling (nologin, false) */
};

/*
 * resolve_names - a user, a group, or both.
 * @user:  name or number; NULL: only the group is asked for (uid and groups stay 0)
 * @group: name or number; NULL: the user's own
 * A number that no database knows is taken as it is, but a user without an entry has no group of
 * its own: then group is needed.
 * Return: 0; -ESRCH when there is no such user or group; -errno. why names it.
 */
_must_check_ int resolve_names(
    const char *user, const char *group, struct resolved *ret, struct why *why);
