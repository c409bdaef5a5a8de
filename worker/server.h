/*
 * server.h - listeners, connections and their time limits on one event loop.
 * Runs as: worker, no rights.
 * Owns:    the loop and every connection; borrows the listeners and the site.
 * Logs:    the few events of its own life.
 * Tests:   tests/http
 */
#pragma once

#include "common/why.h"
#include "worker/addrs.h"
#include "worker/conn.h"
#include "worker/listener.h"

struct server;

/* Counters of one worker; see shared.h for who else reads them. */
struct server_stats {
	uint64_t connections; /* now */
	uint64_t accepted, turned_away, refused;
	struct conn_stats conn;
};

struct server_options {
	struct conn_limits limits;
	struct addrs_limits addrs;
	struct addrs_table *addrs_table; /* of all workers */
	unsigned worker; /* this one, in there */
	uint64_t patience_usec[PATIENCE_END];
	uint64_t drain_idle_usec; /* grace for idle connections at the end */
	uint64_t drain_usec; /* after this, connections are cut */
	uint32_t connections; /* at once */
	struct server_stats *stats;
	/* What answers; see struct conn_env. */
	void (*respond)(void *arg, const struct request *r, int64_t now, struct answer *a);
	void (*respond_error)(void *arg, unsigned status, struct answer *a);
	void (*finished)(void *arg, const struct exchange *x);
	void (*turn)(void *arg, uint64_t now_usec); /* once per turn of the loop, or NULL */
	void (*reopen)(void *arg); /* SIGUSR1, or NULL */
	uint64_t first_id; /* of requests */
	void *arg;
	/* How each role's connections are made. */
	struct transport_factory factory[ROLE_END];
};

/* o and l are borrowed until server_free(). Return: 0 or -errno and why. */
_must_check_ int server_new(const struct server_options *o, const struct listeners *l,
    struct server **ret, struct why *why);

/* Its event loop, for what else is to be served by it. */
struct evloop *server_loop(struct server *v);

/* Serves until SIGTERM or SIGINT, then drains: 0 when every connection ended by itself. */
int server_run(struct server *v);

void server_free(struct server *v);
