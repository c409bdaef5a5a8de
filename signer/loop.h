/*
 * loop.h - the one loop of the signer: listeners, signals, clients, the manager's notifications.
 * Runs as: sallyport-keyd.
 * Owns:    nothing beyond the call; the listeners came from the service manager.
 * Calls:   clients.h, keys.h, sd_notify(3); logs (this is one of the files that do).
 * Tests:   tests/tls/test_keyd.py
 */
#pragma once

#include "signer/options.h"

#define LISTENERS_MAX 8

struct keyd {
	struct keyd_options options;
	struct keyset set;
	int listeners[LISTENERS_MAX];
	size_t n_listeners;
	int signals; /* signalfd(2) of SIGHUP, SIGTERM, SIGINT */
};

/*
 * keyd_listeners - take the listening sockets that were passed, and refuse what is none of ours.
 * Return: 0; -ENOENT when none was passed; -EINVAL when one is no listening unix seqpacket socket.
 */
_must_check_ int keyd_listeners(struct keyd *k, struct why *why);

/* Blocks the signals of the loop and opens k->signals. Return: 0 or -errno. */
_must_check_ int keyd_signals(struct keyd *k, struct why *why);

/* Serves until SIGTERM. Return: 0, or -errno when the loop itself cannot go on. */
_must_check_ int keyd_loop(struct keyd *k, struct why *why);
