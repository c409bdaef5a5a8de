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
 * @warn:   NULL, or filled with what was not granted though it is only tuning; "" when all was
 * Return: 0; -errno and why, when an option failed without which the socket would be another one
 *         (BindIPv6Only=, BindToDevice=).
 */
_must_check_ int sock_options_set(const struct plan *p, const struct plan_socket *s, int fd,
    int family, enum sock_phase phase, struct why *warn, struct why *why);
