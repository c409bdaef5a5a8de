/*
 * body.c - see body.h.
 */
#include "worker/http/body.h"

#include "worker/http/field.h"

enum body_state {
	B_SIZED,
	B_SIZE, /* digits of a chunk size */
	B_EXT, /* chunk extension, to the CR */
	B_EXT_QUOTED, /* inside a quoted string of it */
	B_EXT_ESCAPED,
	B_SIZE_LF,
	B_DATA,
	B_DATA_CR,
	B_DATA_LF,
	B_TRAILER, /* at the first byte of a line */
	B_TRAILER_NAME,
	B_TRAILER_VALUE,
	B_TRAILER_LF,
	B_END_LF,
	B_DONE,
};

#define CHUNK_DIGITS_MAX 15
#define OVERHEAD_MAX 16384 /* extensions and trailers of one body, together */

void
body_init(struct body *b, bool chunked, uint64_t length, uint64_t max)
{
	*b = (struct body){ .left = chunked ? 0 : length, .max = max };
	b->state = chunked ? B_SIZE : length > 0 ? B_SIZED : B_DONE;
}

/* The chunk-size line has ended. */
static int
body_chunk(struct body *b)
{
	if (b->left == 0) {
		b->state = B_TRAILER;
		return 0;
	}
	if (b->left > b->max - b->total)
		return 413;
	b->state = B_DATA;
	return 0;
}

static int
body_size_byte(struct body *b, unsigned char c)
{
	if (char_is(c, CHAR_HEX)) {
		if (++b->digits > CHUNK_DIGITS_MAX)
			return 400;
		b->left = b->left * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		return 0;
	}
	if (b->digits == 0)
		return 400;
	b->digits = 0;
	if (c == ';')
		b->state = B_EXT;
	else if (c == '\r')
		b->state = B_SIZE_LF;
	else
		return 400; /* a blank before the CR or ';' too: section 7.1.1 has it for old peers
			     */
	return 0;
}

/* Extensions are skipped, but a CR inside a quoted string must not end the line for us only. */
static int
body_ext_byte(struct body *b, unsigned char c)
{
	if (b->state == B_EXT && c == '\r') {
		b->state = B_SIZE_LF;
		return 0;
	}
	if (!char_is(c, CHAR_VALUE))
		return 400;
	if (b->state == B_EXT_ESCAPED)
		b->state = B_EXT_QUOTED;
	else if (b->state == B_EXT_QUOTED && c == '\\')
		b->state = B_EXT_ESCAPED;
	else if (c == '"')
		b->state = b->state == B_EXT ? B_EXT_QUOTED : B_EXT;
	return 0;
}

static int
body_trailer_byte(struct body *b, unsigned char c)
{
	switch ((enum body_state)b->state) {
	case B_TRAILER:
		if (c == '\r') {
			b->state = B_END_LF;
			return 0;
		}
		b->state = B_TRAILER_NAME;
		return char_is(c, CHAR_TOKEN) ? 0 : 400;
	case B_TRAILER_NAME:
		if (c == ':')
			b->state = B_TRAILER_VALUE;
		else if (!char_is(c, CHAR_TOKEN))
			return 400;
		return 0;
	case B_TRAILER_VALUE:
		if (c == '\r')
			b->state = B_TRAILER_LF;
		else if (!char_is(c, CHAR_VALUE))
			return 400;
		return 0;
	default:
		if (c != '\n')
			return 400;
		b->state = b->state == B_END_LF ? B_DONE : B_TRAILER;
		return 0;
	}
}

/* One byte of chunked framing. Return: 0 to go on, or a status. */
static int
body_byte(struct body *b, unsigned char c)
{
	switch ((enum body_state)b->state) {
	case B_SIZE:
		return body_size_byte(b, c);
	case B_SIZE_LF:
		return c == '\n' ? body_chunk(b) : 400;
	case B_DATA_CR:
		b->state = B_DATA_LF;
		return c == '\r' ? 0 : 400;
	case B_DATA_LF:
		b->state = B_SIZE;
		return c == '\n' ? 0 : 400;
	case B_EXT:
	case B_EXT_QUOTED:
	case B_EXT_ESCAPED:
		return ++b->overhead > OVERHEAD_MAX ? 400 : body_ext_byte(b, c);
	default:
		return ++b->overhead > OVERHEAD_MAX ? 400 : body_trailer_byte(b, c);
	}
}

int
body_skip(struct body *b, const char *data, size_t len, size_t *ret_used)
{
	size_t i = 0;

	*ret_used = 0;
	if (b->state == B_SIZED && b->left > b->max - b->total)
		return 413;
	while (i < len && b->state != B_DONE) {
		int r;

		if (b->state == B_SIZED || b->state == B_DATA) {
			const size_t n = b->left < len - i ? (size_t)b->left : len - i;

			b->left -= n;
			b->total += n;
			i += n;
			if (b->left == 0)
				b->state = b->state == B_SIZED ? B_DONE : B_DATA_CR;
			continue;
		}
		r = body_byte(b, (unsigned char)data[i]);
		if (r != 0)
			return r;
		i++;
	}
	*ret_used = i;
	return b->state == B_DONE ? BODY_DONE : BODY_MORE;
}
