/*
 * clients.h - the connected workers: accept, read requests, send replies, throttle, drop.
 * Runs as: sallyport-keyd.
 * Trusts:  no client; the worst it can do is to lose its own connection.
 * Owns:    every client's descriptor. The listeners belong to the caller.
 * Calls:   serve.h; logs (this is one of the files that do).
 * Tests:   tests/tls/test_keyd.py
 */
#pragma once

#include <poll.h>
#include <sys/types.h>

#include "signer/limit.h"
#include "signer/serve.h"

#define CLIENTS_MAX 64
#define CLIENT_BATCH 16 /* requests of one client per turn: the others wait at most so long */

struct client {
	int fd;
	pid_t pid;
	uid_t uid;
	struct limit rate;
	uint64_t signed_, refused;
	unsigned made, sent; /* of reply[]; while some are not sent nothing is read */
	union sign_msg reply[CLIENT_BATCH];
	bool tell_change; /* a SIGN_CHANGED is owed */
	bool throttled; /* logged once per episode */
};

/* What `sallyport status` shows, and the tests count. */
struct clients_count {
	uint64_t accepted, turned_away, dropped, listed, signed_, refused, failed, throttled;
};

struct clients {
	struct client *slot[CLIENTS_MAX];
	size_t n;
	uint64_t rate_per_sec, rate_burst; /* per client; 0: no limit */
	struct limit log_rate;
	uint64_t unlogged;
	struct clients_count count;
};

/* Nobody yet; each client may ask rate_per_sec times a second (0: no limit) after rate_burst. */
void clients_init(struct clients *all, uint64_t rate_per_sec, uint64_t rate_burst);

/* Takes up to a few waiting connections from one listener. */
void clients_accept(struct clients *all, int listener);

/*
 * clients_poll_fill - one pollfd per client, in the order of the slots.
 * @timeout_msec: lowered to when a throttled client may go on; -1 is forever
 * Return: how many of `fds` (room for CLIENTS_MAX) were filled.
 */
size_t clients_poll_fill(
    const struct clients *all, struct pollfd *fds, int *timeout_msec, uint64_t now_usec);

/* Serves what poll(2) found. `fds` is what clients_poll_fill() made, with n entries. */
void clients_poll_done(struct clients *all, const struct keyset *set, const struct pollfd *fds,
    size_t n, uint64_t now_usec);

/* The set of keys is another one: tell everybody. */
void clients_keys_changed(struct clients *all, const struct keyset *set);

/* Nobody has an answer outstanding. */
bool clients_are_flushed(const struct clients *all);

/* Closes all. */
void clients_done(struct clients *all);
