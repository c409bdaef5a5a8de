/*
 * shared.c - see shared.h. All members of struct worker_stats are 64-bit counters, so that they
 * can be added up as an array; what counts the present is cleared before it is kept.
 */
#include "worker/shared.h"

#include <assert.h>
#include <sys/mman.h>

#define COUNTERS (sizeof(struct worker_stats) / sizeof(uint64_t))
static_assert(sizeof(struct worker_stats) % sizeof(uint64_t) == 0, "counters and nothing else");
static_assert(WORKERS_MAX <= ADDRS_WORKERS_MAX, "each has its part of the table of addresses");
static_assert(sizeof(size_t) == sizeof(uint64_t), "struct filecache_stats is counters too");

struct shared *
shared_new(void)
{
	struct shared *s = mmap(
	    NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	s->addrs = addrs_table_new();
	return s->addrs ? s : NULL; /* the process ends then */
}

static void
stats_add(struct worker_stats *to, const struct worker_stats *from)
{
	uint64_t *a = (uint64_t *)(void *)to;
	const uint64_t *b = (const uint64_t *)(const void *)from;

	for (size_t i = 0; i < COUNTERS; i++)
		a[i] += b[i];
}

void
shared_retire(struct shared *s, unsigned index)
{
	struct worker_stats *w = &s->worker[index];

	addrs_table_retire(s->addrs, index);
	w->server.connections = 0;
	w->cache.files = w->cache.bytes = 0;
	memset(&w->tls.now, 0, sizeof(w->tls.now));
	stats_add(&s->ended, w);
	memset(w, 0, sizeof(*w));
}

void
shared_sum(const struct shared *s, struct worker_stats *ret)
{
	*ret = s->ended;
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (s->worker[i].server.accepted > 0 || s->worker[i].server.connections > 0)
			stats_add(ret, &s->worker[i]);
}
