/*
 * keyfile.h - one PEM file into one private key.
 * Runs as: sallyport-keyd.
 * Trusts:  the file's owner; the content is still bounded and every failure is an error.
 * Owns:    the file's bytes, in OpenSSL's locked heap, for the length of the call.
 * Tests:   tests/unit/test_sign_serve.c
 */
#pragma once

#include "signer/keys.h"

/* The credential beside NAME that holds its password: one line. */
#define KEYFILE_PASS_SUFFIX ".pass"

enum keyfile_outcome {
	KEYFILE_NOT_A_KEY = 1, /* readable, but no "PRIVATE KEY" block in it */
};

/*
 * keyfile_read - reads dir/name; PKCS#8, PKCS#1 or SEC1, encrypted ones by dir/NAME.pass.
 * Return: 0 and *ret filled (its pkey is the caller's); KEYFILE_NOT_A_KEY; -ENOKEY when it is
 *         encrypted and the password is missing or wrong; -ENOTSUP for a kind of key that TLS
 *         servers here do not use; -errno.
 */
_must_check_ int keyfile_read(int dir, const char *name, struct signer_key *ret, struct why *why);
