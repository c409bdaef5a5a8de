/*
 * fdpass.c - see fdpass.h.
 */
#include "common/fdpass.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

int
fdpass_send(int sock, const void *message, size_t len, const int *fds, size_t n_fds)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { (void *)(uintptr_t)message, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds > FDPASS_MAX)
		return -E2BIG;
	if (n_fds > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control)); /* the kernel sees the padding too */
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

void
fdpass_discard(int fd)
{
	const struct linger none = { 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)); /* if it is one */
	(void)fd_close(fd);
}

/* Walks the control data: keeps what fits, closes the rest. True when all of it fitted. */
static bool
take_control(struct msghdr *m, int *fds, size_t max_fds, struct fdpass_msg *ret)
{
	bool fitted = true;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(ret->cred)))
			memcpy(&ret->cred, CMSG_DATA(c), sizeof(ret->cred));
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (ret->n_fds < max_fds) {
				fds[ret->n_fds++] = fd;
			} else {
				fdpass_discard(fd);
				fitted = false;
			}
		}
	}
	return fitted;
}

static int
fail_closing(int error, const int *fds, size_t n_fds)
{
	for (size_t i = 0; i < n_fds; i++)
		fdpass_discard(fds[i]);
	return error;
}

int
fdpass_recv(int sock, void *message, size_t max, int *fds, size_t max_fds, struct fdpass_msg *ret)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * FDPASS_MAX) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { message, max };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct fdpass_msg got = { 0 };
	ssize_t n;
	bool fitted;

	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	fitted = take_control(&m, fds, max_fds, &got);
	if (n == 0 && got.n_fds == 0)
		return -ESHUTDOWN;
	if (m.msg_flags & MSG_TRUNC)
		return fail_closing(-EMSGSIZE, fds, got.n_fds);
	if (!fitted || (m.msg_flags & MSG_CTRUNC))
		return fail_closing(-E2BIG, fds, got.n_fds);
	got.len = (size_t)n;
	*ret = got;
	return 0;
}
