/*
 * scheme.h - TLS signature schemes (RFC 8446 4.2.3) that are signed at all: one table for both
 *            ends.
 * Runs as: sallyport-httpd and sallyport-keyd. Pure functions over constant data.
 * Tests:   tests/unit/test_sign_shape.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signer/proto.h"
#include "signer/shape.h"

struct sign_scheme {
	uint16_t code;
	const char *name; /* IANA's, as RFC 8446 writes it */
	const char *digest; /* OpenSSL's name; NULL for Ed25519, which has none */
	bool pss; /* RSA: PSS with a salt as long as the digest, else PKCS#1 v1.5 */
	unsigned tls12; /* bit mask of enum sign_kind: 1u << kind */
	unsigned tls13;
};

#define SCHEMES 10

/* All of them, in the table's order, for what is kept once per scheme. */
const struct sign_scheme *scheme_at(unsigned index);
unsigned scheme_index(const struct sign_scheme *s);

/* The row of a code point, or NULL: SHA-1, MD5, DSA, anonymous and everything unknown are not in.
 */
const struct sign_scheme *scheme_by_code(unsigned code);

/*
 * scheme_for - the scheme that the worker's libssl means.
 * @digest: "SHA256", "SHA2-256", ... in any case; NULL or "" for Ed25519
 * Return: a row, or NULL when this key cannot sign so.
 */
const struct sign_scheme *scheme_for(enum sign_kind kind, const char *digest, bool pss);

/* May a key of this kind sign a text of this shape by this scheme? */
bool scheme_allowed(const struct sign_scheme *s, enum sign_kind kind, enum sign_shape shape);
