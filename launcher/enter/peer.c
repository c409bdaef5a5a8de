/*
 * peer.c - see peer.h.
 */
#include "launcher/enter/peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static void
name_v4(struct peer *p, const struct in_addr *addr, in_port_t port)
{
	(void)inet_ntop(AF_INET, addr, p->address, sizeof(p->address)); /* there is room */
	(void)num_format(p->port, ntohs(port));
}

static void
name_v6(struct peer *p, const struct sockaddr_in6 *in6)
{
	struct in_addr v4;
	struct buf b;
	char device[IF_NAMESIZE];

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(&v4, &in6->sin6_addr.s6_addr[12], sizeof(v4));
		name_v4(p, &v4, in6->sin6_port);
		return;
	}
	(void)inet_ntop(AF_INET6, &in6->sin6_addr, p->address, INET6_ADDRSTRLEN);
	(void)num_format(p->port, ntohs(in6->sin6_port));
	if (in6->sin6_scope_id == 0 || !if_indextoname(in6->sin6_scope_id, device))
		return;
	buf_init(&b, p->address + strlen(p->address), sizeof(p->address) - strlen(p->address));
	(void)buf_putc(&b, '%');
	(void)buf_puts(&b, device);
}

static void
name_unix(struct peer *p, const struct sockaddr_un *un, socklen_t len)
{
	const size_t n = len - offsetof(struct sockaddr_un, sun_path);
	const bool abstract = n > 1 && un->sun_path[0] == '\0';
	struct buf b;

	if (len <= offsetof(struct sockaddr_un, sun_path) || n == 0)
		return;
	buf_init(&b, p->address, sizeof(p->address));
	if (abstract)
		(void)buf_putc(&b, '@');
	(void)buf_put(&b, un->sun_path + abstract,
	    abstract ? n - 1 : strnlen(un->sun_path, n)); /* shorter than the buffer */
}

void
peer_name(int fd, struct peer *ret)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} a;
	socklen_t len = sizeof(a);

	*ret = (struct peer){ "", "" };
	if (getpeername(fd, &a.sa, &len) < 0)
		return;
	switch (a.sa.sa_family) {
	case AF_INET:
		name_v4(ret, &a.in.sin_addr, a.in.sin_port);
		break;
	case AF_INET6:
		name_v6(ret, &a.in6);
		break;
	case AF_UNIX:
		name_unix(ret, &a.un, len);
		break;
	default:
		break;
	}
}
