/*
 * socket.c - see socket.h.
 */
#include "launcher/manager/socket.h"

#include <assert.h>
#include <sys/epoll.h>

#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/flush.h"
#include "launcher/manager/job.h"
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

static void
socket_poll(struct manager *m, struct socket *k)
{
	const bool want = k->state == SOCKET_LISTENING && k->pause_usec == 0;

	for (uint32_t i = 0; i < k->n_listeners; i++) {
		struct listener *l = &k->listeners[i];

		if (watch_set(m, &l->watch, want ? EPOLLIN : 0) < 0)
			log_unit(LOG_LEVEL_ERROR, socket_name(m, k), "%s: cannot be polled",
			    plan_str(m->plan, l->listen->text));
	}
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
			flush_listener(&k->listeners[i]);
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

/* Where systemd fails the socket until somebody starts it again, we come back, later each time. */
static void
pause_longer(struct manager *m, struct socket *k, uint64_t now_usec, const char *reason)
{
	if (k->n_pauses > 0 && now_usec > k->pause_end_usec &&
	    now_usec - k->pause_end_usec > PAUSE_FORGET_USEC)
		k->n_pauses = 0;
	k->n_pauses++;
	k->pause_end_usec = now_usec + policy_pause_usec(k->n_pauses);
	k->n_triggers = k->n_polls = 0;
	socket_pause(m, k, policy_pause_usec(k->n_pauses), reason);
}

bool
socket_may_trigger(struct manager *m, struct socket *k)
{
	const struct plan_socket *p = &k->unit->socket;
	const uint64_t now = clock_usec();

	if (!policy_limit(&k->window_usec, &k->n_triggers, now, p->trigger_limit_usec,
		p->trigger_limit_burst)) {
		pause_longer(m, k, now, "TriggerLimitBurst= is reached");
		return false;
	}
	if (policy_limit(&k->polls_usec, &k->n_polls, now, p->poll_limit_usec, p->poll_limit_burst))
		return true;
	/* Many connections are no fault of the service: only until the interval is over. One that
	 * leaves what woke it would be started over and over. */
	if (p->accept)
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
	}
	k->n_listeners = n;
}

void
socket_restore(struct manager *m, struct socket *k, const struct note *n)
{
	k->state = n->state < SOCKET_STATE_END ? (enum socket_state)n->state : SOCKET_LISTENING;
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
socket_start(struct manager *m, struct socket *k)
{
	if (k->state == SOCKET_LISTENING || k->state == SOCKET_RUNNING)
		return;
	log_unit(LOG_LEVEL_DEBUG, socket_name(m, k), "waiting for traffic");
	k->n_pauses = 0;
	k->pause_usec = 0;
	timer_stop(&m->timers, &k->timer);
	socket_set_state(m, k, SOCKET_LISTENING);
	socket_service_changed(m, k);
}

void
socket_stop(struct manager *m, struct socket *k)
{
	if (k->state == SOCKET_DEAD)
		return;
	log_unit(LOG_LEVEL_INFO, socket_name(m, k), "no longer waiting for traffic");
	timer_stop(&m->timers, &k->timer);
	k->pause_usec = 0;
	socket_set_state(m, k, SOCKET_DEAD);
}

void
socket_service_changed(struct manager *m, struct socket *k)
{
	const bool down = service_is_down(k->service->service.state) && k->service->job == JOB_NONE;

	if (k->state == SOCKET_RUNNING && down) {
		socket_set_state(m, k, SOCKET_LISTENING);
		if (k->service->service.result == RESULT_START_LIMIT)
			pause_longer(m, k, clock_usec(), "its service was started too often");
	}
	if (k->state == SOCKET_LISTENING && !down)
		socket_set_state(m, k, SOCKET_RUNNING);
}
