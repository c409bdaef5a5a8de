/*
 * wire.h - an answer's head as HTTP/1.1 bytes.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_conn.c, tests/http/test_http_basic.py
 */
#pragma once

#include "worker/http/httpdate.h"
#include "worker/http/message.h"

#define SERVER_LINE "Server: sallyport\r\n"
#define DATELINE_BYTES (6 + HTTPDATE_BYTES + 2) /* "Date: ...CRLF" */

/* "Date: ...CRLF", made once a second, and behind it the line that mostly follows. */
struct dateline {
	int64_t second;
	char text[DATELINE_BYTES + sizeof(SERVER_LINE)];
};

/* Renews it when the second has changed. */
void dateline_set(struct dateline *d, int64_t second);

/* What wire_head() may write at most, for an answer whose block has block_len bytes. */
#define WIRE_HEAD_MAX(block_len) (512u + ANSWER_FIELDS_MAX + (block_len))

/*
 * wire_head - status line, fields, empty line. dst has room for WIRE_HEAD_MAX() and body.
 * @minor: of the request; an HTTP/1.0 client that asked for keep-alive is told that it got it
 * @close: the connection ends after this answer
 * @body:  so many bytes of the body too, which lie behind a->block_end; 0 if that is 0
 * Return: bytes written.
 */
size_t wire_head(const struct answer *a, unsigned minor, bool close, const struct dateline *date,
    char *dst, size_t body);
