/*
 * parse_socket.c - what a [Socket] section names; see parse.h.
 */
#include "launcher/unit/addr.h"
#include "launcher/unit/parse.h"

#define FD_NAME_MAX 255

static int
parse_listen(struct assign *a, void *field, enum listen_kind kind)
{
	_cleanup_buf_ struct buf text;
	struct plan_listen *l;
	struct addr addr;
	int r;

	if (!a->value[0]) { /* as in systemd, an empty line of any kind forgets them all */
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value, &text);
	if (r == 0)
		r = addr_parse(buf_cstr(&text), &addr, &a->why);
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
	addr_format(&addr.u.sa, addr.len, &text);
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
