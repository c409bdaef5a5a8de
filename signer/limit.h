/*
 * limit.h - a token bucket: how often something may happen. Pure; the caller brings the clock.
 * Runs as: sallyport-keyd.
 * Tests:   tests/unit/test_sign_serve.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limit {
	uint64_t interval_usec; /* one token each; 0: no limit */
	uint64_t burst; /* tokens at most */
	uint64_t full_usec; /* when the bucket will be full again */
};

/* A full bucket of `burst` tokens, `per_sec` more each second; per_sec 0 means no limit. */
void limit_init(struct limit *l, uint64_t per_sec, uint64_t burst);

/* Takes a token if there is one. */
bool limit_take(struct limit *l, uint64_t now_usec);

/* Microseconds until limit_take() would succeed; 0 when it would now. */
uint64_t limit_wait(const struct limit *l, uint64_t now_usec);

/* How many tokens there are. */
uint64_t limit_room(const struct limit *l, uint64_t now_usec);
