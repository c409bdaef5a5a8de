/*
 * put.h - bytes one behind the other, for the few places that every request passes: no limit is
 * looked at here, so the caller has worked out beforehand that there is room.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_conn.c, tests/unit/test_site_file.c
 */
#pragma once

#include <stdint.h>
#include <string.h>

/* Each returns the place behind what it wrote; nothing is terminated. */
static inline char *
put_bytes(char *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

#define PUT(p, literal) put_bytes((p), (literal), sizeof(literal) - 1)

#define PUT_NUMBER_MAX 20 /* bytes of a number at most */

/* In base 10 or 16, lower case. */
static inline char *
put_base(char *p, uint64_t v, unsigned base)
{
	char *end = p + 1;

	for (uint64_t rest = v / base; rest > 0; rest /= base)
		end++;
	p = end;
	do {
		*--p = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	return end;
}
