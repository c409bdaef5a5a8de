/*
 * field.c - see field.h.
 */
#include "worker/http/field.h"

#include <assert.h>

#define T CHAR_TOKEN
#define V CHAR_VALUE
#define G CHAR_TARGET
#define H CHAR_HOST
#define D (CHAR_DIGIT | CHAR_HEX)
#define X CHAR_HEX

/*
 * Targets: every VCHAR but '"', '<', '>' and '#'. RFC 3986 would also forbid '\', '^', '`', '{',
 * '|' and '}', but browsers send those raw in queries (WHATWG URL); a backslash in a path is
 * refused later, by path_normalise().
 */
const uint8_t char_class[256] = {
	['\t'] = V,
	[' '] = V,
	['!'] = T | V | G | H,
	['"'] = V,
	['#'] = T | V,
	['$'] = T | V | G | H,
	['%'] = T | V | G,
	['&'] = T | V | G | H,
	['\''] = T | V | G | H,
	['('] = V | G | H,
	[')'] = V | G | H,
	['*'] = T | V | G | H,
	['+'] = T | V | G | H,
	[','] = V | G | H,
	['-'] = T | V | G | H,
	['.'] = T | V | G | H,
	['/'] = V | G,
	['0' ... '9'] = T | V | G | H | D,
	[':'] = V | G,
	[';'] = V | G | H,
	['<'] = V,
	['='] = V | G | H,
	['>'] = V,
	['?'] = V | G,
	['@'] = V | G,
	['A' ... 'F'] = T | V | G | H | X,
	['G' ... 'Z'] = T | V | G | H,
	['['] = V | G,
	['\\'] = V | G,
	[']'] = V | G,
	['^'] = T | V | G,
	['_'] = T | V | G | H,
	['`'] = T | V | G,
	['a' ... 'f'] = T | V | G | H | X,
	['g' ... 'z'] = T | V | G | H,
	['{'] = V | G,
	['|'] = T | V | G,
	['}'] = V | G,
	['~'] = T | V | G | H,
	[0x80 ... 0xff] = V,
};

struct field_row {
	const char *name; /* lower case */
	uint8_t len;
	bool single;
};

#define FIELD_ROW(text, single) \
	{ \
		text, sizeof(text) - 1, single \
	}

/* In order of length, so that a lookup compares with the few names of its own length only. */
static const struct field_row field_rows[] = {
	[FIELD_TE] = FIELD_ROW("te", false),
	[FIELD_HOST] = FIELD_ROW("host", true),
	[FIELD_RANGE] = FIELD_ROW("range", true),
	[FIELD_ACCEPT] = FIELD_ROW("accept", false),
	[FIELD_COOKIE] = FIELD_ROW("cookie", false),
	[FIELD_EXPECT] = FIELD_ROW("expect", true),
	[FIELD_REFERER] = FIELD_ROW("referer", false),
	[FIELD_UPGRADE] = FIELD_ROW("upgrade", false),
	[FIELD_IF_MATCH] = FIELD_ROW("if-match", false),
	[FIELD_IF_RANGE] = FIELD_ROW("if-range", true),
	[FIELD_CONNECTION] = FIELD_ROW("connection", false),
	[FIELD_USER_AGENT] = FIELD_ROW("user-agent", false),
	[FIELD_CONTENT_TYPE] = FIELD_ROW("content-type", true),
	[FIELD_X_REQUEST_ID] = FIELD_ROW("x-request-id", false),
	[FIELD_AUTHORIZATION] = FIELD_ROW("authorization", true),
	[FIELD_IF_NONE_MATCH] = FIELD_ROW("if-none-match", false),
	[FIELD_CONTENT_LENGTH] = FIELD_ROW("content-length", true),
	[FIELD_ACCEPT_ENCODING] = FIELD_ROW("accept-encoding", false),
	[FIELD_IF_MODIFIED_SINCE] = FIELD_ROW("if-modified-since", true),
	[FIELD_TRANSFER_ENCODING] = FIELD_ROW("transfer-encoding", true),
	[FIELD_IF_UNMODIFIED_SINCE] = FIELD_ROW("if-unmodified-since", true),
};
static_assert(ELEMENTSOF(field_rows) == FIELD_END, "one row per field");
static_assert(FIELD_END <= 32, "struct request keeps one bit per field");

#define FIELD_LEN_MAX 19

/* First row of each length; the unit test checks it against the rows. */
static const uint8_t field_first[FIELD_LEN_MAX + 2] = {
	[0] = FIELD_TE,
	[1] = FIELD_TE,
	[2] = FIELD_TE,
	[3] = FIELD_HOST,
	[4] = FIELD_HOST,
	[5] = FIELD_RANGE,
	[6] = FIELD_ACCEPT,
	[7] = FIELD_REFERER,
	[8] = FIELD_IF_MATCH,
	[9] = FIELD_CONNECTION,
	[10] = FIELD_CONNECTION,
	[11] = FIELD_CONTENT_TYPE,
	[12] = FIELD_CONTENT_TYPE,
	[13] = FIELD_AUTHORIZATION,
	[14] = FIELD_CONTENT_LENGTH,
	[15] = FIELD_ACCEPT_ENCODING,
	[16] = FIELD_IF_MODIFIED_SINCE,
	[17] = FIELD_IF_MODIFIED_SINCE,
	[18] = FIELD_IF_UNMODIFIED_SINCE,
	[19] = FIELD_IF_UNMODIFIED_SINCE,
	[20] = FIELD_END,
};

static bool
bytes_same(const char *bytes, const char *lower, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (char_lower(bytes[i]) != lower[i])
			return false;
	return true;
}

enum field
field_lookup(const char *name, size_t len)
{
	if (len > FIELD_LEN_MAX)
		return FIELD_END;
	for (unsigned f = field_first[len]; f < field_first[len + 1]; f++)
		if (bytes_same(name, field_rows[f].name, len))
			return (enum field)f;
	return FIELD_END;
}

const char *
field_name(enum field f)
{
	return field_rows[f].name;
}

bool
field_is_single(enum field f)
{
	return field_rows[f].single;
}

static const char *const method_names[METHOD_END] = {
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_OPTIONS] = "OPTIONS",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE",
	[METHOD_PATCH] = "PATCH",
	[METHOD_TRACE] = "TRACE",
	[METHOD_CONNECT] = "CONNECT",
	[METHOD_OTHER] = "-",
};

enum method
method_lookup(const char *name, size_t len)
{
	for (unsigned m = 0; m < METHOD_OTHER; m++)
		if (strlen(method_names[m]) == len && memcmp(method_names[m], name, len) == 0)
			return (enum method)m;
	return METHOD_OTHER;
}

const char *
method_name(enum method m)
{
	return method_names[m];
}

#define STATUS_BEGIN "HTTP/1.1 "
#define STATUS_LINE(code, reason) STATUS_BEGIN code " " reason "\r\n"
#define STATUS_ROW(code, reason) \
	[code - 100] = { STATUS_LINE(#code, reason), sizeof(STATUS_LINE(#code, reason)) - 1 }

static const struct span status_rows[500] = {
	STATUS_ROW(100, "Continue"),
	STATUS_ROW(200, "OK"),
	STATUS_ROW(204, "No Content"),
	STATUS_ROW(206, "Partial Content"),
	STATUS_ROW(301, "Moved Permanently"),
	STATUS_ROW(302, "Found"),
	STATUS_ROW(303, "See Other"),
	STATUS_ROW(304, "Not Modified"),
	STATUS_ROW(307, "Temporary Redirect"),
	STATUS_ROW(308, "Permanent Redirect"),
	STATUS_ROW(400, "Bad Request"),
	STATUS_ROW(401, "Unauthorized"),
	STATUS_ROW(403, "Forbidden"),
	STATUS_ROW(404, "Not Found"),
	STATUS_ROW(405, "Method Not Allowed"),
	STATUS_ROW(406, "Not Acceptable"),
	STATUS_ROW(408, "Request Timeout"),
	STATUS_ROW(410, "Gone"),
	STATUS_ROW(412, "Precondition Failed"),
	STATUS_ROW(413, "Content Too Large"),
	STATUS_ROW(414, "URI Too Long"),
	STATUS_ROW(416, "Range Not Satisfiable"),
	STATUS_ROW(417, "Expectation Failed"),
	STATUS_ROW(421, "Misdirected Request"),
	STATUS_ROW(429, "Too Many Requests"),
	STATUS_ROW(431, "Request Header Fields Too Large"),
	STATUS_ROW(451, "Unavailable For Legal Reasons"),
	STATUS_ROW(500, "Internal Server Error"),
	STATUS_ROW(501, "Not Implemented"),
	STATUS_ROW(502, "Bad Gateway"),
	STATUS_ROW(503, "Service Unavailable"),
	STATUS_ROW(504, "Gateway Timeout"),
	STATUS_ROW(505, "HTTP Version Not Supported"),
};

struct span
status_line(unsigned status)
{
	static char other[] = STATUS_LINE("000", "");

	assert(status >= 100 && status < 600); /* ours, never a peer's */
	if (status_rows[status - 100].ptr)
		return status_rows[status - 100];
	(void)snprintf(other, sizeof(other), STATUS_LINE("%03u", ""), status % 1000);
	return (struct span){ other, sizeof(other) - 1 };
}

struct span
status_text(unsigned status)
{
	const struct span line = status_line(status);
	const size_t before = sizeof(STATUS_BEGIN) - 1;

	return (struct span){ line.ptr + before, line.len - before - 2 };
}

bool
span_same(struct span s, const char *lower)
{
	return s.len == strlen(lower) && bytes_same(s.ptr, lower, s.len);
}

struct span
span_trim(struct span s)
{
	while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool
span_word(struct span *rest, struct span *ret)
{
	while (rest->len > 0) {
		struct span word = { rest->ptr, 0 };
		bool quoted = false;

		while (word.len < rest->len && (quoted || rest->ptr[word.len] != ',')) {
			if (quoted && rest->ptr[word.len] == '\\' && word.len + 1 < rest->len)
				word.len++;
			else if (rest->ptr[word.len] == '"')
				quoted = !quoted;
			word.len++;
		}
		rest->ptr += word.len;
		rest->len -= word.len;
		if (rest->len > 0) { /* the comma */
			rest->ptr++;
			rest->len--;
		}
		word = span_trim(word);
		if (word.len > 0) {
			*ret = word;
			return true;
		}
	}
	return false;
}

/*
 * What follows belongs to message.h.
 */
bool
request_next(const struct request *r, enum field f, size_t *pos, struct span *ret_value)
{
	const struct span block = request_piece(r, r->fields_block);

	if (!request_has(r, f))
		return false;
	if (*pos == 0) {
		*pos = (size_t)(r->field[f].off - r->fields_block.off);
		*ret_value = request_field(r, f);
		*pos += r->field[f].len; /* inside its line: the walk below goes on from the LF */
		return true;
	}
	if (!((r->repeated >> f) & 1))
		return false;
	while (*pos < block.len) {
		const char *line = memchr(block.ptr + *pos, '\n', block.len - *pos);
		const char *colon, *end;

		if (!line)
			break;
		line++;
		*pos = (size_t)(line - block.ptr);
		end = memchr(line, '\r', block.len - *pos);
		colon = end ? memchr(line, ':', (size_t)(end - line)) : NULL;
		if (!colon)
			break;
		if (field_lookup(line, (size_t)(colon - line)) == f) {
			*ret_value =
			    span_trim((struct span){ colon + 1, (size_t)(end - colon - 1) });
			return true;
		}
	}
	*pos = block.len;
	return false;
}

void
answer_init(struct answer *a)
{
	memset(a, 0, offsetof(struct answer, one));
	buf_init(&a->fields, a->field_bytes, sizeof(a->field_bytes));
	a->body = &a->one;
	a->block.ptr = "";
	a->fd = -EBADF;
}

void
answer_done(struct answer *a)
{
	if (a->release)
		a->release(a->owner);
	free(a->many);
	a->release = NULL;
	a->owner = a->many = NULL;
	a->n_body = 0;
}

void
answer_field(struct answer *a, const char *name, struct span value)
{
	const size_t before = a->fields.len;

	for (size_t i = 0; i < value.len; i++)
		if (!char_is((unsigned char)value.ptr[i], CHAR_VALUE))
			return;
	(void)buf_puts(&a->fields, name);
	(void)buf_puts(&a->fields, ": ");
	(void)buf_put(&a->fields, value.ptr, value.len);
	if (buf_puts(&a->fields, "\r\n") < 0 || a->fields.failed) {
		a->fields.len = before; /* a line is whole or not there */
		a->fields.failed = false;
	}
}
