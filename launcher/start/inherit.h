/*
 * inherit.h - sockets that we were activated with ourselves: under systemd, or another launcher.
 * Runs as: root at start.
 * Trusts:  LISTEN_FDS only when LISTEN_PID is our own pid, as sd_listen_fds(3) has it; then whoever
 *          started us. A descriptor is matched to a listener by what the kernel says it is bound
 *          to, never by its name.
 * Owns:    the descriptors that nobody has taken.
 * Tests:   tests/activation/
 */
#pragma once

#include "launcher/enter/enter.h"

struct inherit {
	uint32_t n;
	int fds[ENTER_FDS_MAX]; /* -EBADF: taken */
};

/*
 * inherit_close_strangers - closes what our caller left open beside 0, 1, 2 and the sockets it
 * passed: the half that stays resident must hold nothing that is not its own. First of all.
 * Return: 0 or -errno, why set.
 */
_must_check_ int inherit_close_strangers(struct why *why);

/* Reads and checks LISTEN_PID and LISTEN_FDS; makes the descriptors close-on-exec. */
_must_check_ int inherit_init(struct inherit *h, struct why *why);

/* The one that is what l describes, now the caller's; -ENOENT when there is none. */
_must_check_ int inherit_take(struct inherit *h, const struct plan *p, const struct plan_listen *l);

/* Closes what is left. Return: how many. */
uint32_t inherit_done(struct inherit *h);
