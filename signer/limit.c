/*
 * limit.c - see limit.h.
 */
#include "signer/limit.h"

void
limit_init(struct limit *l, uint64_t per_sec, uint64_t burst)
{
	*l = (struct limit){ 0 };
	if (per_sec == 0)
		return;
	l->interval_usec = per_sec >= 1000000 ? 1 : 1000000 / per_sec;
	l->burst = burst > 0 ? burst : 1;
}

uint64_t
limit_wait(const struct limit *l, uint64_t now_usec)
{
	/* With a token less than now, the bucket would be full that much later. */
	const uint64_t full =
	    (l->full_usec > now_usec ? l->full_usec : now_usec) + l->interval_usec;
	const uint64_t latest = now_usec + l->interval_usec * l->burst;

	return l->interval_usec != 0 && full > latest ? full - latest : 0;
}

bool
limit_take(struct limit *l, uint64_t now_usec)
{
	if (limit_wait(l, now_usec) > 0)
		return false;
	l->full_usec = (l->full_usec > now_usec ? l->full_usec : now_usec) + l->interval_usec;
	return true;
}

uint64_t
limit_room(const struct limit *l, uint64_t now_usec)
{
	const uint64_t full = l->full_usec > now_usec ? l->full_usec : now_usec;
	const uint64_t latest = now_usec + l->interval_usec * l->burst;

	if (l->interval_usec == 0)
		return UINT64_MAX;
	return latest > full ? (latest - full) / l->interval_usec : 0;
}
