/*
 * server.c - see server.h.
 *
 * Time limits cost next to nothing per request: every kind of waiting has one fixed length, so the
 * connections in it form a list in order of their deadlines, and one timer watches the heads. Each
 * gets a little more than its length, and while that lasts, starting anew changes nothing.
 */
#include "worker/server.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "common/log.h"
#include "worker/server_inner.h"

/* How much more than its length a time limit is; it is over at most so much too late. */
#define SLACK_OF(usec) ((usec) / 16)

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
	const uint64_t usec = v->env.patience_usec[list] + SLACK_OF(v->env.patience_usec[list]);

	s->conn.listed = list;
	s->conn.deadline_usec = evloop_now_usec(v->loop) + usec;
	s->prev = head->prev;
	s->next = head;
	s->prev->next = s;
	head->prev = s;
	/* Lengths differ, so what comes later may be due earlier; mostly it is not, and costs nothing. */
	if (s->conn.deadline_usec < v->expiry_usec || !evloop_timer_is_set(&v->expiry)) {
		v->expiry_usec = s->conn.deadline_usec;
		evloop_timer_set(&v->expiry, usec);
	}
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

	evloop_fd_want(v->loop, &s->io, 0);
	addrs_close(v->addrs, &s->conn.peer);
	conn_done(&s->conn);
	slot_unlist(s);
	s->next = v->free;
	v->free = s;
	v->n_conns--;
	gates_room(v);
	server_check_drained(v);
}

/* True if the whole length is left. */
static bool
slot_has_time(const struct slot *s)
{
	const struct conn *c = &s->conn;

	return c->env->now_usec + c->env->patience_usec[c->listed] <= c->deadline_usec;
}

/* What a step has left to do: watch for want, restart the clock if it should. */
static void
slot_after(struct slot *s, int want)
{
	if (want == CONN_OVER) {
		slot_end(s);
		return;
	}
	if (evloop_fd_wants(&s->io) != want) /* mostly it is, and s->server is not looked at */
		evloop_fd_want(s->server->loop, &s->io, want);
	if (s->conn.patience == s->conn.listed && (!s->conn.progressed || slot_has_time(s)))
		return;
	slot_unlist(s);
	slot_list(s, s->conn.patience);
}

void
slot_step(struct slot *s)
{
	slot_after(s, conn_step(&s->conn));
}

void
slot_start(struct slot *s)
{
	slot_list(s, s->conn.patience);
	slot_step(s); /* read before poll: the request is often there */
}

/* Ends what is overdue. Return: the earliest deadline left, or 0. */
static uint64_t
server_expire(struct server *v, uint64_t now)
{
	uint64_t earliest = 0;

	for (unsigned p = 0; p < PATIENCE_END; p++) {
		struct slot *head = &v->lists[p];

		while (head->next != head && head->next->conn.deadline_usec <= now) {
			struct slot *s = head->next;
			const int want = conn_timeout(&s->conn);

			s->conn.progressed = true; /* never the same deadline twice */
			slot_after(s, want);
		}
		if (head->next != head &&
		    (earliest == 0 || head->next->conn.deadline_usec < earliest))
			earliest = head->next->conn.deadline_usec;
	}
	return earliest;
}

static void
server_on_expiry(void *arg)
{
	struct server *v = arg;
	const uint64_t now = evloop_now_usec(v->loop);
	const uint64_t earliest = server_expire(v, now);

	v->expiry_usec = earliest;
	if (earliest > 0)
		evloop_timer_set(&v->expiry, earliest - now);
}

static void
server_before(void *arg)
{
	struct server *v = arg;

	dateline_set(&v->env.date, evloop_wall_seconds(v->loop));
	v->env.now_usec = evloop_now_usec(v->loop);
	if (v->o.turn)
		v->o.turn(v->o.arg, v->env.now_usec);
	v->stats->connections = v->n_conns;
}

static void
server_on_drained(void *arg)
{
	struct server *v = arg;

	v->cut = true;
	log_warning("connections cut, for they did not end in time: %u", v->n_conns);
	evloop_stop(v->loop);
}

/* Cuts one kind of patience short, for those that wait already too. */
static void
server_hurry(struct server *v, enum patience p, uint64_t usec)
{
	const uint64_t soon = evloop_now_usec(v->loop) + usec;

	if (v->env.patience_usec[p] > usec)
		v->env.patience_usec[p] = usec;
	for (struct slot *s = v->lists[p].next; s != &v->lists[p]; s = s->next)
		if (s->conn.deadline_usec > soon)
			s->conn.deadline_usec = soon;
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
	gates_watch(v, false);
	for (size_t i = 0; i < ELEMENTSOF(hurried); i++)
		server_hurry(v, hurried[i], v->o.drain_idle_usec);
	v->expiry_usec = evloop_now_usec(v->loop) + v->o.drain_idle_usec;
	evloop_timer_set(&v->expiry, v->o.drain_idle_usec);
	evloop_timer_set(&v->drain, v->o.drain_usec);
	log_debug("draining, connections left: %u", v->n_conns);
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
	v->spare = -EBADF;
	v->env.limits = o->limits;
	memcpy(v->env.patience_usec, o->patience_usec, sizeof(v->env.patience_usec));
	v->env.respond = o->respond;
	v->env.respond_error = o->respond_error;
	v->env.finished = o->finished;
	v->env.next_id = o->first_id;
	v->env.arg = o->arg;
	v->env.stats = &o->stats->conn;
	v->stats = o->stats;
	for (unsigned p = 0; p < PATIENCE_END; p++)
		v->lists[p].next = v->lists[p].prev = &v->lists[p];
	v->addrs = addrs_new(&o->addrs, o->addrs_table, o->worker, &r);
	v->env.addrs = v->addrs;
	if (r == 0)
		r = evloop_new(&v->loop);
	if (r < 0) {
		addrs_free(v->addrs);
		free(v);
		return why_set(why, r, "event loop");
	}
	evloop_timer_init(v->loop, &v->expiry, server_on_expiry, v);
	evloop_timer_init(v->loop, &v->drain, server_on_drained, v);
	gates_init(v, l);
	*ret = v;
	return 0;
}

struct evloop *
server_loop(struct server *v)
{
	return v->loop;
}

static void
server_on_usr1(void *arg, int signo)
{
	struct server *v = arg;

	(void)signo;
	if (v->o.reopen)
		v->o.reopen(v->o.arg);
}

int
server_run(struct server *v)
{
	evloop_signal_add(v->loop, &v->on_term, SIGTERM, server_on_term, v);
	evloop_signal_add(v->loop, &v->on_int, SIGINT, server_on_term, v);
	evloop_signal_add(v->loop, &v->on_usr1, SIGUSR1, server_on_usr1, v);
	gates_watch(v, true);
	evloop_run(v->loop, server_before, v);
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
	addrs_free(v->addrs);
	fd_closep(&v->spare);
	evloop_free(v->loop);
	free(v);
}
