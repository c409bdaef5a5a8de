/*
 * conditions.h - conditional requests (RFC 9110 section 13) as pure decisions.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_http_conditions.c
 */
#pragma once

#include "worker/http/message.h"

/* What is known of the representation that would be sent. */
struct validators {
	struct span etag; /* strong, with its quotes */
	int64_t mtime; /* seconds */
};

enum condition {
	CONDITION_GO, /* answer as if there were none */
	CONDITION_NOT_MODIFIED, /* 304 */
	CONDITION_FAILED, /* 412 */
};

/* The preconditions in the order of section 13.2.2, for GET and HEAD. now: seconds. */
enum condition conditions_check(const struct request *r, const struct validators *v, int64_t now);

/* True if Range is to be honoured: no If-Range, or one that matches strongly (13.1.5). */
bool conditions_range(const struct request *r, const struct validators *v, int64_t now);
