/*
 * takeover.c - see takeover.h.
 */
#include "launcher/manager/takeover.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/control_server.h"
#include "launcher/manager/depend.h"
#include "launcher/manager/job.h"
#include "launcher/manager/link.h"
#include "launcher/manager/policy.h"
#include "launcher/manager/service.h"
#include "launcher/manager/socket.h"
#include "launcher/manager/spawner.h"

/* What is not there must not be polled, and nothing else may sit at its number. */
static int
check_fd(int fd, const char *what, struct why *why)
{
	if (fcntl(fd, F_GETFD) < 0)
		return why_set(why, -errno, "descriptor %d, %s", fd, what);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return why_set(why, -errno, "descriptor %d, %s: close-on-exec", fd, what);
	return 0;
}

static bool
same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* heritage.h: what stands for a listener that is not open. */
static int
build_listener(struct listener *l, int fd, struct why *why)
{
	const int r = check_fd(fd, "a listener", why);

	if (r < 0)
		return r;
	l->absent = same_file(fd, HERITAGE_PLAN)       ? SOCKET_CONDITION
		    : same_file(fd, HERITAGE_NOTEBOOK) ? SOCKET_ASSERT
						       : SOCKET_SUCCESS;
	l->watch.fd = l->absent ? -EBADF : fd;
	return 0;
}

static int
build_notify(struct manager *m, struct why *why)
{
	int fd = HERITAGE_FIRST + (int)m->plan->n_listens;

	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		struct unit *u = &m->units[i];
		int r;

		if (u->plan->kind != UNIT_SERVICE ||
		    u->plan->service.notify_access == NOTIFY_ACCESS_NONE)
			continue;
		r = check_fd(fd, "a notify socket", why);
		if (r < 0)
			return r;
		service_notify_init(&u->service, fd++);
		service_notify_update(m, &u->service);
	}
	return 0;
}

/* A record for each unit, then one for each instance there may be. */
static uint32_t
count_notes(const struct plan *p)
{
	uint32_t n = p->n_units;

	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		if (u->kind == UNIT_SOCKET && u->socket.accept &&
		    u->socket.max_connections < PROCESSES_MAX)
			n += u->socket.max_connections;
	}
	return n;
}

void
takeover_count(struct manager *m)
{
	m->n_notes = count_notes(m->plan);
}

static int
build_pools(struct manager *m, struct why *why)
{
	uint32_t note = m->plan->n_units;

	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		struct unit *u = &m->units[i];

		if (u->plan->kind != UNIT_SOCKET || !u->plan->socket.accept)
			continue;
		if (u->plan->socket.max_connections >= PROCESSES_MAX)
			return why_set(why, -E2BIG, "%s: MaxConnections=%u",
			    plan_str(m->plan, u->plan->id), u->plan->socket.max_connections);
		if (accept_init(m, &u->socket, note) < 0)
			return why_set(why, -ENOMEM, "instances");
		note += u->plan->socket.max_connections;
		u->socket.service->accepts = &u->socket;
	}
	return 0;
}

int
takeover_build(struct manager *m, struct why *why)
{
	int r;

	m->units = calloc(m->plan->n_units ? m->plan->n_units : 1, sizeof(*m->units));
	m->listeners = calloc(m->plan->n_listens ? m->plan->n_listens : 1, sizeof(*m->listeners));
	if (!m->units || !m->listeners)
		return why_set(why, -ENOMEM, "units");
	for (uint32_t i = 0; i < m->plan->n_listens; i++) {
		r = build_listener(&m->listeners[i], HERITAGE_FIRST + (int)i, why);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		m->units[i].plan = plan_unit(m->plan, i);
	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		struct unit *u = &m->units[i];

		if (u->plan->kind == UNIT_SERVICE)
			service_init(m, &u->service, u, i);
		else if (!plan_unit(m->plan, u->plan->socket.service) ||
			 plan_unit(m->plan, u->plan->socket.service)->kind != UNIT_SERVICE)
			return why_set(why, -EBADMSG, "%s: starts no service of the plan",
			    plan_str(m->plan, u->plan->id));
		else
			socket_init(m, &u->socket, u);
	}
	if (depend_init(m) < 0)
		return why_set(why, -ENOMEM, "dependencies");
	r = build_pools(m, why);
	return r < 0 ? r : build_notify(m, why);
}

void
takeover_done(struct manager *m)
{
	for (uint32_t i = 0; m->units && i < m->plan->n_units; i++)
		if (m->units[i].plan && m->units[i].plan->kind == UNIT_SOCKET)
			accept_done(&m->units[i].socket);
	depend_done(m);
	free(m->units);
	free(m->listeners);
	m->units = NULL;
	m->listeners = NULL;
}

void
takeover_learn(struct manager *m, struct unit *u, const struct msg *msg)
{
	/* Of an instance each process but the main one is let go: there can be but one anyhow. */
	struct service *s = u->accepts && msg->slot != COMMAND_SPAWN
				? accept_learn(m, u->accepts, msg->seq)
				: &u->service;
	struct note n;
	const bool forking = u->plan->service.type == SERVICE_FORKING;
	const bool is_main = msg->slot == COMMAND_ADOPT || msg->slot == COMMAND_SPAWN ||
			     (msg->slot == COMMAND_START && !forking);
	struct process *p;

	if (!s)
		return; /* more than MaxConnections=: it ends some day, unobserved */
	p = is_main ? &s->main : &s->control;
	/* Two of a kind: one was left behind (SendSIGKILL=no). The notebook has the number of the
	 * one that counts. */
	if (process_alive(p) &&
	    !(notebook_read(&m->notebook, s->note, &n) && is_main && n.seq == msg->seq))
		return;
	*p = (struct process){
		.state = msg->flags & MSG_INSTANCE_EXECUTED ? PROCESS_RUNNING : PROCESS_ASKED,
		.id = msg->instance,
		.pid = msg->pid,
		.slot = msg->slot,
		.command = msg->command,
		.started_usec = msg->started_usec,
		.seq = msg->seq,
	};
	m->by_slot[msg->instance.slot] = s;
	if (msg->pid == 0) /* STARTED may say that there never was one */
		m->by_seq[msg->seq % PROCESSES_MAX] = s;
}

/* The state that fits the processes there are, when the notebook does not say or says nonsense. */
static enum service_state
state_by_processes(const struct service *s)
{
	if (s->control.state != PROCESS_NONE)
		switch (s->control.slot) {
		case COMMAND_CHECK:
			return STATE_CONDITION;
		case COMMAND_START:
			return STATE_START;
		case COMMAND_CLEAN:
			return STATE_CLEANING;
		case COMMAND_START_PRE:
			return STATE_START_PRE;
		case COMMAND_START_POST:
			return STATE_START_POST;
		case COMMAND_RELOAD:
			return STATE_RELOAD;
		case COMMAND_STOP:
			return STATE_STOP;
		default:
			return STATE_STOP_POST;
		}
	if (s->main.state == PROCESS_ASKED)
		return STATE_START;
	/* A server that executed serves, or will tell; better believed than killed. */
	return s->main.state == PROCESS_RUNNING ? STATE_RUNNING : STATE_DEAD;
}

/* May a service with these processes be in this state? */
static bool
state_fits(const struct service *s, enum service_state state)
{
	switch (state) {
	case STATE_DEAD:
	case STATE_FAILED:
	case STATE_AUTO_RESTART:
	case STATE_EXITED:
		return s->main.state == PROCESS_NONE && s->control.state == PROCESS_NONE;
	case STATE_CONDITION:
	case STATE_CLEANING:
	case STATE_START_PRE:
	case STATE_START_POST:
	case STATE_RELOAD:
	case STATE_STOP:
	case STATE_STOP_POST:
		return s->control.state != PROCESS_NONE;
	case STATE_START:
		if (s->unit->service.type == SERVICE_FORKING)
			return true; /* with none, its PID file is waited for */
		return s->main.state != PROCESS_NONE;
	case STATE_RUNNING:
		return s->main.state != PROCESS_NONE;
	case STATE_STOP_WATCHDOG:
	case STATE_STOP_SIGTERM:
	case STATE_STOP_SIGKILL:
	case STATE_FINAL_SIGTERM:
	case STATE_FINAL_SIGKILL:
		return s->main.state != PROCESS_NONE || s->control.state != PROCESS_NONE;
	case STATE_END:
		break;
	}
	return false;
}

/* It was on its way somewhere when the manager died, and what it waited for never came: the
 * request was lost with that manager, or its end was already told to it. */
static void
settle_lost(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "lost while in state %s",
	    service_state_name(s->state));
	if (s->result == RESULT_SUCCESS && !s->forbid_restart)
		s->result = RESULT_RESOURCES;
	s->state = s->forbid_restart ? STATE_FINAL_SIGTERM : STATE_FINAL_SIGKILL;
	service_event(m, s, EVENT_MAIN_EXITED); /* nothing is alive: dead, or started again */
}

static void
settle_service(struct manager *m, struct service *s, bool noted)
{
	const enum service_state fits = state_by_processes(s);

	if (noted && !state_fits(s, s->state) && fits == STATE_DEAD) {
		settle_lost(m, s);
		return;
	}
	if (!noted || !state_fits(s, s->state))
		s->state = fits;
	if (process_alive(&s->main) || process_alive(&s->control))
		log_unit(LOG_LEVEL_INFO, service_name(m, s), "taken over, %s, pid %d",
		    service_state_name(s->state),
		    (int)(process_alive(&s->main) ? s->main.pid : s->control.pid));
	service_set_state(m, s, s->state); /* starts its timer afresh */
	if (s->state == STATE_START && s->main.state == PROCESS_RUNNING) {
		if (s->ready)
			service_event(m, s, EVENT_READY);
		service_event(m, s, EVENT_MAIN_STARTED); /* nothing to a Type=notify */
	}
	if (s->state == STATE_START && !process_alive(&s->main) && !process_alive(&s->control))
		service_adopt(m, s, 0);
}

static void
settle_unit(struct manager *m, struct unit *u)
{
	struct process main = u->service.main;
	struct note n;
	const bool noted = notebook_read(&m->notebook, u->plan->index, &n);

	if (u->plan->kind == UNIT_SOCKET) {
		ACCEPT_FOREACH(&u->socket, s)
		settle_service(m, s, s->name[0] != '\0' && s->since_usec > 0);
		if (noted)
			socket_restore(m, &u->socket, &n);
		else if (u->plan->wanted)
			job_request(m, u, JOB_START);
		return;
	}
	if (u->accepts) {
		service_notify_update(m, &u->service);
		return; /* a template itself is never started */
	}
	if (noted)
		service_restore(&u->service, &n);
	if (process_alive(&main))
		u->service.main = main; /* the monitor knows better */
	service_notify_update(m, &u->service);
	settle_service(m, &u->service, noted);
	if (noted && n.job < JOB_KIND_END && n.job != JOB_NONE)
		job_request(m, u, (enum job_kind)n.job);
	else if (!noted && u->plan->wanted)
		job_request(m, u, JOB_START);
}

void
takeover_settle(struct manager *m)
{
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		settle_unit(m, &m->units[i]);
	/* Only now is every service's state known. */
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		unit_changed(m, &m->units[i]);
	if (control_server_open(m) < 0)
		log_error("control socket: cannot be polled");
}

void
takeover_stop_all(struct manager *m)
{
	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		job_request(m, &m->units[i], JOB_STOP);
		if (m->units[i].plan->kind == UNIT_SOCKET)
			ACCEPT_FOREACH(&m->units[i].socket, s)
		service_event(m, s, EVENT_STOP);
		if (m->units[i].plan->kind == UNIT_SOCKET && m->units[i].plan->socket.accept)
			spawner_stop(m, &m->units[i].socket);
	}
}
