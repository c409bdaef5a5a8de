/*
 * probe_options.c - every socket option that a [Socket] directive sets or that an activator could
 *                   leave behind, as one table.
 * Runs as: see probe.h.
 */
#include "tests/activation/probe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <linux/netlink.h>

/* Younger than Debian 12's headers. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

enum option_form {
	OPTION_INT,
	OPTION_TEXT,
	OPTION_PAIR, /* two numbers: struct linger, struct timeval of 64 bits each */
	OPTION_WIDE,
};

/* Sorted by name: the record is. An option that the socket does not know is left out. */
static const struct {
	const char *name;
	int level, option;
	enum option_form form;
} socket_options[] = {
	{ "IPV6_FREEBIND", IPPROTO_IPV6, 78, OPTION_INT },
	{ "IPV6_RECVPKTINFO", IPPROTO_IPV6, IPV6_RECVPKTINFO, OPTION_INT },
	{ "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, OPTION_INT },
	{ "IPV6_TRANSPARENT", IPPROTO_IPV6, 75, OPTION_INT },
	{ "IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, OPTION_INT },
	{ "IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, OPTION_INT },
	{ "IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, OPTION_INT },
	{ "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, OPTION_INT },
	{ "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, OPTION_INT },
	{ "IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, OPTION_INT },
	{ "IP_TOS", IPPROTO_IP, IP_TOS, OPTION_INT },
	{ "IP_TRANSPARENT", IPPROTO_IP, IP_TRANSPARENT, OPTION_INT },
	{ "IP_TTL", IPPROTO_IP, IP_TTL, OPTION_INT },
	{ "NETLINK_PKTINFO", SOL_NETLINK, NETLINK_PKTINFO, OPTION_INT },
	{ "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, OPTION_INT },
	{ "SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, OPTION_TEXT },
	{ "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, OPTION_INT },
	{ "SO_BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL, OPTION_INT },
	{ "SO_DEBUG", SOL_SOCKET, SO_DEBUG, OPTION_INT },
	{ "SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, OPTION_INT },
	{ "SO_ERROR", SOL_SOCKET, SO_ERROR, OPTION_INT },
	{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, OPTION_INT },
	{ "SO_LINGER", SOL_SOCKET, SO_LINGER, OPTION_PAIR },
	{ "SO_MARK", SOL_SOCKET, SO_MARK, OPTION_INT },
	{ "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, OPTION_INT },
	{ "SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, OPTION_INT },
	{ "SO_PASSPIDFD", SOL_SOCKET, SO_PASSPIDFD, OPTION_INT },
	{ "SO_PASSRIGHTS", SOL_SOCKET, SO_PASSRIGHTS, OPTION_INT },
	{ "SO_PASSSEC", SOL_SOCKET, SO_PASSSEC, OPTION_INT },
	{ "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, OPTION_INT },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, OPTION_INT },
	{ "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, OPTION_INT },
	{ "SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, OPTION_WIDE },
	{ "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, OPTION_INT },
	{ "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, OPTION_INT },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, OPTION_INT },
	{ "SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, OPTION_WIDE },
	{ "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, OPTION_INT },
	{ "SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, OPTION_INT },
	{ "TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, OPTION_TEXT },
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, OPTION_INT },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, OPTION_INT },
	{ "TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, OPTION_INT },
	{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, OPTION_INT },
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, OPTION_INT },
	{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, OPTION_INT },
	{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, OPTION_INT },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, OPTION_INT },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, OPTION_INT },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, OPTION_INT },
};

/* Levels are shared between families: an IPv4 option asked of a unix socket may mean another. */
static bool
option_applies(int level, int family, int protocol)
{
	switch (level) {
	case SOL_SOCKET:
		return true;
	case IPPROTO_IP:
		return family == AF_INET || family == AF_INET6;
	case IPPROTO_IPV6:
		return family == AF_INET6;
	case IPPROTO_TCP:
		return protocol == IPPROTO_TCP || protocol == 262 /* IPPROTO_MPTCP */;
	case SOL_NETLINK:
		return family == AF_NETLINK;
	default:
		return false;
	}
}

static void
option_write(struct json *j, const char *name, enum option_form form, const void *value)
{
	const int *words = value;
	const int64_t *wide = value;

	switch (form) {
	case OPTION_INT:
		json_i64(j, name, words[0]);
		break;
	case OPTION_TEXT:
		json_str(j, name, value);
		break;
	case OPTION_PAIR:
	case OPTION_WIDE:
		json_open_array(j, name);
		json_i64(j, NULL, form == OPTION_PAIR ? words[0] : wide[0]);
		json_i64(j, NULL, form == OPTION_PAIR ? words[1] : wide[1]);
		json_close(j);
		break;
	}
}

void
probe_socket_options(struct json *j, const char *key, int fd)
{
	int family = 0, protocol = 0;
	socklen_t len = sizeof(int);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	json_open_object(j, key);
	for (size_t i = 0; i < ELEMENTSOF(socket_options); i++) {
		union {
			char text[64];
			int64_t wide[2];
		} value = { { 0 } };

		len = sizeof(value) - 1;
		if (option_applies(socket_options[i].level, family, protocol) &&
		    getsockopt(
			fd, socket_options[i].level, socket_options[i].option, &value, &len) == 0)
			option_write(j, socket_options[i].name, socket_options[i].form, &value);
	}
	json_close(j);
}
