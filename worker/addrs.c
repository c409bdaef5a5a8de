/*
 * addrs.c - see addrs.h. Open addressing in short runs: an address may be in any of PROBES places
 * from its hash on. When all of them are busy with others it goes uncounted: limits are for the
 * many requests of few, not for the few of many.
 */
#include "worker/addrs.h"

#include <unistd.h>

#include "common/clock.h"

#define PLACES (1u << 15)
#define PROBES 8u

struct place {
	uint64_t key; /* 0: empty */
	uint64_t filled_usec; /* when tokens was right */
	uint32_t tokens; /* thousandths */
	uint32_t connections;
};

struct addrs {
	struct addrs_limits l;
	uint64_t secret; /* so that nobody can choose addresses that collide */
	struct place place[PLACES];
};

struct addrs *
addrs_new(const struct addrs_limits *l, int *ret_error)
{
	struct addrs *a;

	*ret_error = 0;
	if (l->connections == 0 && l->rate == 0)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a || getentropy(&a->secret, sizeof(a->secret)) < 0) {
		free(a);
		*ret_error = -ENOMEM;
		return NULL;
	}
	a->l = *l;
	return a;
}

void
addrs_free(struct addrs *a)
{
	free(a);
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
static uint32_t
key_hash(const struct addrs *a, uint64_t key)
{
	uint64_t h = key ^ a->secret;

	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(h ^ h >> 33);
}

/* Return: the address's place, a fresh one if make, or NULL. */
static struct place *
place_of(struct addrs *a, const struct peer *p, uint64_t now_usec, bool make)
{
	const uint64_t key = peer_key(p);
	const uint32_t hash = key_hash(a, key);
	struct place *victim = NULL;

	if (key == 0)
		return NULL;
	for (uint32_t i = 0; i < PROBES; i++) {
		struct place *at = &a->place[(hash + i) & (PLACES - 1)];

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

bool
addrs_open(struct addrs *a, const struct peer *p)
{
	struct place *at;

	if (!a || a->l.connections == 0)
		return true;
	at = place_of(a, p, clock_usec(), true);
	if (!at)
		return true;
	if (at->connections >= a->l.connections)
		return false;
	at->connections++;
	return true;
}

void
addrs_close(struct addrs *a, const struct peer *p)
{
	struct place *at;

	if (!a || a->l.connections == 0)
		return;
	at = place_of(a, p, 0, false);
	if (at && at->connections > 0)
		at->connections--;
}

bool
addrs_request(struct addrs *a, const struct peer *p, uint64_t now_usec)
{
	struct place *at;
	uint64_t tokens;

	if (!a || a->l.rate == 0)
		return true;
	at = place_of(a, p, now_usec, true);
	if (!at)
		return true;
	tokens = at->tokens;
	if (now_usec > at->filled_usec) {
		const uint64_t passed = now_usec - at->filled_usec;

		/* A bucket is full after burst/rate seconds; an hour is beyond any of them. */
		tokens += (passed < 3600 * USEC_PER_SEC ? passed : 3600 * USEC_PER_SEC) *
			  a->l.rate / 1000;
		at->filled_usec = now_usec;
	}
	if (tokens > (uint64_t)a->l.burst * 1000)
		tokens = (uint64_t)a->l.burst * 1000;
	if (tokens < 1000) {
		at->tokens = (uint32_t)tokens;
		return false;
	}
	at->tokens = (uint32_t)(tokens - 1000);
	return true;
}
