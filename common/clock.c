/*
 * clock.c - see clock.h.
 */
#include "common/clock.h"

#include <time.h>

static uint64_t
clock_read(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts); /* fails only for an unknown clock or a bad pointer */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_usec(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t
clock_realtime_usec(void)
{
	return clock_read(CLOCK_REALTIME);
}
