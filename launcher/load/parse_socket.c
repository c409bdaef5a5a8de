/*
 * parse_socket.c - what a [Socket] section names; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include "common/num.h"
#include "launcher/load/addr.h"
#include "launcher/load/parse.h"
#include "launcher/load/value.h"

#define FD_NAME_MAX 255

static int
parse_listen(struct assign *a, void *field, enum listen_kind kind)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct plan_listen *l;
	struct addr addr = { 0 };
	int r;

	if (!a->value[0]) { /* as in systemd, an empty line of any kind forgets them all */
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value, &text);
	if (r == 0) {
		parse_legacy_run(a, &text);
		r = addr_parse(buf_cstr(&text), &addr, &a->why);
	}
	if (r < 0)
		return r;
	if (kind == LISTEN_SEQPACKET && addr.u.sa.sa_family != AF_UNIX)
		return why_set(&a->why, -EINVAL, "only a unix socket can be sequential-packet");
	l = build_append(&a->loader->build, field, sizeof(*l));
	l->kind = kind;
	l->addr_len = addr.len;
	l->addr.storage = addr.u.storage;
	l->any_family = addr.any_family;
	l->source = a->at;
	buf_reset(&text);
	addr_format(&addr.u.storage, addr.len, &text);
	l->text = build_str(&a->loader->build, buf_cstr(&text));
	return 0;
}

int
parse_listen_stream(struct assign *a, void *field)
{
	return parse_listen(a, field, LISTEN_STREAM);
}

int
parse_listen_datagram(struct assign *a, void *field)
{
	return parse_listen(a, field, LISTEN_DGRAM);
}

int
parse_listen_seqpacket(struct assign *a, void *field)
{
	return parse_listen(a, field, LISTEN_SEQPACKET);
}

/* What is opened by its path: the text is all there is. */
static int
parse_listen_path(struct assign *a, void *field, enum listen_kind kind)
{
	struct ref path = { 0 };
	struct plan_listen *l;
	int r;

	if (!a->value[0]) {
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	r = parse_path(a, &path);
	if (r < 0)
		return r;
	l = build_append(&a->loader->build, field, sizeof(*l));
	l->kind = kind;
	l->text = path;
	l->source = a->at;
	return 0;
}

int
parse_listen_fifo(struct assign *a, void *field)
{
	return parse_listen_path(a, field, LISTEN_FIFO);
}

int
parse_listen_special(struct assign *a, void *field)
{
	return parse_listen_path(a, field, LISTEN_SPECIAL);
}

int
parse_listen_queue(struct assign *a, void *field)
{
	return parse_listen_path(a, field, LISTEN_MESSAGE_QUEUE);
}

static const char *const netlink_families[] = {
	[NETLINK_ROUTE] = "route",
	[NETLINK_FIREWALL] = "firewall",
	[NETLINK_SOCK_DIAG] = "inet-diag",
	[NETLINK_NFLOG] = "nflog",
	[NETLINK_XFRM] = "xfrm",
	[NETLINK_SELINUX] = "selinux",
	[NETLINK_ISCSI] = "iscsi",
	[NETLINK_AUDIT] = "audit",
	[NETLINK_FIB_LOOKUP] = "fib-lookup",
	[NETLINK_CONNECTOR] = "connector",
	[NETLINK_NETFILTER] = "netfilter",
	[NETLINK_IP6_FW] = "ip6-fw",
	[NETLINK_DNRTMSG] = "dnrtmsg",
	[NETLINK_KOBJECT_UEVENT] = "kobject-uevent",
	[NETLINK_GENERIC] = "generic",
	[NETLINK_SCSITRANSPORT] = "scsitransport",
	[NETLINK_ECRYPTFS] = "ecryptfs",
	[NETLINK_RDMA] = "rdma",
};

/* "FAMILY [GROUPS]": by name, and a mask of groups. */
int
parse_listen_netlink(struct assign *a, void *field)
{
	const size_t word = strcspn(a->value, " \t");
	const char *groups = a->value + word + strspn(a->value + word, " \t");
	struct plan_listen *l;
	uint64_t mask = 0;
	size_t family = 0;

	if (!a->value[0]) {
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	while (family < ELEMENTSOF(netlink_families) &&
	       !(netlink_families[family] &&
		   span_equal((struct span){ a->value, word }, netlink_families[family])))
		family++;
	if (family == ELEMENTSOF(netlink_families))
		return why_set(&a->why, -EINVAL, "not a netlink family");
	if (groups[0] && num_parse_str(groups, 0, UINT32_MAX, &mask) < 0)
		return why_set(&a->why, -EINVAL, "not a number of netlink groups");
	l = build_append(&a->loader->build, field, sizeof(*l));
	l->kind = LISTEN_NETLINK;
	l->netlink_family = (int32_t)family;
	*(struct sockaddr_nl *)&l->addr.storage =
	    (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_groups = (uint32_t)mask };
	l->addr_len = sizeof(struct sockaddr_nl);
	l->text = build_str(&a->loader->build, a->value);
	l->source = a->at;
	return 0;
}

int
parse_bind_ipv6_only(struct assign *a, void *field)
{
	struct plan_opt *opt = field;
	bool only;

	if (strcmp(a->value, "default") == 0)
		*opt = (struct plan_opt){ 0 };
	else if (strcmp(a->value, "both") == 0)
		*opt = (struct plan_opt){ 1, 0 };
	else if (strcmp(a->value, "ipv6-only") == 0)
		*opt = (struct plan_opt){ 1, 1 };
	else if (value_bool(a->value, &only) == 0) /* systemd takes these too, and gpsd says yes */
		*opt = (struct plan_opt){ 1, only };
	else
		return why_set(&a->why, -EINVAL, "not default, both or ipv6-only");
	return 0;
}

int
parse_protocol(struct assign *a, void *field)
{
	static const struct {
		const char *name;
		int32_t protocol;
	} protocols[] = { { "", 0 }, { "udplite", IPPROTO_UDPLITE }, { "sctp", IPPROTO_SCTP },
		{ "mptcp", IPPROTO_MPTCP } };

	for (size_t i = 0; i < ELEMENTSOF(protocols); i++)
		if (strcmp(protocols[i].name, a->value) == 0) {
			*(int32_t *)field = protocols[i].protocol;
			return 0;
		}
	return why_set(&a->why, -EINVAL, "not udplite, sctp or mptcp");
}

int
parse_ip_tos(struct assign *a, void *field)
{
	static const struct {
		const char *name;
		int32_t tos;
	} names[] = { { "low-delay", IPTOS_LOWDELAY }, { "throughput", IPTOS_THROUGHPUT },
		{ "reliability", IPTOS_RELIABILITY }, { "low-cost", IPTOS_LOWCOST } };

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(names[i].name, a->value) == 0) {
			*(struct plan_opt *)field = (struct plan_opt){ 1, names[i].tos };
			return 0;
		}
	return parse_opt_number(a, field);
}

int
parse_fd_name(struct assign *a, void *field)
{
	char storage[FD_NAME_MAX + 1];
	struct buf text;
	int r;

	buf_init(&text, storage, sizeof(storage));
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	for (const char *s = storage; *s; s++)
		if (*s < ' ' || *s > '~' || *s == ':')
			return why_set(&a->why, -EINVAL, "a name is printable ASCII without ':'");
	*(struct ref *)field =
	    text.len > 0 ? build_str(&a->loader->build, storage) : (struct ref){ 0 };
	return 0;
}

int
parse_service_name(struct assign *a, void *field)
{
	char storage[UNIT_NAME_MAX];
	struct unit_name name;
	struct buf text;
	int r;

	buf_init(&text, storage, sizeof(storage));
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	if (unit_name_parse(storage, &name) < 0 || name.kind != UNIT_SERVICE)
		return why_set(&a->why, -EINVAL, "\"%s\" is no service's name", storage);
	*(struct ref *)field = build_str(&a->loader->build, storage);
	return 0;
}
