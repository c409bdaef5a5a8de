/*
 * body.c - see body.h.
 */
#include "worker/http/body.h"

#include "worker/http/field.h"

enum body_state {
	B_SIZED,
	B_SIZE, /* digits of a chunk size */
	B_EXT_NAME_FIRST, /* a chunk extension: after ';' */
	B_EXT_NAME,
	B_EXT_VALUE_FIRST, /* after '=' */
	B_EXT_VALUE,
	B_EXT_QUOTED, /* inside a quoted string */
	B_EXT_ESCAPED,
	B_EXT_AFTER, /* behind one */
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
		b->state = B_EXT_NAME_FIRST;
	else if (c == '\r')
		b->state = B_SIZE_LF;
	else
		return 400; /* a blank before the CR or ';' too: section 7.1.1 has it for old peers
			     */
	return 0;
}

/* The end of an extension: another one, or the line's. */
static int
body_ext_end(struct body *b, unsigned char c)
{
	if (c == ';')
		b->state = B_EXT_NAME_FIRST;
	else if (c == '\r')
		b->state = B_SIZE_LF;
	else
		return 400;
	return 0;
}

/*
 * Extensions mean nothing to us, but where they end must be where everybody sees it: the grammar
 * of RFC 9112 section 7.1.1, without the blanks that it calls bad.
 */
static int
body_ext_byte(struct body *b, unsigned char c)
{
	switch ((enum body_state)b->state) {
	case B_EXT_NAME_FIRST:
		b->state = B_EXT_NAME;
		return char_is(c, CHAR_TOKEN) ? 0 : 400;
	case B_EXT_NAME:
		if (char_is(c, CHAR_TOKEN))
			return 0;
		if (c != '=')
			return body_ext_end(b, c);
		b->state = B_EXT_VALUE_FIRST;
		return 0;
	case B_EXT_VALUE_FIRST:
		b->state = c == '"' ? B_EXT_QUOTED : B_EXT_VALUE;
		return c == '"' || char_is(c, CHAR_TOKEN) ? 0 : 400;
	case B_EXT_VALUE:
		return char_is(c, CHAR_TOKEN) ? 0 : body_ext_end(b, c);
	case B_EXT_QUOTED:
		if (c == '"')
			b->state = B_EXT_AFTER;
		else if (c == '\\')
			b->state = B_EXT_ESCAPED;
		return char_is(c, CHAR_VALUE) ? 0 : 400;
	case B_EXT_ESCAPED:
		b->state = B_EXT_QUOTED;
		return char_is(c, CHAR_VALUE) ? 0 : 400;
	default:
		return body_ext_end(b, c);
	}
}

/* A trailer's name has ended: some names may not stand there. */
static int
body_trailer_name(const struct body *b)
{
	const enum field f =
	    b->name_len < sizeof(b->name) ? field_lookup(b->name, b->name_len) : FIELD_END;

	return f == FIELD_TRANSFER_ENCODING || f == FIELD_CONTENT_LENGTH || f == FIELD_HOST ||
		       f == FIELD_CONNECTION || f == FIELD_AUTHORIZATION
		   ? 400
		   : 0;
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
		b->name[0] = (char)c;
		b->name_len = 1;
		return char_is(c, CHAR_TOKEN) ? 0 : 400;
	case B_TRAILER_NAME:
		if (c == ':') {
			b->state = B_TRAILER_VALUE;
			return body_trailer_name(b);
		}
		if (b->name_len < sizeof(b->name))
			b->name[b->name_len++] = (char)c;
		return char_is(c, CHAR_TOKEN) ? 0 : 400;
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
	case B_EXT_NAME_FIRST:
	case B_EXT_NAME:
	case B_EXT_VALUE_FIRST:
	case B_EXT_VALUE:
	case B_EXT_QUOTED:
	case B_EXT_ESCAPED:
	case B_EXT_AFTER:
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
