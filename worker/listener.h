/*
 * listener.h - the sockets that we were handed: the only way this program gets any. Nothing here,
 * or anywhere in worker/, creates or binds one.
 * Runs as: worker, no rights.
 * Trusts:  the launcher for the descriptors, not for their sense: each is checked
 *          (sd_is_socket_inet(3), sd_is_socket_unix(3)).
 * Owns:    the descriptors, from listeners_take() on.
 * Tests:   tests/http/test_http_start.py
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/why.h"

enum role {
	ROLE_HTTP,
	ROLE_HTTPS,
	ROLE_ADMIN,
	ROLE_END,
};

struct listener {
	int fd;
	enum role role;
	bool is_unix;
	char text[80]; /* "http 0.0.0.0:80", for people */
};

#define LISTENERS_MAX 64

struct listeners {
	size_t n;
	struct listener list[LISTENERS_MAX];
};

/*
 * listeners_take - all descriptors of LISTEN_FDS, their role by LISTEN_FDNAMES.
 * They are made non-blocking and close-on-exec. None at all is an error, and so is one that we
 * cannot serve: a name that is no role, a datagram socket, one that does not listen.
 * Return: 0 or -errno, why says which and what to do.
 */
_must_check_ int listeners_take(struct listeners *l, struct why *why);

/* "http", "https", "admin": as in LISTEN_FDNAMES. */
const char *role_name(enum role r);
