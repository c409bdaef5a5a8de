/*
 * connection.c - see connection.h.
 */
#include "launcher/enter/connection.h"

#include "launcher/enter/sock_options.h"

/* The socket unit whose connections become instances of this template; NULL when there is none. */
static const struct plan_unit *
accepting_socket(const struct plan *p, uint32_t service)
{
	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *s = plan_unit(p, i);

		if (s->kind == UNIT_SOCKET && s->socket.accept && s->socket.service == service)
			return s;
	}
	return NULL;
}

void
connection_enter(struct enter *e, struct enter_fd *ret_fd, int fd, uint64_t number)
{
	static struct peer peer; /* these pages belong to the child */
	static struct unit_name name;
	static char instance[UNIT_NAME_MAX];
	const struct plan_unit *s = accepting_socket(e->plan, e->unit->index);
	struct unit_name of;
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);
	struct buf b;

	*ret_fd = (struct enter_fd){ .fd = fd, .name = "connection" };
	e->n_fds = 1;
	peer_name(fd, &peer);
	e->peer = &peer;
	if (getsockname(fd, (struct sockaddr *)&a, &len) == 0 && s)
		(void)!sock_options_set(e->plan, &s->socket, fd, a.ss_family, SOCK_AFTER_BIND, NULL,
		    NULL); /* tuning: what is not granted is missed by nobody */
	buf_init(&b, instance, sizeof(instance));
	peer_instance(fd, number, &b);
	if (unit_name_parse(plan_str(e->plan, e->unit->id), &of) == 0 &&
	    unit_name_make(unit_name_prefix(&of), span_of(instance), "service", &name) == 0)
		e->instance = &name;
}
