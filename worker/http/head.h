/*
 * head.h - the head of an HTTP/1.x request, read as its bytes come in (RFC 9112, strictly).
 * Runs as: worker, no rights; the first code that foreign bytes meet.
 * Trusts:  nothing. Allocates nothing, keeps no pointer, calls no system call.
 * Owns:    struct head; the bytes stay the caller's and may move between calls.
 * Tests:   tests/unit/test_http_head.c, tests/fuzz/fuzz_http_request.c
 *
 * What is stricter than RFC 9112 demands: no bare LF, one empty line at most before a request, no
 * blank around the request line's two blanks, no tab beside the value of a framing field, no second line of a field that must be single, no
 * Transfer-Encoding but "chunked", no Transfer-Encoding in HTTP/1.0 or beside Content-Length.
 */
#pragma once

#include "worker/http/message.h"

struct head_limits {
	uint16_t line_bytes; /* of the request line: 414 beyond */
	uint16_t head_bytes; /* of the whole head: 431 beyond; at most 65000 */
	uint16_t fields; /* count of field lines: 431 beyond */
};

struct head {
	uint16_t bytes; /* length of the head, the last CRLF included */
	bool chunked;
	bool has_length;
	bool close; /* the connection must end after this exchange */
	bool expect_continue;
	/* Where the parser is. */
	uint8_t state;
	uint16_t pos; /* bytes looked at */
	uint16_t mark; /* first byte of what is being read */
	uint8_t known; /* enum field of the line */
	bool asked_close, asked_keep, seen_te_bad, seen_te_other;
	bool expect_other;
	struct request req; /* valid after HEAD_DONE; base is set then */
};

enum { HEAD_MORE = 0, HEAD_DONE = 1 };

/* Before the first byte of each head. */
void head_init(struct head *h);

/*
 * head_parse - go on with a head.
 * @data, len: everything since the head's first byte, what was looked at before included
 * Return: HEAD_MORE, HEAD_DONE, or the status to answer with (400, 414, 417, 431, 501, 505) after
 *         which the connection must be closed. The verdict does not depend on how the bytes were
 *         split over calls.
 */
int head_parse(struct head *h, const char *data, size_t len, const struct head_limits *limits);
