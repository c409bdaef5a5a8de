/*
 * transport.h - the seam between a connection and what carries its bytes: TCP or unix socket as it
 * is (plain.c), or TLS on it (tls/).
 * Runs as: worker, no rights.
 * Trusts:  a transport is our code; the bytes it returns are a peer's.
 * Owns:    after open the transport owns the descriptor and its own state, until close.
 * Tests:   tests/http/test_http_basic.py; every other transport by the same suite
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/cleanup.h"

/* What a connection, or a transport in the middle of a handshake, waits for. */
enum {
	WANT_NOTHING = 0, /* only transport.wake() goes on: a signature is under way */
	WANT_READ = 1,
	WANT_WRITE = 2,
};

struct transport;
struct identity; /* worker/http/message.h */

struct transport_ops {
	const char *name;
	bool secure; /* TLS: what came over it may be told so */
	/*
	 * handshake - go on with it; NULL when there is none.
	 * Return: 0 when done; -EAGAIN, with t->want set; another -errno: give up.
	 */
	int (*handshake)(struct transport *t);
	/* Return: bytes; 0 at the end; -EAGAIN, with t->want set (usually WANT_READ); -errno. */
	ssize_t (*read)(struct transport *t, void *dst, size_t len);
	/*
	 * writev - write some of it.
	 * @more: more follows at once (MSG_MORE); a hint
	 * Return: bytes, perhaps fewer than asked for; -EAGAIN, with t->want set (usually
	 *         WANT_WRITE): the caller comes again with the same bytes, at another address
	 *         perhaps; -errno.
	 */
	ssize_t (*writev)(struct transport *t, const struct iovec *iov, int n, bool more);
	/* From a file; NULL when bytes must pass through us. As writev; 0 at the file's end. */
	ssize_t (*sendfile)(struct transport *t, int fd, off_t *off, size_t len);
	/* True when read() would return bytes that the kernel's poll does not know of; or NULL. */
	bool (*pending)(struct transport *t);
	/* No more will be written: FIN, or close_notify and FIN. Failures do not matter. */
	void (*finish)(struct transport *t);
	/*
	 * close - the end; t may be freed as soon as it returns, so what must outlive it (a paused
	 * job) belongs to state of the transport's own.
	 */
	void (*close)(struct transport *t);
	/* Who the peer has proved to be, after the handshake; NULL when it cannot prove anything. */
	const struct identity *(*identity)(const struct transport *t);
};

struct transport {
	const struct transport_ops *ops;
	int fd;
	int want; /* valid after -EAGAIN */
	void *state; /* the transport's own */
	void (*wake)(struct transport *t); /* set by the connection: step it again, not from
					      inside one of the calls above */
};

/*
 * transport_factory - how connections of one listener get their transport.
 * @take: take ownership of fd and fill t; on failure fd is closed. Return: 0 or -errno.
 */
struct transport_factory {
	int (*take)(void *context, int fd, struct transport *t);
	void *context;
};

/* Bytes as they are. context is not used. */
extern const struct transport_factory plain_factory;
