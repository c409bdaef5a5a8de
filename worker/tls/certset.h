/*
 * certset.h - all certificates of a server: which one for which name, as finished SSL_CTXs.
 * Runs as: worker, no rights.
 * Trusts:  as cert.h; keys are what the signer reports.
 * Owns:    the certificates and contexts. Connections hold references to their context, so a set
 *          may be freed while they live.
 * Tests:   tests/unit/test_cert.c, tests/tls
 */
#pragma once

#include "worker/tls/cert.h"
#include "worker/tls/context.h"
#include "worker/tls/keyd_client.h"

struct certset;

enum certset_outcome {
	CERTSET_NO_KEY = 1, /* the signer lacks the key of one; why names the file */
};

/*
 * certset_new - load every file and make it ready, or nothing.
 * @o:    o->certs names the files; the first of a group is its default
 * @policies: one for each of o->groups; not kept
 * @keys: the signer's list, complete
 * @note: the last remark about something left out (a stale OCSP answer); "" when there is none
 * Return: 0; CERTSET_NO_KEY; -errno with why.
 */
_must_check_ int certset_new(const struct tls_options *o, struct policy *const *policies,
    struct tickets *tickets, const struct keyd_client *keys, int64_t now, struct certset **ret,
    struct why *note, struct why *why);

void certset_free(struct certset *s);

/*
 * Where connections find their certificate once their ClientHello has come. While there is no set,
 * or its signer is away, a handshake that needs a certificate stops with
 * SSL_ERROR_WANT_X509_LOOKUP; a resumed one needs none and goes on.
 */
struct certset_now {
	struct certset *set;
	const struct tls_options *o;
	struct policy **policies; /* one for each of o->groups */
	bool held;
};

/* SSL_set_app_data() of each connection must be the address of one. */
struct certset_seat {
	const struct certset_now *now;
	unsigned group; /* of its host */
};

/* Makes a context of context_new() look there: for the one that connections begin with. */
void certset_hook(SSL_CTX *ctx, const struct tls_options *o);

/*
 * certset_find - the context for a host name: exact names before wildcards; of the group's
 * certificates that cover it, one of each key type. host NULL, or one that nothing covers: the
 * group's default.
 */
SSL_CTX *certset_find(const struct certset *s, unsigned group, const char *host);

/* How many certificate files are in it. */
size_t certset_count(const struct certset *s);
