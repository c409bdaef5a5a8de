/*
 * conneg.h - content negotiation: which coding, which media type (RFC 9110 section 12).
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_http_conditions.c, tests/fuzz/fuzz_http_fields.c
 */
#pragma once

#include "worker/http/message.h"

/* In our order of liking, for equal weights: smallest result first. */
enum coding {
	CODING_BR,
	CODING_ZSTD,
	CODING_GZIP,
	CODING_IDENTITY,
	CODING_END,
};

/* As in Content-Encoding: "br", "zstd", "gzip", "identity". */
const char *coding_name(enum coding c);

/* ".br", ".zst", ".gz"; "" for identity. */
const char *coding_suffix(enum coding c);

/*
 * coding_weights - the q-values of Accept-Encoding, in thousandths; 0 is "not acceptable".
 * Without the field identity alone has a weight: a coding that nobody asked for surprises.
 */
void coding_weights(const struct request *r, uint16_t ret[CODING_END]);

/* The weight that the Accept field gives to a type such as "text/html"; 1000 without the field. */
uint16_t accept_weight(const struct request *r, const char *type);
