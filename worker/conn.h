/*
 * conn.h - one connection: bytes in, requests out of them, answers back, in order.
 * Runs as: worker, no rights.
 * Trusts:  nothing that comes in. No event loop inside: conn_step() says what it waits for, so
 *          tests drive it with a transport of their own.
 * Owns:    its transport; buffers only while something is half done (struct held).
 * Tests:   tests/unit/test_conn.c, tests/http
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "worker/access_log.h"
#include "worker/addrs.h"
#include "worker/http/body.h"
#include "worker/http/head.h"
#include "worker/http/wire.h"
#include "worker/transport.h"

/* What a connection is waiting for, each with a time limit of its own (server.c has the lists). */
enum patience {
	PATIENCE_HANDSHAKE, /* TLS, all of it */
	PATIENCE_HEAD, /* from the first byte of a request, or the accept, to the end of its head */
	PATIENCE_IDLE, /* between requests */
	PATIENCE_BODY, /* between two reads of a request body */
	PATIENCE_WRITE, /* between two writes of an answer */
	PATIENCE_LINGER, /* for the peer to close, after our last byte */
	PATIENCE_END,
};

/* A body or an answer may be slower than the minimum rate at first: buffers fill, routes settle. */
#define CONN_RATE_GRACE_USEC (10 * USEC_PER_SEC)

struct conn_limits {
	struct head_limits head;
	uint64_t body_bytes;
	uint64_t
	    min_rate; /* bytes a second of a body or an answer, after RATE_GRACE_USEC; 0: none */
	uint32_t requests; /* on one connection */
};

struct conn_stats {
	uint64_t requests, bytes_sent, timeouts[PATIENCE_END];
	uint64_t too_slow; /* cut for less than the minimum rate */
	uint64_t limited; /* 429 by rate */
	uint64_t by_status[600];
};

#define CONN_IN_BYTES (65536u + 16384u) /* a head of the largest size, and one read more */
#define CONN_OUT_BYTES 65536u

/*
 * What connections share, because they are stepped one at a time: buffers, clock, policy. The
 * server has one of it.
 */
struct conn_env {
	struct conn_limits limits;
	uint64_t patience_usec[PATIENCE_END]; /* the server's: how long each is */
	struct dateline date;
	bool draining; /* every answer is the last of its connection */
	void (*respond)(void *arg, const struct request *r, int64_t now, struct answer *a);
	void (*respond_error)(void *arg, unsigned status, struct answer *a);
	/* An answer is over: all of it sent (or given up, then body_bytes is less than it said). */
	void (*finished)(void *arg, const struct exchange *x);
	uint64_t next_id; /* of the next request */
	void *arg;
	struct addrs *addrs; /* request rates; NULL: no limit */
	uint64_t now_usec; /* of this turn of the loop */
	struct conn_stats *stats;
	/* Work space of the connection being stepped. */
	bool clean; /* its last user left it as a new one wants it */
	struct head head;
	struct body body;
	struct answer answer;
	unsigned stretch; /* the answer's, being sent */
	bool answering; /* between a request and the end of its answer */
	uint64_t began_usec, id; /* of the request being answered */
	bool close_after;
	bool peer_closes; /* it asked for the close: no more is to come */
	bool continued; /* 100 Continue was sent for this request */
	bool drained; /* the socket had nothing more at the last read */
	uint32_t in_off; /* the present request begins here */
	uint32_t in_used; /* and this much of in was dealt with */
	uint32_t in_len;
	uint32_t out_off, out_len;
	char in[CONN_IN_BYTES];
	char out[CONN_OUT_BYTES];
};

struct held;

struct conn {
	/* What every request touches: a cache line. */
	struct transport t;
	struct conn_env *env;
	struct held *held; /* NULL while nothing is half done: an idle connection has no buffer */
	uint32_t requests;
	uint8_t state;
	uint8_t patience; /* enum patience, for the server */
	uint8_t listed; /* the server's: patience that the deadline is of */
	uint8_t role : 4; /* enum role of the listener, for who answers */
	bool progressed : 1; /* the time limit starts anew */
	bool timed : 1; /* in a body or an answer that takes more than one step: rate_... are set */
	uint64_t deadline_usec; /* the server's */
	/* And what few do. */
	uint64_t rate_since_usec;
	uint64_t rate_bytes; /* moved since then */
	uint32_t lingered; /* bytes thrown away after our last answer */
	struct peer peer;
};

/* Takes over t. */
void conn_init(
    struct conn *c, struct conn_env *env, const struct transport *t, const struct peer *peer);

enum { CONN_OVER = -1 };

/*
 * conn_step - go on as far as possible.
 * Return: WANT_ bits to wait for (0: for the transport's wake), or CONN_OVER: conn_done() it.
 */
int conn_step(struct conn *c);

/* Its time is over: says 408 where that helps. Return: as conn_step(). */
int conn_timeout(struct conn *c);

/* True between requests: nothing would be lost by closing now. */
bool conn_is_idle(const struct conn *c);

/* Closes the transport, frees what is held. Once. */
void conn_done(struct conn *c);
