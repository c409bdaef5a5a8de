/*
 * sock_options.h - the options of systemd.socket(5) on one socket, by one table.
 * Runs as: root at start, on listeners; the child before it drops, on an accepted connection.
 * Trusts:  the frozen plan.
 * Calls:   setsockopt(2), getsockopt(2) and fcntl(2); async-signal-safe but for why.
 * Tests:   tests/unit/test_sock_open.c, tests/systemd/
 */
#pragma once

#include "launcher/unit/plan.h"

enum sock_phase {
	SOCK_BEFORE_BIND, /* what decides whether the address is free */
	SOCK_AFTER_BIND, /* tuning; on accepted connections again */
};

/*
 * sock_options_set - set what the unit asks for and this kind of socket has.
 * @family: AF_*, of fd
 * @warn:   NULL, or "": what was not granted though it is only tuning is added to it
 * Return: 0; -errno and why, when an option failed without which the socket would be another one
 *         (BindIPv6Only=, BindToDevice=).
 */
_must_check_ int sock_options_set(const struct plan *p, const struct plan_socket *s, int fd,
    int family, enum sock_phase phase, struct why *warn, struct why *why);

/* sock_table.c: for sock_options.c alone. */
enum sock_family {
	SOCK_V4 = 1 << 0,
	SOCK_V6 = 1 << 1,
	SOCK_UNIX = 1 << 2,
	SOCK_NETLINK = 1 << 3,
	SOCK_PLAIN = 1 << 4, /* any other: vsock */
	SOCK_IP = SOCK_V4 | SOCK_V6,
	SOCK_ANY = SOCK_IP | SOCK_UNIX | SOCK_NETLINK | SOCK_PLAIN,
};

/* One option; a family may have it under two names, then there are two rows. */
extern const struct sock_option {
	const char *name; /* of the directive, for messages */
	size_t field; /* struct plan_opt */
	enum sock_phase phase;
	unsigned families; /* enum sock_family */
	int level, option;
	int force; /* tried when the kernel granted less than was asked for; 0: none */
	bool strict;
} sock_options[];
extern const size_t sock_options_count;
