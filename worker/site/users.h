/*
 * users.h - whose pages /~name/ are: every user with a pages directory, found once, at load.
 * Runs as: worker, no rights, before it confines itself; lookups after.
 * Trusts:  the user database. A user's files are read by the server's own rights alone, and no
 *          symbolic link leads out of the pages directory.
 * Owns:    the directory descriptors.
 * Tests:   tests/http/test_http_users.py
 *
 * At load, because asking the user database later could block, and would need more than the
 * sandbox leaves: a new user's pages appear with the next reload.
 */
#pragma once

#include "common/why.h"
#include "worker/http/message.h"

struct users;

struct user_pages {
	const char *path; /* of the directory */
	int root;
	uint32_t root_id;
};

/*
 * users_load - all users from uid 1000 to 59999 (login.defs(5)) whose home has `dir` in it.
 * @last_id: of roots; counted up
 */
_must_check_ int users_load(
    const char *dir, uint32_t *last_id, struct users **ret, struct why *why);
void users_free(struct users *u);

/* NULL when there is no such user, or no pages of hers that may be seen. */
const struct user_pages *users_find(const struct users *u, struct span name);

/* One after the other, for the sandbox; NULL at the end. */
const struct user_pages *users_at(const struct users *u, size_t i);
