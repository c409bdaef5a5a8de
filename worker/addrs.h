/*
 * addrs.h - what each client address holds: connections now, and requests of late, with all workers
 * together.
 * Runs as: worker, no rights.
 * Trusts:  no peer: the table has a fixed number of places, and an attacker with many addresses
 *          can only push out entries that hold nothing and have not asked lately. The other workers,
 *          for its content: a captured one can make limits bind too early, or not at all.
 * Owns:    its table, in memory that the workers share.
 * Tests:   tests/unit/test_addrs.c, tests/http/test_http_workers.py
 */
#pragma once

#include "worker/http/message.h"

struct addrs;
struct addrs_table;

#define ADDRS_WORKERS_MAX 512u

struct addrs_limits {
	uint32_t connections; /* of one address at once; 0: no limit */
	uint32_t rate, burst; /* requests a second, and at once; rate 0: no limit */
};

/* Made before the workers are forked. Costs memory where it is used only. NULL: there is none. */
struct addrs_table *addrs_table_new(void);
void addrs_table_free(struct addrs_table *t);

/* A worker is gone: its connections are, too. For whoever has reaped it. */
void addrs_table_retire(struct addrs_table *t, unsigned worker);

/*
 * addrs_new - a worker's own way to the table.
 * @worker: which no other has that lives
 * Return: NULL with *ret_error 0 when nothing is limited: the calls below take NULL.
 */
struct addrs *addrs_new(
    const struct addrs_limits *l, struct addrs_table *t, unsigned worker, int *ret_error);
void addrs_free(struct addrs *a);

/* One more connection. Return: false when the address has as many as it may; then it is not
 * counted. An IPv6 client is its /64. */
bool addrs_open(struct addrs *a, const struct peer *p);
void addrs_close(struct addrs *a, const struct peer *p);

/* One more request, by a token bucket. Return: false when there is no token. */
bool addrs_request(struct addrs *a, const struct peer *p, uint64_t now_usec);
