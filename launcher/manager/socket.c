/*
 * socket.c - see socket.h.
 */
#include "launcher/manager/socket.h"

#include <assert.h>
#include <sys/epoll.h>

#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/depend.h"
#include "launcher/manager/job.h"
#include "launcher/manager/listener.h"
#include "launcher/manager/policy.h"
#include "launcher/manager/service.h"

/* After so long without a pause the next one is short again. */
#define PAUSE_FORGET_USEC (60 * USEC_PER_SEC)

static const char *const socket_names[SOCKET_STATE_END][2] = {
	[SOCKET_DEAD] = { "dead", "inactive" },
	[SOCKET_LISTENING] = { "listening", "active" },
	[SOCKET_RUNNING] = { "running", "active" },
	[SOCKET_FAILED] = { "failed", "failed" },
};

static const char *const socket_results[SOCKET_RESULT_END] = {
	[SOCKET_SUCCESS] = "success",
	[SOCKET_RESOURCES] = "resources",
	[SOCKET_TRIGGER_LIMIT] = "trigger-limit-hit",
	[SOCKET_SERVICE_START_LIMIT] = "service-start-limit-hit",
	[SOCKET_CONDITION] = "success", /* ConditionResult= tells, AssertResult= of the next */
	[SOCKET_ASSERT] = "success",
};

const char *
socket_result_name(uint32_t result)
{
	return result < SOCKET_RESULT_END ? socket_results[result] : "?";
}

const char *
socket_state_name(uint32_t state)
{
	return state < SOCKET_STATE_END ? socket_names[state][0] : "?";
}

const char *
socket_active_name(uint32_t state)
{
	return state < SOCKET_STATE_END ? socket_names[state][1] : "?";
}

static const char *
socket_name(const struct manager *m, const struct socket *k)
{
	return plan_str(m->plan, k->unit->id);
}

void
socket_save(struct manager *m, const struct socket *k)
{
	const struct note n = {
		.state = k->state,
		.result = k->result,
		.job = k->owner->job,
		.since_usec = k->since_usec,
		.n_accepted = k->n_accepted,
		.n_starts = k->n_triggers,
		.window_usec = k->window_usec,
		.n_pauses = k->n_pauses,
		.pause_usec = k->pause_usec,
	};

	notebook_write(&m->notebook, k->unit->index, &n);
}

/* Does a process have it that goes on to serve? With Accept=yes none does. */
static bool
socket_is_held(const struct manager *m, const struct socket *k)
{
	for (uint32_t i = 0; !k->unit->socket.accept && i < m->plan->n_units; i++) {
		const struct unit *u = &m->units[i];

		if (u->plan->kind != UNIT_SERVICE || !process_alive(&u->service.main))
			continue;
		PLAN_FOREACH (m->plan, u->plan->service.sockets, struct plan_index, x)
			if (x->index == k->unit->index)
				return true;
	}
	return false;
}

static bool
wants_shut(const struct manager *m, const struct socket *k)
{
	const enum job_kind job = k->owner->job;

	if (m->stopping)
		return k->shut;
	/* A service that was started while it was shut has not got it. */
	return unit_is_down(k->owner) && job != JOB_START && job != JOB_RESTART && !k->absent &&
	       (k->shut || !socket_is_held(m, k));
}

/* Where a kernel socket cannot be shut for a while, connections are taken and closed. */
static bool
turns_away(const struct socket *k, const struct listener *l)
{
	return k->shut && !listener_can_shut(l, &k->unit->socket) &&
	       (l->listen->kind == LISTEN_STREAM || l->listen->kind == LISTEN_SEQPACKET);
}

static void
socket_poll(struct manager *m, struct socket *k)
{
	const bool want = k->state == SOCKET_LISTENING && k->pause_usec == 0;

	for (uint32_t i = 0; i < k->n_listeners && !k->absent; i++) {
		struct listener *l = &k->listeners[i];

		if (watch_set(m, &l->watch, want || turns_away(k, l) ? EPOLLIN : 0) < 0)
			log_unit(LOG_LEVEL_ERROR, socket_name(m, k), "%s: cannot be polled",
			    plan_str(m->plan, l->listen->text));
	}
}

/* All of its listeners. Return: 0, or -errno of one that could not listen again. */
static int
set_shut(struct socket *k, bool shut)
{
	int r = 0;

	for (uint32_t i = 0; i < k->n_listeners && r == 0; i++) {
		const struct listener *l = &k->listeners[i];

		if (!listener_can_shut(l, &k->unit->socket))
			continue;
		if (shut)
			listener_shut(l);
		else
			r = listener_reopen(l, &k->unit->socket);
	}
	if (r == 0)
		k->shut = shut;
	return r;
}

static void
socket_set_state(struct manager *m, struct socket *k, enum socket_state state)
{
	const enum socket_state from = k->state;

	if (from != state) {
		k->state = state;
		k->since_usec = clock_usec();
		log_unit(LOG_LEVEL_DEBUG, socket_name(m, k), "%s", socket_state_name(state));
	}
	if (from == SOCKET_RUNNING && state == SOCKET_LISTENING && k->unit->socket.flush_pending)
		for (uint32_t i = 0; i < k->n_listeners; i++)
			listener_flush(&k->listeners[i]);
	socket_poll(m, k);
	socket_save(m, k);
	unit_changed(m, k->owner);
}

static void
socket_pause_over(struct manager *m, void *owner)
{
	struct socket *k = owner;

	k->pause_usec = 0;
	socket_poll(m, k);
	socket_save(m, k);
}

void
socket_pause(struct manager *m, struct socket *k, uint64_t usec, const char *reason)
{
	k->pause_usec = clock_usec() + usec;
	timer_set(&m->timers, &k->timer, k->pause_usec);
	log_unit(LOG_LEVEL_WARNING, socket_name(m, k), "%s: not polled for %llu ms", reason,
	    (unsigned long long)(usec / 1000));
	socket_poll(m, k);
	socket_save(m, k);
}

static void
socket_fail(struct manager *m, struct socket *k, enum socket_result result)
{
	log_unit(LOG_LEVEL_ERROR, socket_name(m, k), "failed, result %s, until it is started again",
	    socket_result_name(result));
	timer_stop(&m->timers, &k->timer);
	k->pause_usec = 0;
	k->result = result;
	socket_set_state(m, k, SOCKET_FAILED);
}

void
socket_shed(struct manager *m, struct socket *k, uint64_t usec, const char *reason)
{
	if (k->state == SOCKET_LISTENING && k->pause_usec == 0)
		socket_pause(m, k, usec, reason);
}

/* Where systemd fails the socket until somebody starts it again, we come back, later each time. */
static void
pause_longer(struct manager *m, struct socket *k, uint64_t now_usec, const char *reason)
{
	const struct service *s = &k->service->service;
	uint64_t usec;

	if (k->n_pauses > 0 && now_usec > k->pause_end_usec &&
	    now_usec - k->pause_end_usec > PAUSE_FORGET_USEC)
		k->n_pauses = 0;
	k->n_pauses++;
	usec = policy_pause_usec(k->n_pauses);
	/* Before its window is over the service would not start anyhow. */
	if (s->result == RESULT_START_LIMIT &&
	    s->window_usec + s->unit->service.start_limit_usec > now_usec + usec)
		usec = s->window_usec + s->unit->service.start_limit_usec - now_usec;
	k->pause_end_usec = now_usec + usec;
	k->n_triggers = k->n_polls = 0;
	socket_pause(m, k, usec, reason);
}

bool
socket_may_trigger(struct manager *m, struct socket *k)
{
	const struct plan_socket *p = &k->unit->socket;
	const bool fails = p->trigger_limit_action == TRIGGER_LIMIT_FAIL;
	const uint64_t now = clock_usec();

	if (!policy_limit(&k->window_usec, &k->n_triggers, now, p->trigger_limit_usec,
		p->trigger_limit_burst)) {
		if (fails)
			socket_fail(m, k, SOCKET_TRIGGER_LIMIT);
		else
			pause_longer(m, k, now, "TriggerLimitBurst= is reached");
		return false;
	}
	if (policy_limit(&k->polls_usec, &k->n_polls, now, p->poll_limit_usec, p->poll_limit_burst))
		return true;
	/* Many connections are no fault of the service: only until the interval is over. One that
	 * leaves what woke it would be started over and over, where that is no failure in the end. */
	if (p->accept || fails)
		socket_pause(
		    m, k, k->polls_usec + p->poll_limit_usec - now, "PollLimitBurst= is reached");
	else
		pause_longer(m, k, now, "PollLimitBurst= is reached");
	return false;
}

static void
socket_listener_ready(struct manager *m, void *owner, uint32_t events)
{
	const struct listener *l = owner;
	struct socket *k = l->socket;

	(void)events; /* EPOLLHUP too: whoever starts will see what is wrong with it */
	if (turns_away(k, l)) {
		listener_flush(l);
		return;
	}
	if (k->state != SOCKET_LISTENING || k->pause_usec != 0 || m->stopping)
		return;
	if (k->unit->socket.accept) {
		accept_ready(m, k, l->watch.fd);
		return;
	}
	if (!socket_may_trigger(m, k))
		return;
	log_unit(LOG_LEVEL_INFO, socket_name(m, k), "traffic on %s: starting %s",
	    plan_str(m->plan, l->listen->text), plan_str(m->plan, k->service->plan->id));
	socket_set_state(m, k, SOCKET_RUNNING);
	job_request(m, k->service, JOB_START);
}

void
socket_init(struct manager *m, struct socket *k, struct unit *u)
{
	uint32_t n = 0;

	*k = (struct socket){ .unit = u->plan, .owner = u };
	k->timer.fire = socket_pause_over;
	k->timer.owner = k;
	k->service = &m->units[u->plan->socket.service];
	PLAN_FOREACH (m->plan, u->plan->socket.listens, struct plan_listen, l) {
		struct listener *x = &m->listeners[l->index];

		if (n++ == 0)
			k->listeners = x;
		assert(x == k->listeners + (n - 1)); /* one unit's listeners follow each other */
		x->listen = l;
		x->socket = k;
		x->watch.rank = WATCH_LISTENER;
		x->watch.ready = socket_listener_ready;
		x->watch.owner = x;
		if (x->absent)
			k->absent = x->absent;
	}
	k->n_listeners = n;
}

void
socket_restore(struct manager *m, struct socket *k, const struct note *n)
{
	k->state = n->state < SOCKET_STATE_END ? (enum socket_state)n->state : SOCKET_LISTENING;
	k->result = n->result < SOCKET_RESULT_END ? (enum socket_result)n->result : SOCKET_SUCCESS;
	/* Whether it was shut is not noted: both can be done twice. socket_settle() does. */
	k->shut = !unit_is_down(k->owner);
	k->since_usec = n->since_usec;
	k->n_accepted = n->n_accepted;
	k->n_triggers = n->n_starts;
	k->window_usec = n->window_usec;
	k->n_pauses = n->n_pauses;
	k->pause_usec = n->pause_usec;
	if (k->pause_usec != 0)
		timer_set(&m->timers, &k->timer, k->pause_usec);
	socket_poll(m, k);
}

void
socket_settle(struct manager *m, struct socket *k)
{
	const bool shut = wants_shut(m, k);

	if (k->shut == shut || !m->link.settled)
		return;
	if (set_shut(k, shut) < 0)
		socket_fail(m, k, SOCKET_RESOURCES);
	else
		log_unit(LOG_LEVEL_DEBUG, socket_name(m, k),
		    shut ? "turns clients away" : "listens again");
	socket_poll(m, k);
}

void
socket_give_back(struct socket *k)
{
	if (k->shut)
		(void)set_shut(k, false); /* nobody is left to be told */
}

const char *
socket_start(struct manager *m, struct socket *k)
{
	if (k->state == SOCKET_LISTENING || k->state == SOCKET_RUNNING)
		return NULL;
	k->result = k->absent;
	if (k->absent) {
		socket_save(m, k);
		return k->absent == SOCKET_ASSERT ? "assert" : NULL;
	}
	if (k->shut && !service_is_down(k->service->service.state))
		return "its service was started without it, and runs";
	if (k->shut && set_shut(k, false) < 0) {
		socket_fail(m, k, SOCKET_RESOURCES);
		return socket_result_name(SOCKET_RESOURCES);
	}
	log_unit(LOG_LEVEL_DEBUG, socket_name(m, k), "waiting for traffic");
	k->n_pauses = k->n_triggers = k->n_polls = 0;
	k->pause_usec = 0;
	timer_stop(&m->timers, &k->timer);
	socket_set_state(m, k, SOCKET_LISTENING);
	socket_service_changed(m, k);
	return NULL;
}

void
socket_stop(struct manager *m, struct socket *k)
{
	if (k->state == SOCKET_DEAD)
		return;
	log_unit(LOG_LEVEL_INFO, socket_name(m, k), "no longer waiting for traffic");
	timer_stop(&m->timers, &k->timer);
	k->pause_usec = 0;
	k->result = SOCKET_SUCCESS;
	socket_set_state(m, k, SOCKET_DEAD);
}

void
socket_reset_failed(struct manager *m, struct socket *k)
{
	if (k->state != SOCKET_FAILED)
		return;
	k->result = SOCKET_SUCCESS;
	socket_set_state(m, k, SOCKET_DEAD);
}

void
socket_service_changed(struct manager *m, struct socket *k)
{
	const bool down = service_is_down(k->service->service.state) && k->service->job == JOB_NONE;

	if (k->state == SOCKET_RUNNING && down) {
		socket_set_state(m, k, SOCKET_LISTENING);
		if (k->service->service.result == RESULT_START_LIMIT &&
		    k->unit->socket.trigger_limit_action == TRIGGER_LIMIT_FAIL)
			socket_fail(m, k, SOCKET_SERVICE_START_LIMIT);
		else if (k->service->service.result == RESULT_START_LIMIT)
			pause_longer(m, k, clock_usec(), "its service was started too often");
	}
	if (k->state == SOCKET_LISTENING && !down)
		socket_set_state(m, k, SOCKET_RUNNING);
	socket_settle(m, k);
}
