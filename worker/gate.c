/*
 * gate.c - accepting: in batches, within limits, and what to do when there is no room.
 * Runs as: worker, no rights.
 * Owns:    a spare descriptor, so that a client can still be told when there are no others.
 * Tests:   tests/http/test_http_limits.py
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/server_inner.h"

#define ACCEPT_BATCH 16
#define PAUSE_USEC (100 * 1000)

static void
peer_of(const struct sockaddr_storage *ss, struct peer *ret)
{
	*ret = (struct peer){ 0 };
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ss;

		ret->addr[10] = ret->addr[11] = 0xff;
		memcpy(ret->addr + 12, &in->sin_addr, 4);
		ret->port = ntohs(in->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ss;

		memcpy(ret->addr, &in6->sin6_addr, 16);
		ret->port = ntohs(in6->sin6_port);
	}
}

/* A place for one more connection; NULL when there is no memory. */
static struct slot *
slot_get(struct server *v)
{
	struct slot *s = v->free;

	if (s)
		v->free = s->next;
	else
		s = aligned_alloc(_Alignof(struct slot), sizeof(*s));
	return s;
}

static void
slot_on_ready(void *arg, int ready)
{
	(void)ready;
	slot_step(arg);
}

static void
slot_wake(struct transport *t)
{
	struct slot *s = (struct slot *)(void *)((char *)t - offsetof(struct slot, conn.t));

	evloop_fd_feed(s->server->loop, &s->io, WANT_READ | WANT_WRITE);
}

static void
gate_open_conn(struct gate *g, int fd, const struct peer *peer)
{
	struct server *v = g->server;
	const struct transport_factory *factory = &v->o.factory[g->listener->role];
	struct slot *s;
	struct transport t;

	if (factory->take(factory->context, fd, &t) < 0) {
		v->stats->refused++;
		addrs_close(v->addrs, peer);
		return;
	}
	s = slot_get(v);
	if (!s) {
		v->stats->refused++;
		addrs_close(v->addrs, peer);
		t.ops->close(&t);
		return;
	}
	s->server = v;
	t.wake = slot_wake;
	conn_init(&s->conn, &v->env, &t, peer);
	s->conn.role = (uint8_t)g->listener->role;
	evloop_fd_init(&s->io, fd, slot_on_ready, s);
	v->n_conns++;
	v->stats->accepted++;
	slot_start(s);
}

/* Says 503 where the client would understand it, and closes. Nothing may block or fail here. */
static void
gate_turn_away(struct gate *g, int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
				   "Content-Length: 0\r\nConnection: close\r\n\r\n";

	if (g->listener->role != ROLE_HTTPS)
		(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	fd_closep(&fd);
	g->server->stats->turned_away++;
}

/* No descriptor left: give up the spare one to refuse those that wait, and rest a moment. */
static void
gate_out_of_fds(struct gate *g)
{
	struct server *v = g->server;

	for (int i = 0; i < ACCEPT_BATCH && v->spare >= 0; i++) {
		int fd;

		fd_closep(&v->spare);
		fd = accept4(g->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			gate_turn_away(g, fd);
		v->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			break;
	}
	gates_watch(v, false);
	v->paused = true;
	evloop_timer_set(&v->resume, PAUSE_USEC);
}

static void
gate_on_ready(void *arg, int ready)
{
	struct gate *g = arg;
	struct server *v = g->server;

	(void)ready;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage ss = { 0 };
		socklen_t len = sizeof(ss);
		struct peer peer;
		int fd;

		if (v->n_conns >= v->o.connections) {
			/* Full: what comes waits in the kernel until a connection ends. */
			gates_watch(v, false);
			v->paused = true;
			return;
		}
		fd = accept4(
		    g->listener->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				gate_out_of_fds(g);
			return; /* else none left, or one that gave up while it was queued */
		}
		peer_of(&ss, &peer);
		if (!addrs_open(v->addrs, &peer))
			gate_turn_away(g, fd);
		else
			gate_open_conn(g, fd, &peer);
	}
}

void
gates_watch(struct server *v, bool on)
{
	for (size_t i = 0; i < v->n_gates; i++)
		evloop_fd_want(v->loop, &v->gates[i].io, on ? WANT_READ : 0);
}

static void
gates_on_resume(void *arg)
{
	struct server *v = arg;

	v->paused = false;
	if (!v->env.draining)
		gates_watch(v, true);
}

void
gates_room(struct server *v)
{
	if (v->paused && !evloop_timer_is_set(&v->resume))
		gates_on_resume(v);
}

void
gates_init(struct server *v, const struct listeners *l)
{
	v->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	evloop_timer_init(v->loop, &v->resume, gates_on_resume, v);
	for (size_t i = 0; i < l->n; i++) {
		struct gate *g = &v->gates[v->n_gates++];

		g->server = v;
		g->listener = &l->list[i];
		evloop_fd_init(&g->io, g->listener->fd, gate_on_ready, g);
	}
}
