/*
 * json.c - see json.h.
 */
#include "common/json.h"

#include <assert.h>
#include <inttypes.h>

#include "common/quote.h"

void
json_init(struct json *j, struct buf *out)
{
	*j = (struct json){ .out = out };
}

/* The comma before a value and, inside an object, its key. */
static void
put_key(struct json *j, const char *key)
{
	if (j->depth == 0) {
		assert(!key);
		return;
	}
	assert(j->object[j->depth - 1] == (key != NULL));
	if (j->comma[j->depth - 1])
		(void)buf_putc(j->out, ',');
	j->comma[j->depth - 1] = true;
	if (key) {
		json_quote(j->out, span_of(key));
		(void)buf_putc(j->out, ':');
	}
}

static void
json_open(struct json *j, const char *key, bool object)
{
	assert(j->depth < JSON_DEPTH_MAX);
	put_key(j, key);
	(void)buf_putc(j->out, object ? '{' : '[');
	j->comma[j->depth] = false;
	j->object[j->depth++] = object;
}

void
json_open_object(struct json *j, const char *key)
{
	json_open(j, key, true);
}

void
json_open_array(struct json *j, const char *key)
{
	json_open(j, key, false);
}

void
json_close(struct json *j)
{
	assert(j->depth > 0);
	(void)buf_putc(j->out, j->object[--j->depth] ? '}' : ']');
}

void
json_span(struct json *j, const char *key, struct span value)
{
	put_key(j, key);
	json_quote(j->out, value);
}

void
json_str(struct json *j, const char *key, const char *value)
{
	if (value)
		json_span(j, key, span_of(value));
	else
		json_null(j, key);
}

void
json_u64(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	(void)buf_printf(j->out, "%" PRIu64, value);
}

void
json_i64(struct json *j, const char *key, int64_t value)
{
	put_key(j, key);
	(void)buf_printf(j->out, "%" PRId64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	(void)buf_puts(j->out, value ? "true" : "false");
}

void
json_null(struct json *j, const char *key)
{
	put_key(j, key);
	(void)buf_puts(j->out, "null");
}
