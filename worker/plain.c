/*
 * plain.c - the transport that adds nothing: a stream socket.
 * Runs as: worker, no rights.
 * Owns:    the descriptor.
 * Tests:   tests/http/test_http_basic.py
 */
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "worker/transport.h"

static ssize_t
plain_read(struct transport *t, void *dst, size_t len)
{
	ssize_t n;

	do
		n = recv(t->fd, dst, len, 0);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	t->want = WANT_READ;
	return -errno;
}

static ssize_t
plain_sendmsg(int fd, const struct iovec *iov, int n, int flags)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)n };

	return sendmsg(fd, &msg, flags);
}

static ssize_t
plain_writev(struct transport *t, const struct iovec *iov, int n, bool more)
{
	const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	ssize_t sent;

	do
		sent = n == 1 ? send(t->fd, iov->iov_base, iov->iov_len, flags)
			      : plain_sendmsg(t->fd, iov, n, flags);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	t->want = WANT_WRITE;
	return -errno;
}

static ssize_t
plain_sendfile(struct transport *t, int fd, off_t *off, size_t len)
{
	ssize_t n;

	do
		n = sendfile(t->fd, fd, off, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	t->want = WANT_WRITE;
	return -errno;
}

static void
plain_finish(struct transport *t)
{
	(void)shutdown(t->fd, SHUT_WR); /* the peer may be gone already */
}

static void
plain_close(struct transport *t)
{
	t->fd = fd_close(t->fd);
}

static const struct transport_ops plain_ops = {
	.name = "plain",
	.read = plain_read,
	.writev = plain_writev,
	.sendfile = plain_sendfile,
	.finish = plain_finish,
	.close = plain_close,
};

static int
plain_take(void *context, int fd, struct transport *t)
{
	(void)context;
	*t = (struct transport){ .ops = &plain_ops, .fd = fd };
	return 0;
}

const struct transport_factory plain_factory = { .take = plain_take };
