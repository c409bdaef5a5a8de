/*
 * json.h - writes RFC 8259 JSON into a struct buf. Commas and escapes are its business alone.
 * Runs as: every process of ours, root included. Allocates nothing itself.
 * Tests:   tests/unit/test_json.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define JSON_DEPTH_MAX 16

struct json {
	struct buf *out; /* look at out->failed when done */
	unsigned depth;
	bool comma[JSON_DEPTH_MAX]; /* a value was written at this depth */
	bool object[JSON_DEPTH_MAX]; /* else an array */
};

/* Starts a document at the end of out, which the caller owns. */
void json_init(struct json *j, struct buf *out);

/* key is NULL at the top and inside an array; inside an object it is required. */
void json_open_object(struct json *j, const char *key);
void json_open_array(struct json *j, const char *key);
void json_close(struct json *j);

/* value NULL writes null. Bytes that are not UTF-8 become U+FFFD. */
void json_str(struct json *j, const char *key, const char *value);
void json_span(struct json *j, const char *key, struct span value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
