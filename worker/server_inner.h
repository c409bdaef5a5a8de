/*
 * server_inner.h - what server.c and gate.c share.
 * Runs as: worker, no rights.
 * Tests:   tests/http
 */
#pragma once

#include <assert.h>
#include <stddef.h>

#include "worker/addrs.h"
#include "worker/evloop.h"
#include "worker/server.h"

/*
 * A connection in its place: watched, and listed by its time limit. Among thousands of connections, a
 * request finds none of this in a cache near by; it needs the first two lines.
 */
struct slot {
	_Alignas(64) struct evloop_fd io;
	struct conn conn;
	struct server *server;
	struct slot *prev, *next; /* in the list of its patience, or in the free list */
};
static_assert(
    offsetof(struct slot, conn) == 64 && offsetof(struct slot, conn.rate_since_usec) == 128,
    "a line each");

struct gate {
	struct evloop_fd io;
	struct server *server;
	const struct listener *listener;
};

struct server {
	struct evloop *loop;
	struct server_options o;
	struct evloop_timer expiry, drain, resume;
	uint64_t expiry_usec; /* when that fires */
	struct evloop_signal on_term, on_int, on_usr1;
	size_t n_gates;
	struct gate gates[LISTENERS_MAX];
	bool paused; /* the gates are not watched: full, or out of descriptors */
	int spare; /* given up for a moment to refuse what cannot be taken */
	struct slot lists[PATIENCE_END]; /* ring heads; only prev and next are used */
	struct slot *free;
	uint32_t n_conns;
	struct server_stats *stats; /* in memory that all workers see */
	struct addrs *addrs;
	bool cut; /* the drain ran out of time */
	struct conn_env env;
};

/* server.c */
void slot_start(struct slot *s); /* listed, stepped for the first time */
void slot_step(struct slot *s);

/* gate.c */
void gates_init(struct server *v, const struct listeners *l);
void gates_watch(struct server *v, bool on);
void gates_room(struct server *v); /* a connection has ended: go on if they were paused */
