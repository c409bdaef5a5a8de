/*
 * context.h - one SSL_CTX as this server wants it: versions, suites, groups, ALPN, tickets, client
 * certificates. Policy is here, in policy.h and in struct tls_options, nowhere else.
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
#include "worker/tls/policy.h"
#include "worker/tls/ticket.h"

#define TLS_ALPN_MAX 64

#define TLS_KEYD_DEFAULT "/run/sallyport-keyd/sign.sock"
#define TLS_CIPHERS_DEFAULT \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TLS_SUITES_DEFAULT \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define TLS_GROUPS_DEFAULT "X25519:P-256:P-384"

/* Sites that have certificates, and ask for those of clients, alike. */
struct tls_group {
	size_t first, n; /* its own, in tls_options.certs; n 0: all of them serve, by their names */
	struct tls_policy policy;
};

struct tls_options {
	const char **certs;
	size_t n_certs;
	const struct tls_group *groups;
	size_t n_groups; /* at least 1 */
	/* The group of a host that a client asked for; NULL when it named none. */
	unsigned (*group_of)(const void *arg, const char *host);
	const void *group_arg;
	const char *keyd; /* path of the signer's socket */
	const char *min_version; /* "1.2" or "1.3" */
	const char *ciphers; /* TLS 1.2, ciphers(1) */
	const char *suites; /* TLS 1.3 */
	const char *groups_list; /* SSL_CTX_set1_groups_list(3) */
	int security_level; /* SSL_CTX_set_security_level(3) */
	unsigned ticket_epoch_sec;
	const char *ticket_credential; /* a file of CREDENTIALS_DIRECTORY; need not be there */
	unsigned first_record; /* bytes of the records that a connection begins with */
	struct tickets *tickets; /* made before a fork, so that all workers share them; or NULL */
	bool ktls; /* records in the kernel, where it can */
	unsigned char alpn[TLS_ALPN_MAX]; /* protocols we speak, in wire format, best first */
	size_t alpn_len;
};

extern const struct tls_options tls_defaults;

/*
 * context_new - without certificates. NULL with why.
 * @o:      borrowed for the life of the context
 * @policy: what it asks of clients
 */
SSL_CTX *context_new(const struct tls_options *o, const struct policy *policy,
    struct tickets *tickets, struct why *why);

/* The last error of OpenSSL as text, and forget all of them: "" when there is none. */
const char *openssl_error(char *text, size_t size);
