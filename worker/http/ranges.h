/*
 * ranges.h - the Range field (RFC 9110 section 14), for bytes.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_http_conditions.c, tests/fuzz/fuzz_http_fields.c
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"

/* More parts than this and the field is ignored: the whole is cheaper for everybody. */
#define RANGES_MAX 16

struct range {
	uint64_t first, len;
};

enum {
	RANGES_IGNORE = 0, /* not for bytes, malformed, or too many: send the whole with 200 */
	RANGES_NONE = -1, /* none can be satisfied: 416 */
};

/*
 * ranges_parse - what to send of a representation of size bytes.
 * @ret: filled in the order asked for; if any overlap or touch, sorted and merged
 * Return: how many, or RANGES_IGNORE, or RANGES_NONE.
 */
int ranges_parse(struct span value, uint64_t size, struct range ret[RANGES_MAX]);
