/*
 * addr.c - see addr.h.
 */
#include "launcher/load/addr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>

#include "common/num.h"

/* Leading zeros are refused: systemd would read them as octal, people would not. */
static int
port_parse(struct span text, uint64_t max, uint32_t *ret, struct why *why)
{
	uint64_t port;
	const int r = num_parse(text, 10, 1, max, &port);

	if (r < 0 || text.ptr[0] == '0')
		return why_set(why, r == -ERANGE ? -ERANGE : -EINVAL, "port \"%.*s\"",
		    (int)text.len, text.ptr);
	*ret = (uint32_t)port;
	return 0;
}

static int
unix_parse(const char *text, struct addr *ret, struct why *why)
{
	const size_t len = strlen(text);

	if (len < 2)
		return why_set(why, -EINVAL, "a unix address needs a name after '%c'", text[0]);
	if (len >= sizeof(ret->u.un.sun_path))
		return why_set(why, -ENAMETOOLONG, "a unix address has at most %zu bytes",
		    sizeof(ret->u.un.sun_path) - 1);
	ret->u.un.sun_family = AF_UNIX;
	memcpy(ret->u.un.sun_path, text, len + 1);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	if (text[0] == '@') {
		ret->u.un.sun_path[0] = '\0'; /* abstract: unix(7); its length counts, no NUL */
		ret->len--;
	}
	return 0;
}

static int
vsock_parse(const char *text, struct addr *ret, struct why *why)
{
	struct sockaddr_vm *vm = (struct sockaddr_vm *)&ret->u.storage;
	const char *colon = strchr(text, ':');
	uint64_t cid = VMADDR_CID_ANY;
	uint32_t port = 0;
	int r;

	if (!colon)
		return why_set(why, -EINVAL, "a vsock address is vsock:[CID]:PORT");
	if (colon > text &&
	    num_parse((struct span){ text, (size_t)(colon - text) }, 10, 0, UINT32_MAX, &cid) < 0)
		return why_set(why, -EINVAL, "vsock CID");
	r = port_parse(span_of(colon + 1), UINT32_MAX - 1, &port, why);
	if (r < 0)
		return r;
	vm->svm_family = AF_VSOCK;
	vm->svm_cid = (unsigned)cid;
	vm->svm_port = port;
	ret->len = sizeof(*vm);
	return 0;
}

static int
inet6_parse(struct span host, uint32_t port, uint32_t scope, struct addr *ret, struct why *why)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->u.storage;
	char text[INET6_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return why_set(why, -EINVAL, "not an IPv6 address");
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return why_set(why, -EINVAL, "\"%s\" is not an IPv6 address", text);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	in6->sin6_scope_id = scope;
	ret->len = sizeof(*in6);
	return 0;
}

static int
inet_parse(struct span host, uint32_t port, struct addr *ret, struct why *why)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->u.storage;
	char text[INET_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return why_set(why, -EINVAL, "not an IPv4 address");
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &in->sin_addr) != 1)
		return why_set(why, -EINVAL, "\"%s\" is not an IPv4 address", text);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	ret->len = sizeof(*in);
	return 0;
}

/* "%eth0" or "%2". Return: 0 and the interface's index. */
static int
scope_parse(const char *text, uint32_t *ret, struct why *why)
{
	uint64_t index;

	if (num_parse_str(text, 1, INT32_MAX, &index) < 0)
		index = if_nametoindex(text);
	if (index == 0)
		return why_set(why, -ENODEV, "interface \"%s\"", text);
	*ret = (uint32_t)index;
	return 0;
}

/* An IP address and its port. */
static int
ip_parse(const char *text, struct addr *ret, struct why *why)
{
	const char *percent = strchr(text, '%'), *end = percent ? percent : text + strlen(text);
	const char *colon = memrchr(text, ':', (size_t)(end - text));
	struct span host;
	uint32_t port = 0, scope = 0;
	int r;

	if (!colon || colon == text)
		return why_set(why, -EINVAL, "\"%s\" has no port", text);
	host = (struct span){ text, (size_t)(colon - text) };
	if (text[0] != '[' && memchr(text, ':', host.len))
		return why_set(why, -EINVAL, "an IPv6 address is [ADDRESS]:PORT");
	if (text[0] == '[' && (host.len < 3 || colon[-1] != ']'))
		return why_set(why, -EINVAL, "\"%s\" has no port", text);
	r = port_parse(
	    (struct span){ colon + 1, (size_t)(end - colon - 1) }, UINT16_MAX, &port, why);
	if (r == 0 && percent)
		r = scope_parse(percent + 1, &scope, why);
	if (r < 0)
		return r;
	if (text[0] == '[')
		return inet6_parse(
		    (struct span){ host.ptr + 1, host.len - 2 }, port, scope, ret, why);
	return inet_parse(host, port, ret, why);
}

int
addr_parse(const char *text, struct addr *ret, struct why *why)
{
	struct addr a = { 0 };
	uint32_t port = 0;
	int r;

	if (text[0] == '/' || text[0] == '@') {
		r = unix_parse(text, &a, why);
	} else if (str_starts(text, "vsock:")) {
		r = vsock_parse(text + strlen("vsock:"), &a, why);
	} else if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		r = port_parse(span_of(text), UINT16_MAX, &port, why);
		if (r == 0)
			r = inet6_parse(span_of("::"), port, 0, &a, why);
		a.any_family = true;
	} else {
		r = ip_parse(text, &a, why);
	}
	if (r < 0)
		return r;
	*ret = a;
	return 0;
}

static void
in6_format(const struct sockaddr_in6 *in6, struct buf *out)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	if (!inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)))
		return;
	(void)buf_printf(out, "[%s]:%u", text, ntohs(in6->sin6_port));
	if (in6->sin6_scope_id == 0)
		return;
	if (if_indextoname(in6->sin6_scope_id, name))
		(void)buf_printf(out, "%%%s", name);
	else
		(void)buf_printf(out, "%%%u", in6->sin6_scope_id);
}

void
addr_format(const struct sockaddr_storage *sa, socklen_t len, struct buf *out)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_vm *vm = (const struct sockaddr_vm *)sa;
	const size_t path = offsetof(struct sockaddr_un, sun_path);
	char text[INET_ADDRSTRLEN];

	switch (sa->ss_family) {
	case AF_UNIX:
		if (len > path && un->sun_path[0] == '\0') {
			(void)buf_putc(out, '@');
			(void)buf_put(out, un->sun_path + 1, len - path - 1);
		} else if (len > path) {
			(void)buf_put(out, un->sun_path, strnlen(un->sun_path, len - path));
		}
		break;
	case AF_INET:
		if (inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)))
			(void)buf_printf(out, "%s:%u", text, ntohs(in->sin_port));
		break;
	case AF_INET6:
		in6_format((const struct sockaddr_in6 *)sa, out);
		break;
	case AF_VSOCK:
		if (vm->svm_cid == VMADDR_CID_ANY)
			(void)buf_printf(out, "vsock::%u", vm->svm_port);
		else
			(void)buf_printf(out, "vsock:%u:%u", vm->svm_cid, vm->svm_port);
		break;
	default:
		(void)buf_printf(out, "family %d", sa->ss_family);
	}
}
