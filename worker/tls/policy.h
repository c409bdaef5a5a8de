/*
 * policy.h - what groups of sites ask of their clients: a certificate, of which authorities.
 * Runs as: worker, no rights.
 * Trusts:  the files of its configuration. A session that a client brings back is taken only where
 *          the policy is the very one that it was made under: the name of the policy, a hash of
 *          what it asks and of the authorities themselves, is the session's context
 *          (SSL_CTX_set_session_id_context(3)).
 * Owns:    the authorities that it has loaded.
 * Tests:   tests/tls/test_tls_mutual.py
 */
#pragma once

#include <stddef.h>

#include <openssl/types.h>

#include "common/why.h"

enum tls_client_auth {
	TLS_CLIENT_AUTH_NONE,
	TLS_CLIENT_AUTH_OPTIONAL, /* asked for; one that is given must verify */
	TLS_CLIENT_AUTH_REQUIRED,
};

/* As configured. */
struct tls_policy {
	enum tls_client_auth auth;
	const char *client_ca; /* PEM file of authorities; NULL if auth is NONE */
};

/* As loaded. */
struct policy;

/* Return: 0; -EBADMSG or -errno with why. */
_must_check_ int policy_load(const struct tls_policy *t, struct policy **ret, struct why *why);
void policy_free(struct policy *p);

/* Makes it that of a context's connections, or of one connection whose handshake has just begun. */
_must_check_ int policy_use(const struct policy *p, SSL_CTX *ctx, struct why *why);
_must_check_ int policy_switch(const struct policy *p, SSL *ssl);
