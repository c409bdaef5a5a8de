/*
 * stats.h - what TLS counts. 64-bit numbers and nothing else: they lie in memory that all workers
 * share, and are added up there (worker/shared.c).
 * Runs as: worker, no rights.
 * Tests:   tests/tls/test_tls_metrics.py
 */
#pragma once

#include <stdint.h>

/* Why a handshake came to nothing. worker/admin.c has the names. */
enum tls_failure {
	TLS_FAIL_CLOSED, /* by the client, without a word */
	TLS_FAIL_ALERT, /* by the client, who said why: it does not know our CA, say */
	TLS_FAIL_NOT_TLS, /* what came is no ClientHello: plain HTTP, an SSL 2 one */
	TLS_FAIL_VERSION, /* too old */
	TLS_FAIL_NOTHING_SHARED, /* no cipher, group or signature algorithm that both have */
	TLS_FAIL_ALPN,
	TLS_FAIL_CLIENT_CERT, /* none, or one that does not verify */
	TLS_FAIL_PROTOCOL, /* anything else that is against the rules */
	TLS_FAIL_SIGNER, /* the signature was refused */
	TLS_FAIL_TIME, /* we closed before its end: its time was over, or the server's */
	TLS_FAIL_SIGNER_TIME, /* the same, while the signer was to sign */
	TLS_FAIL_END,
};

struct tls_stats {
	uint64_t tls12, tls13; /* handshakes done */
	uint64_t resumed, client_certs, kernel; /* of them; kernel: it encrypts what is sent */
	uint64_t failed[TLS_FAIL_END];
	uint64_t tickets_made, tickets_unknown; /* unknown: keys of another time or server */
	uint64_t signed_, refused, connects; /* of the signer */
	uint64_t
	    signer_usec[24]; /* signatures waited for less than 2^n microseconds, n from 4 on */
	uint64_t signer_usec_sum;
	struct {
		uint64_t handshakes, signing; /* under way; of those, at the signer */
		uint64_t held; /* they wait for the signer to return, or for their turn */
		uint64_t signer_up; /* 1 for each worker that the signer has answered */
	} now;
};
