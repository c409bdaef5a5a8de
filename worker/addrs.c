/*
 * addrs.c - see addrs.h. A hash table of small buckets: an address may be in any place of its own.
 * When all of them are busy with others it goes uncounted: limits are for the many requests of few,
 * not for the few of many.
 *
 * Each bucket has a lock, held for some dozen instructions. Nobody waits for it long: who does not
 * get it goes uncounted too, so a worker that is killed while it holds one cannot stop the others;
 * the first process takes the lock from it when it takes back what it had counted.
 */
#include "worker/addrs.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"

#define BUCKETS (1u << 12)
#define PLACES 8u /* in a bucket */
#define SPINS 20000u

struct place {
	uint64_t key; /* 0: empty */
	uint64_t filled_usec; /* when tokens was right */
	uint32_t tokens; /* thousandths */
	uint32_t connections;
};

struct addrs_bucket {
	_Alignas(64) atomic_uint owner; /* of the lock: a worker's index + 1, or 0 */
	struct place place[PLACES];
};

struct addrs_table {
	uint64_t secret; /* so that nobody can choose addresses that collide */
	bool counts; /* connections: some worker once had a limit of them */
	struct addrs_bucket bucket[BUCKETS];
	/* What each worker has in a place's connections, for the day it dies. Touched where used. */
	uint32_t held[ADDRS_WORKERS_MAX][BUCKETS][PLACES];
};

struct addrs {
	struct addrs_limits l;
	struct addrs_table *table;
	unsigned worker;
};

struct addrs_table *
addrs_table_new(void)
{
	struct addrs_table *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	if (getentropy(&t->secret, sizeof(t->secret)) < 0) {
		(void)munmap(t, sizeof(*t));
		return NULL;
	}
	return t;
}

void
addrs_table_free(struct addrs_table *t)
{
	if (t)
		(void)munmap(t, sizeof(*t));
}

struct addrs *
addrs_new(const struct addrs_limits *l, struct addrs_table *t, unsigned worker, int *ret_error)
{
	struct addrs *a;

	*ret_error = 0;
	if (l->connections == 0 && l->rate == 0)
		return NULL;
	a = malloc(sizeof(*a));
	if (!a) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	*a = (struct addrs){ *l, t, worker };
	if (l->connections > 0)
		t->counts = true;
	return a;
}

void
addrs_free(struct addrs *a)
{
	free(a);
}

static bool
bucket_lock(struct addrs_bucket *b, unsigned worker)
{
	for (unsigned i = 0; i < SPINS; i++) {
		unsigned nobody = 0;

		if (atomic_compare_exchange_weak(&b->owner, &nobody, worker + 1))
			return true;
	}
	return false;
}

static void
bucket_unlock(struct addrs_bucket *b)
{
	atomic_store(&b->owner, 0);
}

void
addrs_table_retire(struct addrs_table *t, unsigned worker)
{
	for (uint32_t i = 0; i < BUCKETS && (t->counts || i == 0); i++) {
		struct addrs_bucket *b = &t->bucket[i];
		unsigned dead = worker + 1;

		(void)atomic_compare_exchange_strong(&b->owner, &dead, 0);
		for (unsigned k = 0; k < PLACES; k++) {
			uint32_t *held = &t->held[worker][i][k];

			if (*held == 0 || !bucket_lock(b, worker))
				continue;
			b->place[k].connections -= *held;
			*held = 0;
			bucket_unlock(b);
		}
	}
}

/* A v4 address whole, of v6 the /64; 0 for a unix socket, which has none. */
static uint64_t
peer_key(const struct peer *p)
{
	static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };
	uint64_t key = 0;

	if (memcmp(p->addr, v4_prefix, sizeof(v4_prefix)) == 0) {
		for (size_t i = 12; i < 16; i++)
			key = key << 8 | p->addr[i];
		return key | UINT64_C(1) << 40; /* apart from any v6 prefix in use */
	}
	for (size_t i = 0; i < 8; i++)
		key = key << 8 | p->addr[i];
	return key;
}

/* A mix of multiply and shift (as of murmur3's end), keyed. */
static struct addrs_bucket *
bucket_of(const struct addrs *a, uint64_t key)
{
	uint64_t h = key ^ a->table->secret;

	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return &a->table->bucket[(h ^ h >> 33) & (BUCKETS - 1)];
}

/* Return: the address's place in its locked bucket, a fresh one if make, or NULL. */
static struct place *
place_of(const struct addrs *a, struct addrs_bucket *b, uint64_t key, uint64_t now_usec, bool make)
{
	struct place *victim = NULL;

	for (unsigned i = 0; i < PLACES; i++) {
		struct place *at = &b->place[i];

		if (at->key == key)
			return at;
		/* Nobody's, or of one with no connection who has not asked for ten seconds. */
		if (!victim && at->connections == 0 &&
		    (at->key == 0 || at->filled_usec + 10 * USEC_PER_SEC < now_usec))
			victim = at;
	}
	if (!make || !victim)
		return NULL;
	*victim = (struct place){ .key = key, .tokens = a->l.burst * 1000 };
	victim->filled_usec = now_usec;
	return victim;
}

static uint32_t *
held_of(const struct addrs *a, const struct addrs_bucket *b, const struct place *at)
{
	return &a->table->held[a->worker][b - a->table->bucket][at - b->place];
}

bool
addrs_open(struct addrs *a, const struct peer *p)
{
	const uint64_t key = a && a->l.connections > 0 ? peer_key(p) : 0;
	struct addrs_bucket *b;
	struct place *at;
	bool room = true;

	if (key == 0)
		return true;
	b = bucket_of(a, key);
	if (!bucket_lock(b, a->worker))
		return true;
	at = place_of(a, b, key, clock_usec(), true);
	if (at) {
		room = at->connections < a->l.connections;
		at->connections += room;
		*held_of(a, b, at) += room;
	}
	bucket_unlock(b);
	return room;
}

void
addrs_close(struct addrs *a, const struct peer *p)
{
	const uint64_t key = a && a->l.connections > 0 ? peer_key(p) : 0;
	struct addrs_bucket *b;
	struct place *at;

	if (key == 0)
		return;
	b = bucket_of(a, key);
	if (!bucket_lock(b, a->worker))
		return;
	at = place_of(a, b, key, 0, false);
	if (at && *held_of(a, b, at) > 0) {
		at->connections--;
		--*held_of(a, b, at);
	}
	bucket_unlock(b);
}

/* Takes a token, if there is one. */
static bool
place_take(struct place *at, const struct addrs_limits *l, uint64_t now_usec)
{
	uint64_t tokens = at->tokens;

	if (now_usec > at->filled_usec) {
		const uint64_t passed = now_usec - at->filled_usec;

		/* A bucket is full after burst/rate seconds; an hour is beyond any of them. */
		tokens +=
		    (passed < 3600 * USEC_PER_SEC ? passed : 3600 * USEC_PER_SEC) * l->rate / 1000;
		at->filled_usec = now_usec;
	}
	if (tokens > (uint64_t)l->burst * 1000)
		tokens = (uint64_t)l->burst * 1000;
	at->tokens = (uint32_t)(tokens < 1000 ? tokens : tokens - 1000);
	return tokens >= 1000;
}

bool
addrs_request(struct addrs *a, const struct peer *p, uint64_t now_usec)
{
	const uint64_t key = a && a->l.rate > 0 ? peer_key(p) : 0;
	struct addrs_bucket *b;
	struct place *at;
	bool ok;

	if (key == 0)
		return true;
	b = bucket_of(a, key);
	if (!bucket_lock(b, a->worker))
		return true;
	at = place_of(a, b, key, now_usec, true);
	ok = !at || place_take(at, &a->l, now_usec);
	bucket_unlock(b);
	return ok;
}
