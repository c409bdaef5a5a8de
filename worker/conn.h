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

struct conn_limits {
	struct head_limits head;
	uint64_t body_bytes;
	uint32_t requests; /* on one connection */
};

struct conn_stats {
	uint64_t requests, bytes_sent, timeouts[PATIENCE_END];
	uint64_t by_class[6]; /* answers by first digit of their status */
};

#define CONN_IN_BYTES (65536u + 16384u) /* a head of the largest size, and one read more */
#define CONN_OUT_BYTES 65536u

/*
 * What connections share, because they are stepped one at a time: buffers, clock, policy. The
 * server has one of it.
 */
struct conn_env {
	struct conn_limits limits;
	struct dateline date;
	bool draining; /* every answer is the last of its connection */
	void (*respond)(void *site, const struct request *r, int64_t now, struct answer *a);
	void (*respond_error)(unsigned status, struct answer *a);
	void *site;
	struct conn_stats stats;
	/* Work space of the connection being stepped. */
	struct head head;
	struct body body;
	struct answer answer;
	unsigned stretch; /* the answer's, being sent */
	bool close_after;
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
	struct transport t;
	struct conn_env *env;
	struct held *held; /* NULL while nothing is half done: an idle connection has no buffer */
	uint32_t requests;
	uint8_t state;
	uint8_t patience; /* enum patience, for the server */
	bool progressed; /* the time limit starts anew */
	uint32_t lingered; /* bytes thrown away after our last answer */
};

/* Takes over t. */
void conn_init(struct conn *c, struct conn_env *env, const struct transport *t);

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
