/*
 * cert.h - one certificate file: leaf, chain, names, and the stapled answer beside it.
 * Runs as: worker, no rights.
 * Trusts:  the files of its configuration; they hold nothing secret, and a file with a private key
 *          in it is refused: that is the signer's.
 * Owns:    what it loads. No socket, no log.
 * Tests:   tests/unit/test_cert.c, tests/tls
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>
#include <openssl/x509.h>

#include "common/why.h"
#include "signer/proto.h"

#define CERT_NAMES_MAX 1000

struct cert {
	const char *path; /* borrowed */
	X509 *leaf;
	STACK_OF(X509) * chain;
	uint8_t key_id[SIGN_KEY_ID_BYTES]; /* SHA-256 of its public key: the signer's name for it */
	int type; /* EVP_PKEY_EC, _RSA, _ED25519 */
	char **names; /* DNS names, lower case, "*.x" for wildcards */
	size_t n_names;
	unsigned char *ocsp; /* DER of PATH.ocsp, or NULL */
	size_t ocsp_len;
	int64_t ocsp_until; /* wall seconds; not stapled from then on */
};

/*
 * cert_load - read PATH (PEM: leaf first, then its chain) and PATH.ocsp if it is there.
 * A stapled answer that is broken, of another certificate, or out of date is left out, and *note
 * says so; it is not a reason to serve nothing.
 * Return: 0; -EPERM when the file holds a private key; -EBADMSG, -errno.
 */
_must_check_ int cert_load(
    const char *path, int64_t now, struct cert *ret, struct why *note, struct why *why);

/* Frees what is held; safe on an empty one. */
void cert_done(struct cert *c);

/* Does this name of a certificate cover `host` (lower case)? "*.x" stands for exactly one label. */
bool cert_name_covers(const char *name, const char *host);
