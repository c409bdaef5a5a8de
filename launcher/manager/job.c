/*
 * job.c - see job.h.
 */
#include "launcher/manager/job.h"

#include <assert.h>

#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/control_server.h"
#include "launcher/manager/depend.h"
#include "launcher/manager/service.h"
#include "launcher/manager/socket.h"

static const char *const job_names[] = {
	[JOB_NONE] = "none",
	[JOB_START] = "start",
	[JOB_STOP] = "stop",
	[JOB_RESTART] = "restart",
	[JOB_RELOAD] = "reload",
};
static_assert(ELEMENTSOF(job_names) == JOB_KIND_END, "a name per kind");

const char *
job_name(enum job_kind kind)
{
	return job_names[kind];
}

void
unit_changed(struct manager *m, struct unit *u)
{
	if (u->changed)
		return;
	u->changed = true;
	u->next_changed = NULL;
	*m->changed_tail = u;
	m->changed_tail = &u->next_changed;
}

/* A successor has to know what was still to be done. */
static void
unit_save(struct manager *m, const struct unit *u)
{
	if (u->plan->kind == UNIT_SERVICE)
		service_save(m, &u->service);
	else
		socket_save(m, &u->socket);
}

void
job_request(struct manager *m, struct unit *u, enum job_kind kind)
{
	if (m->stopping && kind != JOB_STOP)
		return;
	if (u->job == kind || u->plan->is_template)
		return;
	if (u->job != JOB_NONE)
		control_job_done(m, u, ECANCELED, "another job took its place");
	u->job = kind;
	u->job_begun = false;
	unit_save(m, u);
	unit_changed(m, u);
	depend_request(m, u, kind);
}

/* Whoever waited for a job by After= may go on. */
static void
wake_blocked(struct manager *m)
{
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->units[i].blocked) {
			m->units[i].blocked = false;
			unit_changed(m, &m->units[i]);
		}
}

static void
job_finish(struct manager *m, struct unit *u, int error, const char *text)
{
	const enum job_kind kind = u->job;

	u->job = JOB_NONE;
	u->job_begun = false;
	unit_save(m, u);
	control_job_done(m, u, error, text);
	if (kind == JOB_START && error != 0)
		depend_failed(m, u);
	wake_blocked(m);
	unit_changed(m, u); /* its sockets look at the job too */
}

void
job_fail(struct manager *m, struct unit *u, const char *text)
{
	job_finish(m, u, EIO, text);
}

static void
job_finish_by_result(struct manager *m, struct unit *u)
{
	const enum service_result r = u->service.result;

	if (r == RESULT_SUCCESS || r == RESULT_CONDITION)
		job_finish(m, u, 0, "");
	else
		job_finish(m, u, EIO, service_result_name(r));
}

/* Tells the state machine, once. */
static void
job_begin(struct manager *m, struct unit *u, enum service_event event)
{
	if (u->job_begun)
		return;
	u->job_begun = true;
	service_event(m, &u->service, event);
}

static void
job_step_start(struct manager *m, struct unit *u)
{
	const enum service_state state = u->service.state;

	if (service_is_up(state))
		job_finish(m, u, 0, "");
	else if (service_is_stopping(state))
		return; /* started once it is down, or about to fail */
	else if (!u->job_begun)
		job_begin(m, u, EVENT_START);
	else if (service_is_down(state) || state == STATE_AUTO_RESTART)
		job_finish_by_result(m, u);
}

static void
job_step_stop(struct manager *m, struct unit *u)
{
	if (service_is_down(u->service.state))
		job_finish(m, u, 0, "");
	else
		job_begin(m, u, EVENT_STOP);
}

static void
job_step_restart(struct manager *m, struct unit *u)
{
	if (!service_is_down(u->service.state)) {
		u->service.for_restart = true;
		job_begin(m, u, EVENT_STOP);
		return;
	}
	u->job = JOB_START;
	u->job_begun = false;
	wake_blocked(m); /* what had to wait until this one was down */
	unit_changed(m, u);
}

static void
job_step_reload(struct manager *m, struct unit *u)
{
	const bool could =
	    u->service.state == STATE_RUNNING && plan_command(m->plan, u->plan, COMMAND_RELOAD, 0);

	if (!u->job_begun && !could)
		job_finish(m, u, ENOTSUP, "not running, or it has no ExecReload=");
	else if (!u->job_begun)
		job_begin(m, u, EVENT_RELOAD);
	else if (u->service.state != STATE_RELOAD)
		job_finish_by_result(m, u);
}

static void
job_step_socket(struct manager *m, struct unit *u)
{
	const char *failure = NULL;

	if (u->job == JOB_STOP || u->job == JOB_RESTART)
		socket_stop(m, &u->socket);
	if (u->job == JOB_START || u->job == JOB_RESTART)
		failure = socket_start(m, &u->socket);
	if (u->job == JOB_RELOAD)
		job_finish(m, u, ENOTSUP, "a socket has nothing to reload");
	else
		job_finish(m, u, failure ? EIO : 0, failure ? failure : "");
}

static void
job_step(struct manager *m, struct unit *u)
{
	const struct unit *missing;

	if (u->job == JOB_NONE)
		return;
	u->blocked = !u->job_begun && depend_waits(m, u);
	if (u->blocked)
		return;
	missing =
	    u->job == JOB_START && !u->job_begun && !unit_is_up(u) ? depend_missing(m, u) : NULL;
	if (missing) {
		log_unit(LOG_LEVEL_ERROR, plan_str(m->plan, u->plan->id),
		    "not started: %s is not there", plan_str(m->plan, missing->plan->id));
		job_fail(m, u, "dependency");
		return;
	}
	if (u->plan->kind == UNIT_SOCKET) {
		job_step_socket(m, u);
		return;
	}
	switch (u->job) {
	case JOB_START:
		job_step_start(m, u);
		break;
	case JOB_STOP:
		job_step_stop(m, u);
		break;
	case JOB_RESTART:
		job_step_restart(m, u);
		break;
	case JOB_RELOAD:
		job_step_reload(m, u);
		break;
	case JOB_NONE:
	case JOB_KIND_END:
		break;
	}
}

/* The sockets that start it, or that it gets. */
static void
sockets_of_changed(struct manager *m, struct unit *u)
{
	PLAN_FOREACH (m->plan, u->plan->service.sockets, struct plan_index, x)
		socket_service_changed(m, &m->units[x->index].socket);
}

/* Everything is down: nothing more to do here. */
static void
settle_leave(struct manager *m)
{
	log_debug("every service is down");
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->units[i].plan->kind == UNIT_SOCKET)
			socket_give_back(&m->units[i].socket);
	m->leave = true;
}

static bool
all_down(const struct manager *m)
{
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->units[i].plan->kind == UNIT_SERVICE
			? !service_is_down(m->units[i].service.state) ||
			      process_alive(&m->units[i].service.main) /* a spawner */
			: m->units[i].socket.n_connections > 0)
			return false;
	return true;
}

void
settle(struct manager *m)
{
	while (m->changed) {
		struct unit *u = m->changed;

		m->changed = u->next_changed;
		if (!m->changed)
			m->changed_tail = &m->changed;
		u->changed = false;
		if (u->accepts)
			accept_collect(m, u->accepts);
		job_step(m, u);
		if (u->plan->kind == UNIT_SERVICE)
			sockets_of_changed(m, u);
		else
			socket_settle(m, &u->socket);
		if (u->job == JOB_NONE && unit_is_down(u) && m->link.settled)
			depend_went_down(m, u);
	}
	if (m->stopping && m->link.settled && all_down(m))
		settle_leave(m);
}
