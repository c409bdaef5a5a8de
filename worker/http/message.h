/*
 * message.h - one request and one answer, whatever protocol carried them.
 * Runs as: worker, no rights.
 * Trusts:  nothing: a request is what a peer said, checked for form but not for sense.
 * Owns:    a request borrows the bytes it was parsed from; an answer owns what its release() frees.
 * Calls:   nothing. Knows no connection, no framing, no event loop: HTTP/1.1 fills a request from
 *          its head parser (head.h), another protocol would fill it from its own.
 * Tests:   tests/unit/test_http_head.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_OPTIONS,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_PATCH,
	METHOD_TRACE,
	METHOD_CONNECT,
	METHOD_OTHER, /* a well-formed token that we do not know: 501 */
	METHOD_END,
};

/* The fields we look at ourselves; field.c has their names, grouped by length. */
enum field {
	FIELD_TE,
	FIELD_HOST,
	FIELD_RANGE,
	FIELD_ACCEPT,
	FIELD_COOKIE,
	FIELD_EXPECT,
	FIELD_REFERER,
	FIELD_UPGRADE,
	FIELD_IF_MATCH,
	FIELD_IF_RANGE,
	FIELD_CONNECTION,
	FIELD_USER_AGENT,
	FIELD_CONTENT_TYPE,
	FIELD_X_REQUEST_ID,
	FIELD_AUTHORIZATION,
	FIELD_IF_NONE_MATCH,
	FIELD_CONTENT_LENGTH,
	FIELD_ACCEPT_ENCODING,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_TRANSFER_ENCODING,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_END,
};

/* Bytes of a head, by offset: the buffer under them may move while the head is still coming in. */
struct piece16 {
	uint16_t off;
	uint16_t len;
};

/* Who asks: a v4 address is v4-mapped; all zero for a unix socket. */
struct peer {
	uint8_t addr[16];
	uint16_t port;
};

#define IDENTITY_SUBJECT_MAX 1024

/* What a TLS handshake has settled of a client. */
struct identity {
	unsigned group; /* of sites with one policy for client certificates, by the host it named */
	char *subject; /* of its certificate, RFC 4514, ASCII only; NULL: none was given */
};

struct request {
	const struct peer *peer; /* NULL in tests */
	const struct identity *identity; /* NULL without TLS */
	const char *base; /* what the offsets count from */
	struct piece16 method_text;
	struct piece16 target; /* as it was sent */
	struct piece16 fields_block; /* all field lines, "name: value CRLF" each */
	uint32_t present; /* bit per enum field */
	uint32_t repeated; /* bit per enum field: more than one line */
	uint16_t n_fields;
	uint16_t host_len; /* of the Host field's value, without the port */
	uint8_t method; /* enum method */
	uint8_t minor; /* HTTP/1.minor; 1 for every later protocol */
	uint8_t role; /* enum role (listener.h) of the socket it came by */
	bool secure; /* came over TLS */
	/* From the target, by target_split() and path_normalise(). */
	struct span host; /* without port; lower case not guaranteed; may be empty */
	struct span query; /* after '?', or empty */
	struct span path; /* decoded, dot segments gone, begins with '/', NUL follows */
	uint64_t content_length; /* what the peer announced; 0 for chunked */
	bool has_body; /* sized and not 0, or chunked */
	struct piece16 field[FIELD_END]; /* first line of each that request_has(), else undefined */
};

static inline bool
request_has(const struct request *r, enum field f)
{
	return (r->present >> f) & 1;
}

static inline struct span
request_piece(const struct request *r, struct piece16 p)
{
	return (struct span){ r->base + p.off, p.len };
}

/* The first line of a field without blanks around it; empty when there is none. */
static inline struct span
request_field(const struct request *r, enum field f)
{
	return request_has(r, f) ? request_piece(r, r->field[f]) : (struct span){ "", 0 };
}

/*
 * request_next - walk all lines of one field, first to last.
 * @pos: 0 before the first call
 * Return: false when there are no more.
 */
bool request_next(const struct request *r, enum field f, size_t *pos, struct span *ret_value);

/* A stretch of a body: bytes in memory (mem set) or of the answer's file. */
struct stretch {
	const char *mem;
	uint64_t off; /* in the file */
	uint64_t len;
};

#define ANSWER_FIELDS_MAX 4096

struct answer {
	uint16_t status;
	bool close; /* the protocol should end the connection after this */
	bool no_length; /* 1xx, 204, 304: no Content-Length of ours */
	bool head_only; /* announce the length, send no body */
	bool no_server; /* leave the Server field out */
	const char *user; /* that authentication found; lives with the configuration */
	uint64_t length; /* of the body, all stretches together */
	struct span block; /* ready-made field lines, owned by `owner`; may be empty */
	/*
	 * For HTTP/1.1, when the body is all that block describes: so many bytes right behind block
	 * are its Content-Length and the empty line, and what follows is the body if `one` has it in
	 * memory. Or 0.
	 */
	uint16_t block_end;
	int fd; /* what stretches without mem are read from; owned by `owner` */
	unsigned n_body;
	void *owner; /* keeps block, fd and memory stretches alive until answer_done() */
	void (*release)(void *owner);
	void *many; /* free()d by answer_done(); holds stretches and their texts */
	struct stretch *body; /* n_body of them; points at `one`, or into `many` */
	struct stretch one; /* undefined while n_body is 0 */
	struct buf fields; /* further lines, built for this answer, in `field_bytes` */
	char field_bytes[ANSWER_FIELDS_MAX];
};

/* An empty answer. Does not touch field_bytes beyond its first byte. */
void answer_init(struct answer *a);

/* Gives back what the answer keeps alive; safe twice. */
void answer_done(struct answer *a);

/* One more field line. A value with a control byte in it is dropped, not sent. */
void answer_field(struct answer *a, const char *name, struct span value);
