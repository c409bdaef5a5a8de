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

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

static void
name_addr(struct peer *p, const union any_addr *a, socklen_t len)
{
	*p = (struct peer){ "", "" };
	if (a->sa.sa_family == AF_INET)
		name_v4(p, &a->in.sin_addr, a->in.sin_port);
	else if (a->sa.sa_family == AF_INET6)
		name_v6(p, &a->in6);
	else if (a->sa.sa_family == AF_UNIX)
		name_unix(p, &a->un, len);
}

void
peer_name(int fd, struct peer *ret)
{
	union any_addr a;
	socklen_t len = sizeof(a);

	*ret = (struct peer){ "", "" };
	if (getpeername(fd, &a.sa, &len) == 0)
		name_addr(ret, &a, len);
}

static void
put_number(struct buf *out, uint64_t v)
{
	char text[NUM_TEXT_MAX];

	(void)buf_puts(out, num_format(text, v));
}

/* "-addr:port"; the scope of a link-local address is not part of a unit's name. */
static void
put_end(struct buf *out, const struct peer *p)
{
	(void)buf_putc(out, '-');
	(void)buf_put(out, p->address, strcspn(p->address, "%"));
	(void)buf_putc(out, ':');
	(void)buf_puts(out, p->port);
}

static void
put_unix_peer(struct buf *out, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.pid <= 0) {
		(void)buf_puts(out, "-unknown");
		return;
	}
	(void)buf_putc(out, '-');
	put_number(out, (uint64_t)who.pid);
	(void)buf_putc(out, '-');
	put_number(out, who.uid);
}

void
peer_instance(int fd, uint64_t number, struct buf *out)
{
	union any_addr a;
	socklen_t len = sizeof(a);
	struct peer local = { "", "" }, remote;

	put_number(out, number);
	if (getsockname(fd, &a.sa, &len) == 0 && a.sa.sa_family == AF_UNIX) {
		put_unix_peer(out, fd);
		return;
	}
	name_addr(&local, &a, len);
	peer_name(fd, &remote);
	if (!local.port[0] || !remote.port[0]) {
		(void)buf_puts(out, "-unknown");
		return;
	}
	put_end(out, &local);
	put_end(out, &remote);
}
