/*
 * fdpass.h - one datagram with descriptors over a unix socket (unix(7), SCM_RIGHTS, cmsg(3)).
 * Runs as: every process of ours, root included. Allocates nothing.
 * Trusts:  nobody: whatever the peer sends, no descriptor is left open that the caller did not
 *          ask for, and each received one is close-on-exec from birth.
 * Tests:   tests/unit/test_fdpass.c
 */
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/cleanup.h"

/* The kernel takes at most this many per message (SCM_MAX_FD). */
#define FDPASS_MAX 253

/*
 * fdpass_send - one message, all of it or nothing.
 * @fds: borrowed; may be NULL when n_fds is 0
 * Return: 0 or -errno (-EAGAIN on a full non-blocking socket). SIGPIPE is never raised.
 */
_must_check_ int fdpass_send(
    int sock, const void *message, size_t len, const int *fds, size_t n_fds);

/*
 * fdpass_discard - close a descriptor that somebody else sent, without waiting: a socket may have
 * been given a long SO_LINGER, and closing it would then be the sender's way to stop us.
 */
void fdpass_discard(int fd);

struct fdpass_msg {
	size_t len; /* bytes received; 0 with -ESHUTDOWN only */
	size_t n_fds; /* how many of the caller's array were filled */
	struct ucred cred; /* pid 0 when the kernel sent none (SO_PASSCRED not set) */
};

/*
 * fdpass_recv - one message.
 * @max:     room for the message; a longer one is -EMSGSIZE
 * @fds:     filled, owned by the caller; more than max_fds of them is -E2BIG
 * Return: 0; -EAGAIN; -ESHUTDOWN when the peer has closed; or -errno. On any error every
 *         descriptor that arrived is closed. A cut message is consumed, so the next one is whole.
 */
_must_check_ int fdpass_recv(
    int sock, void *message, size_t max, int *fds, size_t max_fds, struct fdpass_msg *ret);
