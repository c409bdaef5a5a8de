/*
 * server.c - see server.h.
 *
 * Time limits cost a few pointers per request: every kind of waiting has one fixed length, so the
 * connections in it form a list in order of their deadlines, and one timer watches the heads.
 */
#include "worker/server.h"

#include <assert.h>
#include <signal.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "worker/evloop.h"

#define ACCEPT_BATCH 16

struct slot {
	struct evloop_fd io;
	struct conn conn;
	struct server *server;
	struct slot *prev, *next; /* in the list of its patience, or in the free list */
	uint64_t deadline_usec;
	uint8_t list; /* enum patience it is listed under */
};

struct gate {
	struct evloop_fd io;
	struct server *server;
	const struct listener *listener;
};

struct server {
	struct evloop *loop;
	struct server_options o;
	struct evloop_timer expiry, drain;
	struct evloop_signal on_term, on_int;
	size_t n_gates;
	struct gate gates[LISTENERS_MAX];
	struct slot lists[PATIENCE_END]; /* ring heads; only prev and next are used */
	struct slot *free;
	uint32_t n_conns;
	uint64_t accepted;
	bool cut; /* the drain ran out of time */
	struct conn_env env;
};

static void
slot_unlist(struct slot *s)
{
	s->prev->next = s->next;
	s->next->prev = s->prev;
}

static void
slot_list(struct slot *s, uint8_t list)
{
	struct server *v = s->server;
	struct slot *head = &v->lists[list];
	const uint64_t usec = v->o.patience_usec[list];

	s->list = list;
	s->deadline_usec = evloop_now_usec(v->loop) + usec;
	s->prev = head->prev;
	s->next = head;
	s->prev->next = s;
	head->prev = s;
	if (!evloop_timer_is_set(&v->expiry))
		evloop_timer_set(&v->expiry, usec);
}

static void
server_check_drained(struct server *v)
{
	if (v->env.draining && v->n_conns == 0)
		evloop_stop(v->loop);
}

static void
slot_end(struct slot *s)
{
	struct server *v = s->server;

	evloop_fd_want(&s->io, 0);
	conn_done(&s->conn);
	slot_unlist(s);
	s->next = v->free;
	v->free = s;
	v->n_conns--;
	server_check_drained(v);
}

/* What a step has left to do: watch for want, restart the clock if it should. */
static void
slot_after(struct slot *s, int want)
{
	if (want == CONN_OVER) {
		slot_end(s);
		return;
	}
	evloop_fd_want(&s->io, want);
	if (s->conn.progressed || s->conn.patience != s->list) {
		slot_unlist(s);
		slot_list(s, s->conn.patience);
	}
}

static void
slot_on_io(void *arg, int ready)
{
	struct slot *s = arg;

	(void)ready;
	slot_after(s, conn_step(&s->conn));
}

static struct slot *
slot_of_transport(struct transport *t)
{
	return (struct slot *)(void *)((char *)t - offsetof(struct slot, conn.t));
}

static void
slot_wake(struct transport *t)
{
	evloop_fd_feed(&slot_of_transport(t)->io, WANT_READ | WANT_WRITE);
}

/* Ends what is overdue. Return: the earliest deadline left, or 0. */
static uint64_t
server_expire(struct server *v, uint64_t now)
{
	uint64_t earliest = 0;

	for (unsigned p = 0; p < PATIENCE_END; p++) {
		struct slot *head = &v->lists[p];

		while (head->next != head && head->next->deadline_usec <= now) {
			struct slot *s = head->next;
			const int want = conn_timeout(&s->conn);

			s->conn.progressed = true; /* never the same deadline twice */
			slot_after(s, want);
		}
		if (head->next != head && (earliest == 0 || head->next->deadline_usec < earliest))
			earliest = head->next->deadline_usec;
	}
	return earliest;
}

static void
server_on_expiry(void *arg)
{
	struct server *v = arg;
	const uint64_t now = evloop_now_usec(v->loop);
	const uint64_t earliest = server_expire(v, now);

	if (earliest > 0)
		evloop_timer_set(&v->expiry, earliest - now);
}

static int
gate_open_conn(struct gate *g, int fd)
{
	struct server *v = g->server;
	const struct transport_factory *factory = &v->o.factory[g->listener->role];
	struct slot *s = v->free;
	struct transport t;
	int r;

	r = factory->take(factory->context, fd, &t);
	if (r < 0)
		return r;
	if (s) {
		v->free = s->next;
	} else {
		s = malloc(sizeof(*s));
		if (!s) {
			t.ops->close(&t);
			return -ENOMEM;
		}
	}
	s->server = v;
	t.wake = slot_wake;
	conn_init(&s->conn, &v->env, &t);
	evloop_fd_init(v->loop, &s->io, fd, slot_on_io, s);
	v->n_conns++;
	v->accepted++;
	slot_list(s, s->conn.patience);
	slot_after(s, conn_step(&s->conn)); /* read before poll: the request is often there */
	return 0;
}

static void
gate_on_io(void *arg, int ready)
{
	struct gate *g = arg;
	struct server *v = g->server;

	(void)ready;
	for (int i = 0; i < ACCEPT_BATCH && v->n_conns < v->o.connections; i++) {
		const int fd = accept4(g->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return; /* none left, or one that gave up while it was queued */
		(void)gate_open_conn(
		    g, fd); /* on failure the connection is closed: it is counted */
	}
}

static void
server_before(void *arg)
{
	struct server *v = arg;

	dateline_set(&v->env.date, evloop_wall_seconds(v->loop));
}

static void
server_on_drained(void *arg)
{
	struct server *v = arg;

	v->cut = true;
	log_warning("drain: %u connections did not end in time and are cut", v->n_conns);
	evloop_stop(v->loop);
}

/* Cuts one kind of patience short, for those that wait already too. */
static void
server_hurry(struct server *v, enum patience p, uint64_t usec)
{
	const uint64_t soon = evloop_now_usec(v->loop) + usec;

	if (v->o.patience_usec[p] > usec)
		v->o.patience_usec[p] = usec;
	for (struct slot *s = v->lists[p].next; s != &v->lists[p]; s = s->next)
		if (s->deadline_usec > soon)
			s->deadline_usec = soon;
}

/*
 * No more connections; each answer is its connection's last. Those that idle get a moment, in
 * which a request that is already on its way is still answered, then they are closed.
 */
static void
server_on_term(void *arg, int signo)
{
	struct server *v = arg;
	static const enum patience hurried[] = { PATIENCE_IDLE, PATIENCE_LINGER };

	(void)signo;
	if (v->env.draining)
		return;
	v->env.draining = true;
	for (size_t i = 0; i < v->n_gates; i++)
		evloop_fd_want(&v->gates[i].io, 0);
	for (size_t i = 0; i < ELEMENTSOF(hurried); i++)
		server_hurry(v, hurried[i], v->o.drain_idle_usec);
	evloop_timer_set(&v->expiry, v->o.drain_idle_usec);
	evloop_timer_set(&v->drain, v->o.drain_usec);
	log_notice("draining: %u connections", v->n_conns);
	(void)sd_notifyf(0, "STOPPING=1\nSTATUS=Draining %u connections", v->n_conns);
	server_check_drained(v);
}

int
server_new(
    const struct server_options *o, const struct listeners *l, struct server **ret, struct why *why)
{
	struct server *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return why_set(why, -ENOMEM, "server");
	v->o = *o;
	v->env.limits = o->limits;
	v->env.respond = o->respond;
	v->env.respond_error = o->respond_error;
	v->env.site = o->site;
	for (unsigned p = 0; p < PATIENCE_END; p++)
		v->lists[p].next = v->lists[p].prev = &v->lists[p];
	r = evloop_new(&v->loop);
	if (r < 0) {
		free(v);
		return why_set(why, r, "event loop");
	}
	evloop_timer_init(v->loop, &v->expiry, server_on_expiry, v);
	evloop_timer_init(v->loop, &v->drain, server_on_drained, v);
	for (size_t i = 0; i < l->n; i++) {
		struct gate *g = &v->gates[v->n_gates++];

		if (!o->factory[l->list[i].role].take) {
			r = why_set(why, -EOPNOTSUPP, "socket %s: this role is not served",
			    l->list[i].text);
			server_free(v);
			return r;
		}
		g->server = v;
		g->listener = &l->list[i];
		evloop_fd_init(v->loop, &g->io, g->listener->fd, gate_on_io, g);
	}
	*ret = v;
	return 0;
}

struct evloop *
server_loop(struct server *v)
{
	return v->loop;
}

int
server_run(struct server *v)
{
	evloop_signal_add(v->loop, &v->on_term, SIGTERM, server_on_term, v);
	evloop_signal_add(v->loop, &v->on_int, SIGINT, server_on_term, v);
	for (size_t i = 0; i < v->n_gates; i++) {
		evloop_fd_want(&v->gates[i].io, WANT_READ);
		log_info("serving %s", v->gates[i].listener->text);
	}
	(void)sd_notifyf(0, "READY=1\nSTATUS=Serving on %zu sockets", v->n_gates);
	evloop_run(v->loop, server_before, v);
	log_notice("stopped: %llu connections, %llu requests", (unsigned long long)v->accepted,
	    (unsigned long long)v->env.stats.requests);
	return v->cut ? -ETIMEDOUT : 0;
}

void
server_free(struct server *v)
{
	if (!v)
		return;
	for (unsigned p = 0; p < PATIENCE_END; p++)
		while (v->lists[p].next != &v->lists[p])
			slot_end(v->lists[p].next);
	while (v->free) {
		struct slot *s = v->free;

		v->free = s->next;
		free(s);
	}
	evloop_free(v->loop);
	free(v);
}
