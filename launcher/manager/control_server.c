/*
 * control_server.c - see control_server.h.
 */
#include "launcher/manager/control_server.h"

#include <assert.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/job.h"
#include "launcher/manager/link.h"
#include "launcher/manager/service.h"
#include "launcher/manager/show.h"
#include "launcher/manager/socket.h"

/* How long a client may think, or not read, before it has to make room. */
#define CLIENT_IDLE_USEC (10 * USEC_PER_SEC)
#define CLIENTS_PER_WAKE 16

/* One idempotent close. */
static void
operator_close(struct manager *m, struct client *c)
{
	timer_stop(&m->timers, &c->timer);
	watch_stop(m, &c->watch);
	fd_closep(&c->watch.fd);
	c->verb = CONTROL_VERB_END;
	c->waits = NULL;
	c->waits_instance = NULL;
	c->ending = false;
}

static void
operator_idle(struct manager *m, void *owner)
{
	operator_close(m, owner);
}

static bool
operator_is_owner(const struct manager *m, const struct client *c)
{
	return c->uid == 0 || c->uid == m->uid;
}

/* Waits for what the peer does next, for so long. */
static void
operator_expect(struct manager *m, struct client *c, uint32_t events)
{
	if (watch_set(m, &c->watch, events) < 0) {
		operator_close(m, c);
		return;
	}
	timer_set(&m->timers, &c->timer, clock_usec() + CLIENT_IDLE_USEC);
}

/* Return: 0, or -EAGAIN when the peer has to read first, or another error: it is closed then. */
static int
operator_send(struct manager *m, struct client *c, const void *packet, size_t len)
{
	const int r = fdpass_send(c->watch.fd, packet, len, NULL, 0);

	if (r == -EAGAIN)
		operator_expect(m, c, EPOLLOUT);
	else if (r < 0)
		operator_close(m, c);
	return r;
}

static void
operator_send_end(struct manager *m, struct client *c)
{
	char packet[sizeof(c->end) + sizeof(c->end_text)];

	memcpy(packet, &c->end, sizeof(c->end));
	memcpy(packet + sizeof(c->end), c->end_text, c->end.n);
	if (operator_send(m, c, packet, sizeof(c->end) + c->end.n) < 0)
		return; /* closed, or `ending` stays set */
	c->ending = false;
	c->verb = CONTROL_VERB_END;
	c->waits = NULL;
	c->waits_instance = NULL;
	operator_expect(m, c, EPOLLIN);
}

/* The last packet of an answer. @error: errno or 0 */
static void
operator_end(struct manager *m, struct client *c, int error, const char *text)
{
	size_t n = strlen(text);

	if (n > sizeof(c->end_text))
		n = sizeof(c->end_text);
	memcpy(c->end_text, text, n);
	c->end = (struct control_reply_head){
		.version = CONTROL_VERSION,
		.kind = CONTROL_REPLY_END,
		.error = error,
		.n = (uint32_t)n,
	};
	c->ending = true;
	operator_send_end(m, c);
}

/* What a request is about. Both NULL: everything. */
struct target {
	struct unit *unit; /* of an instance, its template's */
	struct service *service; /* NULL of a socket */
};

static int
operator_send_unit(struct manager *m, struct client *c, const struct target *t)
{
	char packet[CONTROL_PACKET_MAX];
	struct control_reply_head head = {
		.version = CONTROL_VERSION,
		.kind = CONTROL_REPLY_UNIT,
	};
	struct buf text;

	buf_init(&text, packet + sizeof(head), sizeof(packet) - sizeof(head));
	if (t->service)
		show_service(m, t->service, &text);
	else
		show_socket(m, &t->unit->socket, &text);
	head.n = (uint32_t)text.len;
	memcpy(packet, &head, sizeof(head));
	return operator_send(m, c, packet, sizeof(head) + text.len);
}

/* The unit or instance that a listing is at; false: none there. A socket is followed by its
 * instances; a template is no unit. */
static bool
cursor_target(struct manager *m, const struct client *c, struct target *ret)
{
	struct unit *u = &m->units[c->cursor];

	*ret = (struct target){ u, u->plan->kind == UNIT_SERVICE ? &u->service : NULL };
	if (c->cursor_instance == 0)
		return !u->plan->is_template;
	ret->service = &u->socket.pool[c->cursor_instance - 1];
	return ret->service->in_use;
}

static void
cursor_advance(const struct manager *m, struct client *c)
{
	const struct unit *u = &m->units[c->cursor];

	if (u->plan->kind == UNIT_SOCKET && c->cursor_instance < u->socket.n_used) {
		c->cursor_instance++;
		return;
	}
	c->cursor++;
	c->cursor_instance = 0;
}

/* Goes on with a listing as far as the peer reads. */
static void
operator_list(struct manager *m, struct client *c)
{
	struct target t;

	while (c->cursor < m->plan->n_units) {
		if (cursor_target(m, c, &t) && operator_send_unit(m, c, &t) < 0)
			return;
		cursor_advance(m, c);
	}
	operator_end(m, c, 0, "");
}

/* False: there is no such unit and no such instance. */
static bool
target_named(struct manager *m, const char *id, struct target *ret)
{
	const struct plan_unit *u = plan_find(m->plan, id);
	struct service *s = u ? NULL : accept_find(m, id);

	if (s)
		*ret = (struct target){ s->owner, s };
	else if (u && !u->is_template)
		*ret = (struct target){ &m->units[u->index],
			u->kind == UNIT_SERVICE ? &m->units[u->index].service : NULL };
	else
		return false;
	return true;
}

/* ---- verbs ---- */

static void
verb_show(
    struct manager *m, struct client *c, const struct target *t, const struct control_request *q)
{
	(void)q;
	c->cursor = t->unit ? m->plan->n_units : 0; /* one only: nothing more after it */
	c->cursor_instance = 0;
	if (!t->unit)
		operator_list(m, c);
	else if (operator_send_unit(m, c, t) == 0)
		operator_end(m, c, 0, "");
	else if (c->watch.fd >= 0)
		operator_end(m, c, ENOBUFS, "read faster"); /* an empty queue takes it all */
}

/* An instance lives for its connection: it can be ended, nothing else. */
static void
instance_job(struct manager *m, struct client *c, struct service *s, uint32_t verb)
{
	if (verb == CONTROL_STOP)
		service_event(m, s, EVENT_STOP);
	else if (verb != CONTROL_START)
		operator_end(m, c, ENOTSUP, "an instance of Accept=yes can only be stopped");
	else
		operator_end(m, c, 0, "");
	if (verb == CONTROL_STOP)
		c->waits_instance = s;
}

static void
verb_job(
    struct manager *m, struct client *c, const struct target *t, const struct control_request *q)
{
	static const enum job_kind kinds[CONTROL_VERB_END] = {
		[CONTROL_START] = JOB_START,
		[CONTROL_STOP] = JOB_STOP,
		[CONTROL_RESTART] = JOB_RESTART,
		[CONTROL_RELOAD] = JOB_RELOAD,
	};

	if (m->stopping) {
		operator_end(m, c, ESHUTDOWN, "the launcher is stopping");
		return;
	}
	operator_expect(m, c, EPOLLIN); /* its hang-up is all it may say from now on */
	timer_stop(&m->timers, &c->timer);
	if (t->service && t->service->socket) {
		instance_job(m, c, t->service, q->verb);
	} else {
		job_request(m, t->unit, kinds[q->verb]);
		c->waits = t->unit;
	}
	if ((q->flags & CONTROL_NO_BLOCK) && c->verb != CONTROL_VERB_END)
		operator_end(m, c, 0, "");
}

static void
verb_kill(
    struct manager *m, struct client *c, const struct target *t, const struct control_request *q)
{
	struct service *s = t->service;
	const bool group = q->whom == CONTROL_WHOM_ALL;
	bool any = false;

	if (s && q->whom != CONTROL_WHOM_CONTROL && process_alive(&s->main)) {
		link_signal(m, &s->main, q->signo, group);
		any = true;
	}
	if (s && q->whom != CONTROL_WHOM_MAIN && process_alive(&s->control)) {
		link_signal(m, &s->control, q->signo, group);
		any = true;
	}
	operator_end(m, c, any ? 0 : ESRCH, any ? "" : "no process to kill");
}

static void
unit_reset_failed(struct manager *m, struct unit *u)
{
	struct service *s = &u->service;

	if (u->plan->kind == UNIT_SOCKET)
		socket_reset_failed(m, &u->socket);
	if (u->plan->kind != UNIT_SERVICE || u->accepts)
		return;
	s->n_restarts = 0;
	s->n_starts = 0;
	if (s->state == STATE_FAILED) {
		s->result = RESULT_SUCCESS;
		service_set_state(m, s, STATE_DEAD);
	}
	service_save(m, s);
}

static void
verb_reset_failed(
    struct manager *m, struct client *c, const struct target *t, const struct control_request *q)
{
	(void)q;
	if (t->unit)
		unit_reset_failed(m, t->unit);
	for (uint32_t i = 0; !t->unit && i < m->plan->n_units; i++)
		unit_reset_failed(m, &m->units[i]);
	operator_end(m, c, 0, "");
}

static void (*const control_verbs[])(struct manager *m, struct client *c, const struct target *t,
    const struct control_request *q) = {
	[CONTROL_SHOW] = verb_show,
	[CONTROL_START] = verb_job,
	[CONTROL_STOP] = verb_job,
	[CONTROL_RESTART] = verb_job,
	[CONTROL_RELOAD] = verb_job,
	[CONTROL_KILL] = verb_kill,
	[CONTROL_RESET_FAILED] = verb_reset_failed,
};
static_assert(ELEMENTSOF(control_verbs) == CONTROL_VERB_END, "a handler per verb");

void
control_request_take(struct manager *m, struct client *c, const void *bytes, size_t len)
{
	struct control_request q;
	struct why why = { "" };
	struct target t = { NULL, NULL };

	if (c->verb != CONTROL_VERB_END || control_check(bytes, len, &q, &why) < 0) {
		log_unit(LOG_LEVEL_DEBUG, NULL, "control: uid %u: %s", c->uid,
		    why.text[0] ? why.text : "a request before the answer to the last");
		operator_close(m, c);
		return;
	}
	c->verb = q.verb;
	if (control_changes(q.verb) && !operator_is_owner(m, c)) {
		operator_end(m, c, EPERM, "only root or the launcher's own user may do that");
		return;
	}
	if (q.unit[0] != '\0' && !target_named(m, q.unit, &t)) {
		operator_end(m, c, ENOENT, "not loaded");
		return;
	}
	if (control_changes(q.verb))
		log_unit(LOG_LEVEL_NOTICE, q.unit[0] ? q.unit : NULL, "%s asked for by uid %u",
		    control_verb_name(q.verb), c->uid);
	control_verbs[q.verb](m, c, &t, &q);
}

void
control_job_done(struct manager *m, struct unit *u, int error, const char *text)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &m->clients[i];

		if (c->waits != u)
			continue;
		c->waits = NULL;
		operator_end(m, c, error, text);
	}
}

void
control_instance_done(struct manager *m, struct service *s)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &m->clients[i];

		if (c->waits_instance != s)
			continue;
		c->waits_instance = NULL;
		operator_end(m, c, 0, "");
	}
}

static void
operator_ready(struct manager *m, void *owner, uint32_t events)
{
	struct client *c = owner;
	char bytes[sizeof(struct control_request) + 1];
	struct fdpass_msg got;
	int r;

	if (c->watch.fd < 0)
		return; /* closed earlier in this wake-up */
	if (events & EPOLLOUT) {
		if (c->ending)
			operator_send_end(m, c);
		else if (c->verb == CONTROL_SHOW)
			operator_list(m, c);
		return;
	}
	r = fdpass_recv(c->watch.fd, bytes, sizeof(bytes), NULL, 0, &got);
	if (r == -EAGAIN)
		return;
	if (r < 0)
		operator_close(m, c); /* gone, or it sent what nobody asked for */
	else
		control_request_take(m, c, bytes, got.len);
}

/* A free place in the pool that uid belongs to, or NULL. */
static struct client *
operator_place(struct manager *m, uid_t uid)
{
	const bool owner = uid == 0 || uid == m->uid;
	const size_t from = owner ? 0 : CONTROL_CLIENTS_OWNER;
	const size_t to = owner ? CONTROL_CLIENTS_OWNER : CONTROL_CLIENTS;

	for (size_t i = from; i < to; i++)
		if (m->clients[i].watch.fd < 0)
			return &m->clients[i];
	return NULL;
}

static void
control_ready(struct manager *m, void *owner, uint32_t events)
{
	(void)owner;
	(void)events;
	for (unsigned i = 0; i < CLIENTS_PER_WAKE; i++) {
		_cleanup_fd_ int fd =
		    accept4(m->control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct ucred cred = { 0 };
		socklen_t len = sizeof(cred);
		struct client *c;

		if (fd < 0)
			return; /* none left, or no descriptors: it waits in the backlog */
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
			continue;
		c = operator_place(m, cred.uid);
		if (!c) {
			log_unit(LOG_LEVEL_WARNING, NULL,
			    "control: too many clients like uid %u; sent one away", cred.uid);
			continue;
		}
		c->watch.fd = fd_take(&fd);
		c->uid = cred.uid;
		operator_expect(m, c, EPOLLIN);
	}
}

void
control_server_init(struct manager *m)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &m->clients[i];

		c->watch = (struct watch){
			.fd = -EBADF, .rank = WATCH_CONTROL, .ready = operator_ready, .owner = c
		};
		c->timer.fire = operator_idle;
		c->timer.owner = c;
		c->verb = CONTROL_VERB_END;
	}
	m->control =
	    (struct watch){ .fd = HERITAGE_CONTROL, .rank = WATCH_CONTROL, .ready = control_ready };
}

int
control_server_open(struct manager *m)
{
	return watch_set(m, &m->control, EPOLLIN);
}

void
control_server_done(struct manager *m)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		operator_close(m, &m->clients[i]);
}
