/*
 * shape.h - is a text what a TLS server signs in a handshake? A pure function.
 * Runs as: sallyport-keyd.
 * Trusts:  nobody; the text is whatever a captured worker chose.
 * Tests:   tests/unit/test_sign_shape.c, tests/fuzz/fuzz_shape.c
 *
 * The two shapes cannot be confused with each other: byte 64 is 'T' in one and 3 in the other. Nor
 * with what a TLS client, an ACME account, a JWT, an SSH server or a CMS signer signs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum sign_shape {
	SHAPE_NONE, /* neither: never sign it */
	SHAPE_TLS13, /* server CertificateVerify content, RFC 8446 4.4.3 */
	SHAPE_TLS12, /* ServerKeyExchange with ECDHE parameters, RFC 5246 7.4.3 and RFC 8422 5.4 */
};

/* Return: which of the two `tbs` is, to its last byte. */
enum sign_shape shape_of(const uint8_t *tbs, size_t len);
