/*
 * node_open.h - listeners that are no sockets: FIFOs, special files, message queues.
 * Runs as: root, before confinement.
 * Trusts:  struct plan_listen: checked by the loader, frozen.
 * Owns:    no descriptor after return; close-on-exec and non-blocking from birth.
 * Source:  systemd.socket(5), fifo(7), mq_overview(7).
 * Tests:   tests/systemd/
 */
#pragma once

#include "launcher/unit/plan.h"

/* LISTEN_FIFO: made with SocketMode=; one that is there must be a FIFO of that owner and mode. */
_must_check_ int node_open_fifo(const struct plan *p, const struct plan_socket *s, const char *path,
    int *ret_fd, struct why *why);

/* LISTEN_SPECIAL: a character device or a file of /proc or /sys, for reading, or Writable=. */
_must_check_ int node_open_special(
    const struct plan_socket *s, const char *path, int *ret_fd, struct why *why);

/* LISTEN_MESSAGE_QUEUE: name starts with '/'. */
_must_check_ int node_open_queue(
    const struct plan_socket *s, const char *name, int *ret_fd, struct why *why);
