/*
 * context.h - one SSL_CTX as this server wants it: versions, suites, groups, ALPN, tickets, client
 * certificates. Policy is here and in struct tls_options, nowhere else.
 * Runs as: worker, no rights.
 * Tests:   tests/tls/test_tls.py
 *
 * The defaults are those of Mozilla's "intermediate" profile without its finite-field groups: TLS
 * 1.2 with ECDHE and AEAD only, TLS 1.3. Our order decides, but a client that puts ChaCha20 first
 * gets it: it has no AES in hardware. No RSA key exchange: it would need a decryption, and the
 * signer has none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "common/why.h"
#include "worker/tls/ticket.h"

#define TLS_CERTS_MAX 256
#define TLS_ALPN_MAX 64

enum tls_client_auth {
	TLS_CLIENT_AUTH_NONE,
	TLS_CLIENT_AUTH_OPTIONAL, /* asked for; one that is given must verify */
	TLS_CLIENT_AUTH_REQUIRED,
};

struct tls_options {
	const char *certs[TLS_CERTS_MAX];
	size_t n_certs;
	const char *keyd; /* path of the signer's socket */
	const char *min_version; /* "1.2" or "1.3" */
	const char *ciphers; /* TLS 1.2, ciphers(1) */
	const char *suites; /* TLS 1.3 */
	const char *groups; /* SSL_CTX_set1_groups_list(3) */
	int security_level; /* SSL_CTX_set_security_level(3) */
	const char *client_ca; /* PEM file of CAs for client certificates, or NULL */
	enum tls_client_auth client_auth;
	unsigned ticket_epoch_sec;
	struct tickets *tickets; /* made before a fork, so that all workers share them; or NULL */
	bool ktls; /* records in the kernel, where it can */
	unsigned char alpn[TLS_ALPN_MAX]; /* protocols we speak, in wire format, best first */
	size_t alpn_len;
};

extern const struct tls_options tls_defaults;

/* context_new - without certificates. NULL with why. o is borrowed for the life of the context. */
SSL_CTX *context_new(const struct tls_options *o, struct tickets *tickets, struct why *why);

/* The last error of OpenSSL as text, and forget all of them: "" when there is none. */
const char *openssl_error(char *text, size_t size);
