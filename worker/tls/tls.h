/*
 * tls.h - TLS for one server: certificates by name, the signer's connection, reload, and the
 * transport that connections get.
 * Runs as: worker, no rights.
 * Trusts:  clients for nothing; the signer as keyd_client.h says.
 * Owns:    everything of TLS but the connections' state, which is each transport's.
 * Logs:    its own events; never one per connection.
 * Tests:   tests/tls
 */
#pragma once

#include "common/why.h"
#include "worker/evloop.h"
#include "worker/tls/context.h"
#include "worker/tls/stats.h"
#include "worker/transport.h"

struct tls;

/*
 * tls_new - start: load OpenSSL's providers, ask the signer for its keys, match the certificates.
 * Waits a few seconds for the signer; if it does not answer, handshakes will wait for it instead,
 * each up to its own time limit, and the log says so.
 * @o: borrowed for the life of the process
 * @stats: where to count; borrowed
 * Return: 0; -ENOKEY when the signer has answered and lacks a key; -errno with why.
 */
_must_check_ int tls_new(
    const struct tls_options *o, struct tls_stats *stats, struct tls **ret, struct why *why);

/* Checks options and certificate files, without a signer. Return: 0 or -errno with why. */
_must_check_ int tls_check(const struct tls_options *o, struct why *why);

/* From now on the signer's connection, and SIGHUP, are served by this loop. */
void tls_attach(struct tls *tls, struct evloop *loop);

/* The loop is about to go: nothing of it is used from here on. */
void tls_detach(struct tls *tls);

/*
 * tls_reload - read the certificates again. New ones are used when the signer has the keys of all
 * of them: at once, or as soon as it says so; until then the old ones stay.
 */
void tls_reload(struct tls *tls);

/* What makes transports of accepted sockets. Valid as long as tls. */
struct transport_factory tls_factory(struct tls *tls);

/* Once per turn of the loop: figures that others keep are put into stats. */
void tls_count(struct tls *tls);

/* Every transport must be closed. */
void tls_free(struct tls *tls);
