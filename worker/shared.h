/*
 * shared.h - the memory that the first process and its workers have in common: counters,
 *            and the table of client addresses.
 * Runs as: worker, no rights.
 * Trusts:  nobody needs to: a captured worker can only make the figures wrong.
 * Owns:    an anonymous mapping, kept for the life of the process.
 * Tests:   tests/http/test_http_workers.py
 */
#pragma once

#include "worker/server.h"
#include "worker/site/file.h"
#include "worker/tls/stats.h"

#define WORKERS_MAX 512 /* of two generations during a reload */

struct worker_stats {
	struct server_stats server;
	struct filecache_stats cache;
	uint64_t latency[24]; /* answers that took less than 2^n microseconds, n from 4 on */
	uint64_t latency_sum_usec;
	uint64_t log_dropped;
	struct tls_stats tls;
};

struct shared {
	uint64_t started_seconds; /* realtime */
	uint32_t workers; /* alive now */
	uint32_t generation;
	uint64_t deaths, reloads, reloads_failed;
	bool ready, stopping;
	struct addrs_table *addrs; /* another mapping, at the same address in all */
	struct worker_stats ended; /* sums of workers that are gone */
	struct worker_stats worker[WORKERS_MAX];
};

/* Return: the mapping, zeroed; NULL when there is no memory. */
struct shared *shared_new(void);

/* Adds a worker's counters to the sums and clears them; not those that only count the present. */
void shared_retire(struct shared *s, unsigned index);

/* The sums over all workers that ever were. */
void shared_sum(const struct shared *s, struct worker_stats *ret);
