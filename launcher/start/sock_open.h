/*
 * sock_open.h - turn one listener of the plan into one open socket (or FIFO, file, queue).
 * Runs as: root, before confinement; the only code that uses CAP_NET_BIND_SERVICE.
 * Trusts:  struct plan_listen: checked by the loader, frozen.
 * Owns:    no descriptor after return; close-on-exec and non-blocking from birth.
 * Calls:   libc and common/ only; resolves no names, logs nothing.
 * Source:  the order of options is systemd's: see docs/ARCHITECTURE.md, "The road of a socket".
 * Tests:   tests/unit/test_sock_open.c, tests/activation/
 */
#pragma once

#include "launcher/unit/plan.h"

/* SOCK_* by kind; 0 for what is no socket. */
extern const int sock_types[LISTEN_KIND_END];

/*
 * sock_symlink - one of Symlinks=: name points at path. An older link is replaced, nothing else.
 * Return: 0 or -errno.
 */
_must_check_ int sock_symlink(
    const struct plan_socket *s, const char *path, const char *name, struct why *why);

/*
 * sock_open - open, bind, own, listen.
 * @unit: the socket unit l belongs to
 * @warn: filled with tuning that the kernel did not grant; "" when all was
 * Return: 0 or -errno. -EADDRINUSE for a unix socket means that somebody does listen there: a
 *         stale one, that refuses connections, is taken over.
 */
_must_check_ int sock_open(const struct plan *p, const struct plan_unit *unit,
    const struct plan_listen *l, int *ret_fd, struct why *warn, struct why *why);
