/*
 * flush.c - see flush.h.
 * Runs as: manager.
 */
#include "launcher/manager/flush.h"

#include <fcntl.h>
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
flush_listener(const struct listener *l)
{
	/* The service had it, and blocking, unless NonBlocking=; with that one it still is not, and
	 * whoever is started next gets what its unit says. */
	if (fcntl(l->watch.fd, F_SETFL, O_NONBLOCK) < 0)
		return;
	for (unsigned i = 0; i < FLUSH_MAX && flush_one(l); i++)
		continue;
}
