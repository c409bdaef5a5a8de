/*
 * peer.h - who is at either end of an accepted connection, as text.
 * Runs as: a child between fork and exec, and the manager; async-signal-safe.
 * Source:  systemd.socket(5), "Accept=": REMOTE_ADDR, REMOTE_PORT, the instance.
 * Tests:   tests/unit/test_peer.c, tests/systemd/
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"
#include "common/num.h"

struct peer {
	char address[128]; /* "" when it has none: an unnamed unix socket, or it is gone */
	char port[NUM_TEXT_MAX]; /* "" for unix sockets */
};

/*
 * peer_instance - the instance name of a connection: "N-laddr:lport-raddr:rport", of a unix socket
 * "N-PID-UID", "N-unknown" when the peer has left already.
 */
void peer_instance(int fd, uint64_t number, struct buf *out);

/* Never fails: a peer that left before we looked has no name. */
void peer_name(int fd, struct peer *ret);
