/*
 * peer.h - who is at the other end of an accepted connection, as text.
 * Runs as: a child between fork and exec; async-signal-safe.
 * Source:  systemd.socket(5), "Accept=": REMOTE_ADDR and REMOTE_PORT.
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

/* Never fails: a peer that left before we looked has no name. */
void peer_name(int fd, struct peer *ret);
