/*
 * auth.h - basic authentication (RFC 7617) against an htpasswd file of crypt(3) hashes.
 * Runs as: worker, no rights.
 * Trusts:  the file, read once at load; the password, nothing.
 * Owns:    the table of users. Verified credentials are remembered as keyed hashes only, so that
 *          a slow hash is computed once per user and not once per request.
 * Tests:   tests/http/test_http_config.py
 */
#pragma once

#include "common/why.h"
#include "worker/http/message.h"

struct htpasswd;

/* Return: 0; -EBADMSG when a line is not "user:$hash"; -errno; with why. */
_must_check_ int htpasswd_load(const char *path, struct htpasswd **ret, struct why *why);
void htpasswd_free(struct htpasswd *h);

enum auth {
	AUTH_OK,
	AUTH_NEEDED, /* 401: no, other, malformed or wrong credentials */
	AUTH_BUSY, /* 429: too many wrong ones in this second; hashing is what an attacker wants */
};

/* @now: seconds, for the limit on hashing. @ret_user: of AUTH_OK; lives as long as h */
enum auth auth_check(
    struct htpasswd *h, const struct request *r, int64_t now, const char **ret_user);
