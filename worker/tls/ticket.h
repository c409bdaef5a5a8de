/*
 * ticket.h - keys of session tickets: made anew every epoch, the same in all worker processes.
 * Runs as: worker, no rights.
 * Trusts:  the wall clock for when an epoch ends; a clock that goes back changes nothing.
 * Owns:    the secret that the keys come from. Forked processes have it too, and derive alike.
 * Calls:   OpenSSL.
 * Tests:   tests/unit/test_ticket.c, tests/tls/test_tls.py
 *
 * Without a credential the secret is random and goes forward by a one-way step each epoch: keys of
 * past epochs cannot be had from a worker that is captured today. With one (any file of at least 32
 * bytes, the same on each machine of a fleet) tickets also hold across restarts and machines; the
 * keys still change each epoch, but whoever has the file has them all, so it should be replaced
 * too.
 */
#pragma once

#include <stdint.h>

#include <openssl/types.h>

#include "common/why.h"

#define TICKET_SECRET_MIN 32

struct tickets;

/*
 * tickets_new - a random secret.
 * @epoch_sec: how long one key makes tickets; it opens them for one epoch more
 */
_must_check_ int tickets_new(unsigned epoch_sec, struct tickets **ret, struct why *why);

/*
 * tickets_share - take the secret from the file `name` in directory `dir` instead.
 * Return: 0; -ENOENT when there is none: the random one stays; -errno with why.
 */
_must_check_ int tickets_share(
    struct tickets *t, const char *dir, const char *name, struct why *why);

void tickets_free(struct tickets *t);

/* How many were made, and how many came back that no key of now opens. In this process. */
void tickets_count(const struct tickets *t, uint64_t *ret_made, uint64_t *ret_unknown);

/* Use t for the tickets of ctx; borrowed. wall is CLOCK_REALTIME in seconds, read at each ticket.
 */
void tickets_use(struct tickets *t, SSL_CTX *ctx);

/* What tickets_use() makes of a moment: exposed for tests. */
struct ticket_key {
	unsigned char name[16], aes[32], mac[32];
	uint64_t epoch;
};

/* Brings t to the epoch of `wall_sec`. */
void tickets_turn(struct tickets *t, uint64_t wall_sec);

/* The key that makes tickets now. */
const struct ticket_key *tickets_current(const struct tickets *t);

/* The key of a ticket with this name, or NULL. */
const struct ticket_key *tickets_find(const struct tickets *t, const unsigned char name[16]);
