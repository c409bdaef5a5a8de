/*
 * listener.c - see listener.h.
 * Runs as: manager.
 */
#include "launcher/manager/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define FLUSH_MAX 4096

/* Return: false when there is no more. */
static bool
flush_one(const struct listener *l)
{
	char bytes[4096];
	int fd = -EBADF;

	switch (l->listen->kind) {
	case LISTEN_STREAM:
	case LISTEN_SEQPACKET:
		fd = accept4(l->watch.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return errno == ECONNABORTED || errno == EINTR;
		(void)fd_close(fd);
		return true;
	case LISTEN_DGRAM:
	case LISTEN_FIFO:
	case LISTEN_NETLINK:
	case LISTEN_MESSAGE_QUEUE:
	case LISTEN_SPECIAL:
		return read(l->watch.fd, bytes, sizeof(bytes)) > 0;
	case LISTEN_KIND_END:
		break;
	}
	return false;
}

void
listener_flush(const struct listener *l)
{
	/* The service had it, and blocking, unless NonBlocking=; with that one it still is not, and
	 * whoever is started next gets what its unit says. */
	if (fcntl(l->watch.fd, F_SETFL, O_NONBLOCK) < 0)
		return;
	for (unsigned i = 0; i < FLUSH_MAX && flush_one(l); i++)
		continue;
}

bool
listener_can_shut(const struct listener *l, const struct plan_socket *s)
{
	const sa_family_t family = l->listen->addr.sa.sa_family;

	return l->listen->kind == LISTEN_STREAM && (family == AF_INET || family == AF_INET6) &&
	       s->protocol != IPPROTO_SCTP;
}

void
listener_shut(const struct listener *l)
{
	(void)shutdown(l->watch.fd, SHUT_RD); /* fails only where it is shut already */
}

int
listener_reopen(const struct listener *l, const struct plan_socket *s)
{
	const int backlog = s->backlog > INT32_MAX ? INT32_MAX : (int)s->backlog;

	return listen(l->watch.fd, backlog) < 0 ? -errno : 0;
}
