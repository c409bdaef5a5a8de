/*
 * access_log.h - one line for each answer, without root and without ever waiting.
 * Runs as: worker, no rights.
 * Trusts:  nothing that a request says: control bytes, quotes and backslashes are escaped, so that
 *          a line is one line and a field one field.
 * Owns:    its descriptor and one buffer. What a full buffer cannot take is counted and dropped.
 * Tests:   tests/http/test_http_log.py
 */
#pragma once

#include "common/why.h"
#include "worker/http/message.h"

struct access_log;

/* An answer that is over. */
struct exchange {
	const struct request *r; /* may be a broken one: then its target is empty */
	const struct peer *peer;
	const char *user; /* that authentication found, or NULL */
	uint64_t id;
	unsigned status;
	uint64_t body_bytes; /* given to the kernel */
	uint64_t usec; /* from the end of the request to the last byte, in turns of the loop */
	uint64_t wall_usec; /* when it was over */
};

/*
 * access_log_new - open the target.
 * @target: "stdout", "syslog", "unix:PATH", "fd:N", a path; "off" gives NULL
 * @format: "common", "combined", "json", or a text with the letters of sallyport-httpd.conf(5)
 */
_must_check_ int access_log_new(
    const char *target, const char *format, struct access_log **ret, struct why *why);
void access_log_free(struct access_log *l); /* after a last flush */

/* Appends a line. l may be NULL. */
void access_log_line(struct access_log *l, const struct exchange *x);

/* Writes what is there, as far as it goes at once. */
void access_log_flush(struct access_log *l);

/* Opens a file's path again, and connects a socket again. The old one stays if that fails. */
_must_check_ int access_log_reopen(struct access_log *l, struct why *why);

/* Lines that were dropped so far. */
uint64_t access_log_dropped(const struct access_log *l);

/* The line of an exchange in a format: for tests. */
void access_log_format(const char *format, const struct exchange *x, struct buf *out);
