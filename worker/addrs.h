/*
 * addrs.h - what each client address holds: connections now, and requests of late.
 * Runs as: worker, no rights.
 * Trusts:  nothing: the table has a fixed number of places, and an attacker with many addresses
 *          can only push out entries that hold nothing and have not asked lately.
 * Owns:    its table.
 * Tests:   tests/unit/test_addrs.c
 */
#pragma once

#include "worker/http/message.h"

struct addrs;

struct addrs_limits {
	uint32_t connections; /* of one address at once; 0: no limit */
	uint32_t rate, burst; /* requests a second, and at once; rate 0: no limit */
};

/* NULL with *ret_error 0 when nothing is limited: the calls below take NULL. */
struct addrs *addrs_new(const struct addrs_limits *l, int *ret_error);
void addrs_free(struct addrs *a);

/* One more connection. Return: false when the address has as many as it may; then it is not
 * counted. An IPv6 client is its /64. */
bool addrs_open(struct addrs *a, const struct peer *p);
void addrs_close(struct addrs *a, const struct peer *p);

/* One more request, by a token bucket. Return: false when there is no token. */
bool addrs_request(struct addrs *a, const struct peer *p, uint64_t now_usec);
