/*
 * pemkey.h - what the memory of a process looks like where a private key is in it.
 * Runs as: whoever calls `sallyport audit`: root, most likely, with the operator's own key files.
 * Trusts:  nothing in the file. No key is used here, and no library of cryptography is needed.
 * Tests:   tests/unit/test_pemkey.c, tests/fuzz/fuzz_pemkey.c
 */
#pragma once

#include "common/buf.h"
#include "common/why.h"

#define PEMKEY_PATTERNS_MAX 13 /* six numbers of RSA in two orders, and the text */
#define PEMKEY_PATTERN_BYTES 64

/* A piece of a secret, from its middle: half a copy counts too. */
struct pem_pattern {
	const char *what; /* "d", "p", ..., "scalar", "text" */
	const char *order; /* "big-endian", ... */
	unsigned char bytes[PEMKEY_PATTERN_BYTES];
	size_t len;
};

/*
 * pemkey_read - the patterns of the first private key of a PEM file: PKCS#8, PKCS#1 or SEC 1.
 * The caller wipes them.
 * Return: how many; 0 when there is no private key in it; -EPERM when it is encrypted; -EBADMSG.
 */
_must_check_ int pemkey_read(
    struct span pem, struct pem_pattern ret[PEMKEY_PATTERNS_MAX], struct why *why);
