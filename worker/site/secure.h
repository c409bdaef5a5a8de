/*
 * secure.h - what a site asks of the connection that a request came by: TLS, the right name in it,
 * a certificate of the client.
 * Runs as: worker, no rights.
 * Trusts:  the handshake (struct identity), not the request: a client may name another site in it
 *          than in its handshake.
 * Tests:   tests/tls/test_tls_mutual.py, tests/tls/test_tls_config.py
 */
#pragma once

#include "worker/site/map.h"

/*
 * secure_allows - Return: true to go on; else a is the answer: 308 to HTTPS, 403 where a client
 * certificate is needed and TLS is not there, 421 when the handshake was for a site that asks
 * other things of its clients.
 * @path: normalised
 */
bool secure_allows(
    const struct vhost *h, const struct request *r, struct span path, struct answer *a);

/*
 * Is it a client whose certificate this route lets in? One that was shown to a site with other
 * authorities does not count.
 */
bool secure_subject(const struct vhost *h, const struct route *route, const struct request *r);

/* Strict-Transport-Security, where it belongs: RFC 6797 7.2 forbids it without TLS. */
void secure_fields(const struct vhost *h, const struct request *r, struct answer *a);
