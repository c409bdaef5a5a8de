/*
 * body.h - the body of an HTTP/1.x request, taken off the connection as it comes in and thrown
 * away: the framing alone matters, so that the next request begins where it should.
 * Runs as: worker, no rights. Allocates nothing.
 * Trusts:  nothing (RFC 9112 section 7.1, strictly: CRLF only, sizes of at most 15 hex digits, no
 *          field in a trailer that frames or routes, RFC 9110 section 6.5.1).
 * Tests:   tests/unit/test_http_body.c, tests/fuzz/fuzz_http_request.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct body {
	uint64_t left; /* bytes of the sized body, or of the present chunk */
	uint64_t total; /* content bytes seen */
	uint64_t max; /* content bytes allowed: 413 beyond */
	uint32_t overhead; /* bytes of extensions and trailers seen */
	uint8_t state;
	uint8_t digits; /* of the chunk size */
	uint8_t name_len; /* of the trailer field's name, and its first bytes */
	char name[20];
};

enum { BODY_MORE = 0, BODY_DONE = 1 };

/* length counts unless chunked. A sized body above max is 413 at the first body_skip(). */
void body_init(struct body *b, bool chunked, uint64_t length, uint64_t max);

/*
 * body_skip - take what belongs to the body.
 * @ret_used: how many of the len bytes; the rest belongs to the next request
 * Return: BODY_MORE (all bytes were used), BODY_DONE, 400 or 413.
 */
int body_skip(struct body *b, const char *data, size_t len, size_t *ret_used);
