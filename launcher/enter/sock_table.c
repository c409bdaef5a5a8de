/*
 * sock_table.c - data: the options of sockets that are one number. The order is systemd's.
 * Runs as: nobody; sock_options.c reads it.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "launcher/enter/sock_options.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5; Debian 12's headers are older */
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

const struct sock_option sock_options[] = {
#define FIELD(name) offsetof(struct plan_socket, name)
#define BIND(name, field, families, level, option) \
	{ \
		name, FIELD(field), SOCK_BEFORE_BIND, families, level, option, 0, false \
	}
#define TUNE(name, field, families, level, option) \
	{ \
		name, FIELD(field), SOCK_AFTER_BIND, families, level, option, 0, false \
	}
	/* clang-format off */
	{ "BindIPv6Only", FIELD(bind_ipv6_only), SOCK_BEFORE_BIND, SOCK_V6, IPPROTO_IPV6, IPV6_V6ONLY, 0, true },
	BIND("ReusePort", reuse_port, SOCK_ANY, SOL_SOCKET, SO_REUSEPORT),
	BIND("FreeBind", free_bind, SOCK_V4, IPPROTO_IP, IP_FREEBIND),
	BIND("FreeBind", free_bind, SOCK_V6, IPPROTO_IPV6, IPV6_FREEBIND),
	BIND("Transparent", transparent, SOCK_V4, IPPROTO_IP, IP_TRANSPARENT),
	BIND("Transparent", transparent, SOCK_V6, IPPROTO_IPV6, IPV6_TRANSPARENT),
	TUNE("KeepAlive", keep_alive, SOCK_ANY, SOL_SOCKET, SO_KEEPALIVE),
	TUNE("KeepAliveTimeSec", keep_alive_time, SOCK_IP, IPPROTO_TCP, TCP_KEEPIDLE),
	TUNE("KeepAliveIntervalSec", keep_alive_interval, SOCK_IP, IPPROTO_TCP, TCP_KEEPINTVL),
	TUNE("KeepAliveProbes", keep_alive_probes, SOCK_IP, IPPROTO_TCP, TCP_KEEPCNT),
	TUNE("DeferAcceptSec", defer_accept, SOCK_IP, IPPROTO_TCP, TCP_DEFER_ACCEPT),
	TUNE("Broadcast", broadcast, SOCK_ANY, SOL_SOCKET, SO_BROADCAST),
	TUNE("PassCredentials", pass_credentials, SOCK_UNIX | SOCK_NETLINK, SOL_SOCKET, SO_PASSCRED),
	TUNE("PassPIDFD", pass_pidfd, SOCK_UNIX, SOL_SOCKET, SO_PASSPIDFD),
	TUNE("AcceptFileDescriptors", pass_rights, SOCK_UNIX, SOL_SOCKET, SO_PASSRIGHTS),
	TUNE("PassSecurity", pass_security, SOCK_UNIX | SOCK_NETLINK, SOL_SOCKET, SO_PASSSEC),
	TUNE("PassPacketInfo", pass_packet_info, SOCK_V4, IPPROTO_IP, IP_PKTINFO),
	TUNE("PassPacketInfo", pass_packet_info, SOCK_V6, IPPROTO_IPV6, IPV6_RECVPKTINFO),
	TUNE("PassPacketInfo", pass_packet_info, SOCK_NETLINK, SOL_NETLINK, 3 /* NETLINK_PKTINFO */),
	TUNE("Priority", priority, SOCK_ANY, SOL_SOCKET, SO_PRIORITY),
	{ "ReceiveBuffer", FIELD(receive_buffer), SOCK_AFTER_BIND, SOCK_ANY, SOL_SOCKET, SO_RCVBUF, SO_RCVBUFFORCE, false },
	{ "SendBuffer", FIELD(send_buffer), SOCK_AFTER_BIND, SOCK_ANY, SOL_SOCKET, SO_SNDBUF, SO_SNDBUFFORCE, false },
	TUNE("Mark", mark, SOCK_ANY, SOL_SOCKET, SO_MARK),
	TUNE("IPTOS", ip_tos, SOCK_IP, IPPROTO_IP, IP_TOS),
	TUNE("IPTTL", ip_ttl, SOCK_V4, IPPROTO_IP, IP_TTL),
	TUNE("IPTTL", ip_ttl, SOCK_V6, IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	/* clang-format on */
};
const size_t sock_options_count = ELEMENTSOF(sock_options);
