/*
 * conn_work.h - what a connection takes into the shared work space and out of it again. For conn.c
 * alone.
 * Runs as: worker, no rights.
 * Owns:    struct held: one allocation of just the size of what is half done, so that an idle
 *          connection costs no buffer and a slow one costs no more than it has sent.
 * Tests:   tests/unit/test_conn.c
 */
#pragma once

#include <assert.h>

#include "worker/conn.h"

enum conn_state {
	C_HANDSHAKE,
	C_HEAD,
	C_BODY,
	C_SEND,
	C_FINISH, /* send what is in out, then say that it was the last */
	C_LINGER,
};

/* So many bytes came or went: for the minimum rate. */
static inline void
conn_moved(struct conn *c, ssize_t bytes)
{
	if (c->timed)
		c->rate_bytes += (uint64_t)bytes;
}

/* The work space becomes c's: what it held, or empty. */
void work_load(struct conn *c);

/* c waits: put away what it has not finished. Return: 0, or -ENOMEM: it cannot go on. */
_must_check_ int work_store(struct conn *c);

/* c ends: free what it held. */
void work_drop(struct conn *c);

/*
 * In one turn of the loop at most, head and all, so that others get theirs. The larger it is, the longer
 * the kernel has the socket locked, and does for us what the receiver's acknowledgements would have it
 * do elsewhere: 1 MB at a time costs a fifth more than 256 KB. And a little less than four segments of
 * the largest size, 64 KB with their headers: at 256 KB some bytes are left over each time and go alone,
 * on loopback 240 segments for 10 MB instead of 174, which costs a quarter more.
 */
#define CONN_TURN_BYTES (240u * 1024)
static_assert(CONN_OUT_BYTES < CONN_TURN_BYTES, "what is in out leaves room");

/* So much is copied, or read, behind its head sooner than head and body are sent apart. */
#define CONN_COPY_BYTES 16384u

/*
 * conn_copy - the whole stretch into out behind the head, if that costs less than a system call of
 * its own. Return: false when it is too large, or the file is not what it was.
 */
_must_check_ bool conn_copy(struct conn_env *w, const struct stretch *s);

/* Sends what is in out. @more: more follows at once. Return: 0 when all is gone, WANT_ bits, or
 * CONN_OVER. */
_must_check_ int conn_flush(struct conn *c, bool more);

/* One write of a stretch that is in memory, what is left in out in front of it. Return: bytes of
 * both, or -errno. */
_must_check_ ssize_t conn_send_memory(struct conn *c, struct stretch *s, bool more);

/* One write of a stretch of the answer's file, most bytes of it at most; out is empty, or gets filled
 * when the transport has no sendfile. Return: bytes, or -errno; -EIO when the file has shrunk. */
_must_check_ ssize_t conn_send_file(struct conn *c, struct stretch *s, uint64_t most);
