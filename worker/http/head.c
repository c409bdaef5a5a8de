/*
 * head.c - see head.h. One state per place in the grammar; loops inside a state are for speed only
 * and stop at the end of the bytes that are there.
 */
#include "worker/http/head.h"

#include <endian.h>

#include "common/num.h"
#include "worker/http/field.h"
#include "worker/http/target.h"

enum head_state {
	S_START, /* before the first byte */
	S_START_LF, /* after the CR of the one empty line we skip */
	S_METHOD,
	S_TARGET,
	S_VERSION, /* the eight bytes HTTP/d.d */
	S_LINE_CR,
	S_LINE_LF,
	S_FIELD, /* at the first byte of a line */
	S_NAME,
	S_VALUE_LEAD, /* blanks before a value */
	S_VALUE,
	S_VALUE_LF,
	S_END_LF,
};

#define METHOD_BYTES_MAX 32
#define VERSION_BYTES 8

void
head_init(struct head *h)
{
	struct request *r = &h->req;

	/* In parts, for which compilers have plain stores: their string instruction is slow to begin. */
	memset(h, 0, offsetof(struct head, req));
	memset(r, 0, offsetof(struct request, host));
	r->host = r->query = r->path = (struct span){ 0 };
	r->content_length = 0;
	r->has_body = false;
	r->minor = 1; /* until the peer says otherwise, for an answer to a broken head */
}

static int
head_version(struct head *h, const char *v)
{
	if (memcmp(v, "HTTP/", 5) != 0 || !char_is((unsigned char)v[5], CHAR_DIGIT) ||
	    v[6] != '.' || !char_is((unsigned char)v[7], CHAR_DIGIT))
		return 400;
	if (v[5] != '1')
		return 505;
	h->req.minor = v[7] == '0' ? 0 : 1; /* a later 1.x is spoken to as 1.1: RFC 9110 2.5 */
	return 0;
}

/* Connection: what matters of a list of options. */
static void
head_connection(struct head *h, struct span value)
{
	struct span word;

	while (span_word(&value, &word)) {
		if (span_same(word, "close"))
			h->asked_close = true;
		else if (span_same(word, "keep-alive"))
			h->asked_keep = true;
	}
}

/* Transfer-Encoding: "chunked" alone is served; other codings before it are 501, the rest 400. */
static void
head_transfer(struct head *h, const struct span value)
{
	struct span rest = value, word;
	bool last_chunked = false;

	while (span_word(&rest, &word)) {
		if (last_chunked)
			h->seen_te_bad = true; /* chunked twice, or not last */
		last_chunked = span_same(word, "chunked");
		if (!last_chunked)
			h->seen_te_other = true;
	}
	if (!last_chunked || (!h->seen_te_other && !span_same(value, "chunked")))
		h->seen_te_bad = true; /* "chunked," too: not everybody skips empty elements */
	h->chunked = true;
}

static int
head_length(struct head *h, struct span value)
{
	if (num_parse(value, 10, 0, INT64_MAX, &h->req.content_length) < 0)
		return 400;
	h->has_length = true;
	return 0;
}

/* True if a tab stands beside the value: allowed by the grammar, but peers disagree about it. */
static bool
value_has_tab(const char *data, struct piece16 value)
{
	const char *p = data + value.off;

	for (const char *q = p; q[-1] != ':'; q--)
		if (q[-1] == '\t')
			return true;
	for (p += value.len; *p != '\r'; p++)
		if (*p == '\t')
			return true;
	return false;
}

/* A whole field line is there: name at mark.., value at field offsets. */
static int
head_line(struct head *h, const char *data, struct piece16 value)
{
	struct request *r = &h->req;
	const enum field f = (enum field)h->known;
	const struct span text = { data + value.off, value.len };
	struct span host;

	if (f == FIELD_END)
		return 0;
	if (request_has(r, f)) {
		if (field_is_single(f))
			return 400;
		r->repeated |= UINT32_C(1) << f;
	} else {
		r->present |= UINT32_C(1) << f;
		r->field[f] = value;
	}
	switch (f) {
	case FIELD_HOST:
		if (host_split(text, &host) < 0 || value_has_tab(data, value))
			return 400;
		r->host_len = (uint16_t)host.len;
		return 0;
	case FIELD_CONNECTION:
		head_connection(h, text);
		return 0;
	case FIELD_CONTENT_LENGTH:
		return value_has_tab(data, value) ? 400 : head_length(h, text);
	case FIELD_TRANSFER_ENCODING:
		head_transfer(h, text);
		return value_has_tab(data, value) ? 400 : 0;
	case FIELD_EXPECT:
		if (span_same(text, "100-continue"))
			h->expect_continue = true;
		else
			h->expect_other = true;
		return 0;
	default:
		return 0;
	}
}

/* The empty line is there: what only the whole head can tell. */
static int
head_finish(struct head *h, const char *data)
{
	struct request *r = &h->req;

	r->base = data;
	r->fields_block.len = (uint16_t)(h->bytes - 2 - r->fields_block.off);
	if (r->minor >= 1 && !request_has(r, FIELD_HOST))
		return 400; /* RFC 9112 section 3.2 */
	if (h->chunked && (h->has_length || r->minor == 0 || h->seen_te_bad))
		return 400; /* RFC 9112 section 6.1: what smugglers send */
	if (h->seen_te_other)
		return 501;
	if (h->expect_other)
		return 417;
	if (r->minor == 0)
		h->expect_continue = false; /* RFC 9110 section 10.1.1 */
	h->close = h->asked_close || (r->minor == 0 && !h->asked_keep);
	r->has_body = h->chunked || r->content_length > 0;
	return target_check(r);
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * How many bytes at p are neither a control nor DEL, eight at a time: a byte's top bit is set in `bad`
 * if the byte is one, and perhaps in bytes behind the first that is.
 */
static size_t
text_len(const char *p, size_t len)
{
	size_t n = 0;

	while (len - n >= sizeof(uint64_t)) {
		uint64_t word, del, bad;

		memcpy(&word, p + n, sizeof(word));
		word = le64toh(word);
		del = word ^ EACH_BYTE(0x7f);
		bad = ((word - EACH_BYTE(0x20)) & ~word) | ((del - EACH_BYTE(1)) & ~del);
		bad &= EACH_BYTE(0x80);
		if (bad != 0)
			return n + (size_t)__builtin_ctzll(bad) / 8;
		n += sizeof(word);
	}
	while (n < len && (unsigned char)p[n] >= 0x20 && p[n] != 0x7f)
		n++;
	return n;
}

/* Goes on while bytes are of a value. Return: as head_skip(). */
static bool
head_skip_value(struct head *h, const char *data, size_t len)
{
	size_t pos = h->pos;

	for (;;) {
		pos += text_len(data + pos, len - pos);
		if (pos == len || data[pos] != '\t')
			break;
		pos++;
	}
	h->pos = (uint16_t)pos;
	return pos < len;
}

/* Goes on while bytes are of a class. Return: false when no other byte is there yet. */
static bool
head_skip(struct head *h, const char *data, size_t len, unsigned class)
{
	size_t pos = h->pos;

	while (pos < len && char_is((unsigned char)data[pos], class))
		pos++;
	h->pos = (uint16_t)pos;
	return pos < len;
}

/* The value from mark to the CRLF that was just read, without the blanks behind it. */
static struct piece16
head_value(const struct head *h, const char *data)
{
	size_t end = (size_t)h->pos - 2;

	while (end > h->mark && (data[end - 1] == ' ' || data[end - 1] == '\t'))
		end--;
	return (struct piece16){ h->mark, (uint16_t)(end - h->mark) };
}

/* The request line is over. */
static void
head_begin_fields(struct head *h)
{
	h->req.fields_block.off = h->pos;
	h->state = S_FIELD;
}

/*
 * The version: a byte at a time, so that "GET / HTTP/1.1x" fails at the same byte however cut; or at a
 * go with its CRLF, if it is what nearly everybody sends.
 */
static int
head_step_version(struct head *h, const char *data, size_t len)
{
	static const char usual[] = "HTTP/1.1\r\n", shape[] = "HTTP/d.d";
	const size_t usual_len = sizeof(usual) - 1, at = (size_t)(h->pos - h->mark);
	const unsigned char c = (unsigned char)data[h->pos];

	if (at == 0 && len - h->pos >= usual_len && memcmp(data + h->pos, usual, usual_len) == 0) {
		h->pos = (uint16_t)(h->pos + usual_len);
		head_begin_fields(h);
		return 0;
	}
	if (at < VERSION_BYTES) {
		if (shape[at] == 'd' ? !char_is(c, CHAR_DIGIT) : c != (unsigned char)shape[at])
			return 400;
		h->pos++;
		return 0;
	}
	h->state = S_LINE_CR;
	return head_version(h, data + h->mark);
}

/*
 * States of the request line, which fall into one another while there are bytes. Return: 0 to go on,
 * or a status.
 */
static int
head_step_line(struct head *h, const char *data, size_t len)
{
	struct request *r = &h->req;
	const unsigned char c = (unsigned char)data[h->pos];

	switch ((enum head_state)h->state) {
	case S_START:
		if (c == '\r' && h->pos == 0) {
			h->state = S_START_LF;
			h->pos++;
			return 0;
		}
		h->mark = h->pos;
		h->state = S_METHOD;
		/* fall through */
	case S_METHOD:
		while (h->pos < len && char_is((unsigned char)data[h->pos], CHAR_TOKEN)) {
			if (h->pos - h->mark >= METHOD_BYTES_MAX)
				return 501;
			h->pos++;
		}
		if (h->pos == len)
			return 0;
		if (data[h->pos] != ' ' || h->pos == h->mark)
			return 400;
		r->method_text = (struct piece16){ h->mark, (uint16_t)(h->pos - h->mark) };
		r->method = (uint8_t)method_lookup(data + h->mark, r->method_text.len);
		h->mark = ++h->pos;
		h->state = S_TARGET;
		/* fall through */
	case S_TARGET:
		if (!head_skip(h, data, len, CHAR_TARGET))
			return 0;
		if (data[h->pos] != ' ' || h->pos == h->mark)
			return 400;
		r->target = (struct piece16){ h->mark, (uint16_t)(h->pos - h->mark) };
		h->mark = ++h->pos;
		h->state = S_VERSION;
		return h->pos < len ? head_step_version(h, data, len) : 0;
	case S_VERSION:
		return head_step_version(h, data, len);
	case S_START_LF:
		if (c != '\n')
			return 400;
		h->pos++;
		h->state = S_START;
		return 0;
	case S_LINE_CR:
		if (c != '\r')
			return 400;
		h->pos++;
		h->state = S_LINE_LF;
		return 0;
	default:
		if (c != '\n')
			return 400;
		h->pos++;
		head_begin_fields(h);
		return 0;
	}
}

/* States of a field line; each goes on with the next while there are bytes. */
static int
head_step_line_end(struct head *h, const char *data)
{
	if (data[h->pos] != '\n')
		return 400;
	h->pos++;
	h->state = S_FIELD;
	return head_line(h, data, head_value(h, data));
}

static int
head_step_value(struct head *h, const char *data, size_t len)
{
	if (h->state == S_VALUE_LEAD) {
		while (h->pos < len && (data[h->pos] == ' ' || data[h->pos] == '\t'))
			h->pos++;
		if (h->pos == len)
			return 0;
		h->mark = h->pos;
		h->state = S_VALUE;
	}
	if (!head_skip_value(h, data, len))
		return 0;
	if (data[h->pos] != '\r')
		return 400;
	h->pos++;
	h->state = S_VALUE_LF;
	return h->pos < len ? head_step_line_end(h, data) : 0;
}

static int
head_step_name(struct head *h, const char *data, size_t len, const struct head_limits *limits)
{
	if (h->state == S_FIELD) {
		if (data[h->pos] == '\r') {
			h->pos++;
			h->state = S_END_LF;
			return 0;
		}
		if (h->req.n_fields >= limits->fields)
			return 431;
		h->mark = h->pos; /* a blank here would be obs-fold: not a token, 400 below */
		h->state = S_NAME;
	}
	if (!head_skip(h, data, len, CHAR_TOKEN))
		return 0;
	if (data[h->pos] != ':' || h->pos == h->mark)
		return 400;
	h->known = (uint8_t)field_lookup(data + h->mark, (size_t)(h->pos - h->mark));
	h->req.n_fields++;
	h->pos++;
	h->state = S_VALUE_LEAD;
	return h->pos < len ? head_step_value(h, data, len) : 0;
}

/* One step on the bytes that are there; at least one more byte than h->pos. */
static int
head_step(struct head *h, const char *data, size_t len, const struct head_limits *limits)
{
	switch ((enum head_state)h->state) {
	case S_FIELD:
	case S_NAME:
		return head_step_name(h, data, len, limits);
	case S_VALUE_LEAD:
	case S_VALUE:
		return head_step_value(h, data, len);
	case S_VALUE_LF:
		return head_step_line_end(h, data);
	case S_END_LF:
		if (data[h->pos] != '\n')
			return 400;
		h->pos++;
		h->bytes = h->pos;
		return 0;
	default:
		return head_step_line(h, data, len);
	}
}

int
head_parse(struct head *h, const char *data, size_t len, const struct head_limits *limits)
{
	const size_t seen = len < limits->head_bytes ? len : limits->head_bytes;

	while (h->bytes == 0) {
		const bool in_line = h->state < S_FIELD;
		const size_t room =
		    in_line && seen > limits->line_bytes ? limits->line_bytes : seen;
		int r;

		/* Limits bind by position, so a cut elsewhere cannot change the verdict. */
		if (h->pos >= room) {
			if (in_line && h->pos >= limits->line_bytes)
				return 414;
			return h->pos >= limits->head_bytes ? 431 : HEAD_MORE;
		}
		r = head_step(h, data, room, limits);
		if (r != 0)
			return r;
	}
	{
		const int r = head_finish(h, data);

		return r == 0 ? HEAD_DONE : r;
	}
}
