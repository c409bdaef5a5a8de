/*
 * json.c - see json.h.
 */
#include "common/json.h"

#include <assert.h>
#include <inttypes.h>

void
json_init(struct json *j, struct buf *out)
{
	*j = (struct json){ .out = out };
}

/* How many bytes a well-formed UTF-8 character at p takes; 0 when it is not one (RFC 3629). */
static size_t
utf8_length(const unsigned char *p, size_t len)
{
	const unsigned char c = p[0];
	const size_t n = c < 0x80   ? 1
			 : c < 0xc2 ? 0
			 : c < 0xe0 ? 2
			 : c < 0xf0 ? 3
			 : c < 0xf5 ? 4
				    : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void
put_escaped(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		(void)buf_putc(out, '\\');
		(void)buf_putc(out, (char)c);
		break;
	case '\n':
		(void)buf_puts(out, "\\n");
		break;
	case '\t':
		(void)buf_puts(out, "\\t");
		break;
	case '\r':
		(void)buf_puts(out, "\\r");
		break;
	default:
		(void)buf_printf(out, "\\u%04x", c);
	}
}

static void
put_string(struct buf *out, struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	(void)buf_putc(out, '"');
	for (size_t i = 0; i < s.len;) {
		const size_t n = utf8_length(p + i, s.len - i);

		if (n == 0) {
			(void)buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			i++;
		} else if (n == 1 && (p[i] < 0x20 || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f)) {
			put_escaped(out, p[i++]);
		} else {
			(void)buf_put(out, p + i, n);
			i += n;
		}
	}
	(void)buf_putc(out, '"');
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
		put_string(j->out, span_of(key));
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
	put_string(j->out, value);
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
