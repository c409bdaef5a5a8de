/*
 * serve.h - one request in, one reply out: everything that a client can make the signer do.
 * Runs as: sallyport-keyd.
 * Trusts:  nobody. No descriptor, no clock, no log in here: the fuzzer calls it as it is.
 * Tests:   tests/unit/test_sign_serve.c, tests/fuzz/fuzz_sign_msg.c
 */
#pragma once

#include "signer/keys.h"

/* What happened, for counters and the log. */
struct serve_note {
	enum sign_type type;
	enum sign_status status; /* SIGN_OK for a list as well */
	const struct signer_key *key; /* the key that was asked for, if there is one */
	unsigned scheme;
};

/*
 * serve_request - check, carry out, answer.
 * @len: bytes received into *in
 * Return: bytes of *out to send; -EPROTONOSUPPORT or -EBADMSG when it is no request of ours: the
 *         client is then to be dropped without an answer.
 */
_must_check_ int serve_request(const struct keyset *set, const union sign_msg *in, size_t len,
    union sign_msg *out, struct serve_note *note);
