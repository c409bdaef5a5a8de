/*
 * service.c - a service's processes and the bookkeeping around its state. See service.h.
 * Runs as: manager.
 */
#include "launcher/manager/service.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"
#include "launcher/enter/enter.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/link.h"
#include "launcher/manager/policy.h"
#include "launcher/manager/socket.h"
#include "launcher/manager/spawner.h"

/* The file is the service's to write, somewhere we cannot look: the monitor does, so often. */
#define ADOPT_AGAIN_USEC UINT64_C(100000)
#define FORK_AGAIN_USEC USEC_PER_SEC
/* So many connections wait here for an image; beyond, the monitor's copy must do. */
#define HELD_MAX 128u

static void
service_timer_fired(struct manager *m, void *owner)
{
	service_event(m, owner, EVENT_TIMEOUT);
}

static void
service_watchdog_fired(struct manager *m, void *owner)
{
	service_event(m, owner, EVENT_WATCHDOG);
}

/* systemd.service(5), WatchdogSec=: from the start being done until the stop begins. */
static bool
watchdog_runs(const struct service *s)
{
	return s->watchdog_usec > 0 && s->watchdog_usec != USEC_INFINITY &&
	       (s->state == STATE_START_POST || s->state == STATE_RUNNING ||
		   s->state == STATE_RELOAD);
}

void
service_watchdog(struct manager *m, struct service *s)
{
	timer_set(&m->timers, &s->watchdog,
	    watchdog_runs(s) ? clock_usec() + s->watchdog_usec : USEC_INFINITY);
}

static void
service_again_due(struct manager *m, void *owner)
{
	struct service *s = owner;
	const bool forking = s->unit->service.type == SERVICE_FORKING;

	if (s->state != STATE_START || process_alive(&s->main) || process_alive(&s->control))
		return;
	if (s->connection >= 0)
		service_run(m, s, forking ? &s->control : &s->main, COMMAND_START, s->command);
	else
		service_adopt(m, s, 0);
}

void
service_init(struct manager *m, struct service *s, struct unit *u, uint32_t note)
{
	(void)m;
	*s = (struct service){ .unit = u->plan, .owner = u, .note = note, .in_use = true };
	s->timer.fire = service_timer_fired;
	s->timer.owner = s;
	s->watchdog.fire = service_watchdog_fired;
	s->watchdog.owner = s;
	s->watchdog_usec = u->plan->service.watchdog_usec;
	s->again.fire = service_again_due;
	s->again.owner = s;
	s->notify.fd = s->connection = -EBADF;
	s->inactive_usec = clock_usec();
}

const char *
service_name(const struct manager *m, const struct service *s)
{
	return s->name[0] ? s->name : plan_str(m->plan, s->unit->id);
}

void
service_event(struct manager *m, struct service *s, enum service_event event)
{
	service_dispatch(m, s, event);
	unit_changed(m, s->owner); /* a job may be waiting for just this */
}

void
service_save(struct manager *m, const struct service *s)
{
	struct note n = {
		.state = s->state,
		.result = s->result,
		.n_restarts = s->n_restarts,
		.job = s->owner->job,
		.since_usec = s->since_usec,
		.active_usec = s->active_usec,
		.n_accepted = s->number,
		.main_start_usec = s->main.started_usec,
		.main_exit_usec = s->main.exited_usec,
		.main_pid = s->main.pid,
		.main_code = s->main.code,
		.main_status = s->main.status,
		.error = s->error,
		.n_starts = s->n_starts,
		.window_usec = s->window_usec,
		.command = s->command,
		.flags =
		    (s->forbid_restart ? NOTE_FORBID_RESTART : 0) | (s->ready ? NOTE_READY : 0),
	};

	n.flags |= s->socket && s->in_use ? NOTE_IN_USE : 0;
	n.seq = s->main.seq;
	memcpy(n.status, s->status, sizeof(n.status));
	memcpy(n.name, s->name, sizeof(n.name));
	memcpy(n.source, s->source, sizeof(n.source));
	notebook_write(&m->notebook, s->note, &n);
}

void
service_restore(struct service *s, const struct note *n)
{
	s->state = n->state < STATE_END ? (enum service_state)n->state : STATE_DEAD;
	s->result = n->result < RESULT_END ? (enum service_result)n->result : RESULT_SUCCESS;
	s->since_usec = n->since_usec;
	s->active_usec = n->active_usec;
	s->n_restarts = n->n_restarts;
	s->number = n->n_accepted;
	s->main.started_usec = n->main_start_usec;
	s->main.exited_usec = n->main_exit_usec;
	s->main.pid = n->main_pid > 0 ? n->main_pid : 0;
	s->main.code = n->main_code;
	s->main.status = n->main_status;
	s->error = n->error;
	s->n_starts = n->n_starts;
	s->window_usec = n->window_usec;
	s->command = n->command;
	s->forbid_restart = n->flags & NOTE_FORBID_RESTART;
	s->ready = n->flags & NOTE_READY;
	s->for_restart = n->flags & NOTE_FOR_RESTART;
	s->cleaned = n->flags & NOTE_CLEANED;
	s->next_main = n->next_main > 0 ? n->next_main : 0;
	memcpy(s->status, n->status, sizeof(s->status));
	memcpy(s->name, n->name, sizeof(s->name));
	memcpy(s->source, n->source, sizeof(s->source));
}

/* What an operator wants to read when a service came up or went down. */
static void
log_change(const struct manager *m, const struct service *s, enum service_state from)
{
	const char *name = service_name(m, s);
	/* Connections come by the thousand; only what goes wrong with one is news. */
	const enum log_level level = s->socket ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

	if (service_is_up(s->state) && !service_is_up(from))
		log_unit(level, name, "started, pid %d", (int)s->main.pid);
	else if (s->state == STATE_DEAD && from != STATE_FAILED && from != STATE_CONDITION)
		log_unit(level, name, "stopped");
	else if (s->state == STATE_FAILED && from != STATE_FAILED)
		log_unit(
		    LOG_LEVEL_ERROR, name, "failed, result %s", service_result_name(s->result));
	else if (s->state == STATE_AUTO_RESTART)
		log_unit(LOG_LEVEL_WARNING, name, "result %s; starting again in %llu ms",
		    service_result_name(s->result),
		    (unsigned long long)(s->unit->service.restart_usec / 1000));
	else
		log_unit(LOG_LEVEL_DEBUG, name, "%s", service_state_name(s->state));
}

void
service_set_state(struct manager *m, struct service *s, enum service_state state)
{
	const enum service_state from = s->state;
	const uint64_t now = clock_usec();
	uint64_t limit = policy_timeout_usec(s->unit, state); /* then the time it ends */

	s->state = state;
	s->since_usec = now;
	if (service_is_up(state) && !service_is_up(from))
		s->active_usec = now;
	if (service_is_down(state) && !service_is_down(from))
		s->inactive_usec = now;
	if (limit != USEC_INFINITY)
		limit += state == STATE_RUNNING ? s->active_usec : now;
	timer_set(&m->timers, &s->timer, limit);
	if (!watchdog_runs(s) || s->watchdog.at == 0)
		service_watchdog(m, s);
	if (state != from)
		log_change(m, s, from);
	service_save(m, s);
	unit_changed(m, s->owner);
	if (s->socket && service_is_down(state))
		accept_finished(s);
}

void
service_run(struct manager *m, struct service *s, struct process *p, uint32_t slot, uint32_t n)
{
	const pid_t main_pid = process_alive(&s->main) ? s->main.pid : 0;
	const bool keep = m->n_held <= HELD_MAX || plan_command(m->plan, s->unit, slot, n + 1);
	const int connection = slot == COMMAND_START ? s->connection : -EBADF;

	p->slot = slot;
	p->command = n;
	s->command = n;
	if (connection < 0)
		link_start(m, s, p, p == &s->control ? main_pid : 0, LINK_PASS_NOTHING);
	else if (!keep || p != &s->main || !spawner_run(m, s))
		link_start(m, s, p, p == &s->control ? main_pid : 0,
		    (struct link_pass){ connection, MSG_START_CONNECTION, keep });
	if (connection >= 0 && !keep) {
		s->connection = -EBADF;
		m->n_held--;
	}
	service_notify_update(m, s);
}

void
service_adopt(struct manager *m, struct service *s, pid_t pid)
{
	s->main.slot = COMMAND_ADOPT;
	s->main.command = 0;
	link_start(m, s, &s->main, pid, LINK_PASS_NOTHING);
	service_notify_update(m, s);
	service_save(m, s);
}

void
service_adopt_later(struct manager *m, struct service *s)
{
	timer_set(&m->timers, &s->again, clock_usec() + ADOPT_AGAIN_USEC);
}

enum service_result
service_main_result(const struct manager *m, const struct service *s)
{
	const struct process *p = &s->main;

	if (p->error != 0 && p->exited_usec == 0)
		return RESULT_RESOURCES; /* there was not even a process */
	return policy_result(s->unit, plan_command(m->plan, s->unit, p->slot, p->command),
	    s->unit->service.type != SERVICE_ONESHOT, p->code, p->status);
}

enum service_result
service_control_result(const struct manager *m, const struct service *s)
{
	const struct process *p = &s->control;

	if (p->error != 0 && p->exited_usec == 0)
		return RESULT_RESOURCES;
	return policy_result(s->unit, plan_command(m->plan, s->unit, p->slot, p->command), false,
	    p->code, p->status);
}

static bool
process_is(const struct process *p, const struct msg *msg)
{
	if (p->state == PROCESS_NONE)
		return false;
	/* Only STARTED can tell who it is, or that it is nobody, by our own number. */
	if (p->id.generation == 0 || msg->instance.generation == 0)
		return msg->type == MSG_STARTED && p->seq == msg->seq;
	return p->id.generation == msg->instance.generation && p->id.slot == msg->instance.slot;
}

/* Whose process it is that the monitor speaks of; NULL when we know of none (any more). */
static struct service *
process_owner(struct manager *m, const struct unit *u, const struct msg *msg, struct process **ret)
{
	struct service *const found[] = {
		msg->type == MSG_STARTED ? m->by_seq[msg->seq % PROCESSES_MAX] : NULL,
		m->by_slot[msg->instance.slot],
	};

	for (size_t i = 0; i < ELEMENTSOF(found); i++) {
		struct service *s = found[i];

		if (!s || s->owner != u || !s->in_use)
			continue;
		*ret = process_is(&s->main, msg)      ? &s->main
		       : process_is(&s->control, msg) ? &s->control
						      : NULL;
		if (*ret)
			return s;
	}
	return NULL;
}

static const char *
process_path(const struct manager *m, const struct service *s, const struct process *p)
{
	const struct plan_command *c = plan_command(m->plan, s->unit, p->slot, p->command);

	return c ? plan_str(m->plan, c->path) : p->slot == COMMAND_SPAWN ? "spawner" : "?";
}

/* Out of processes or memory: that passes, and the connection need not know. */
static bool
fork_again(struct manager *m, struct service *s, const struct process *p)
{
	if (s->connection < 0 || s->state != STATE_START || p->slot != COMMAND_START ||
	    (p->error != EAGAIN && p->error != ENOMEM && p->error != EMFILE && p->error != ENFILE))
		return false;
	timer_set(&m->timers, &s->again, clock_usec() + FORK_AGAIN_USEC);
	socket_shed(m, s->socket, FORK_AGAIN_USEC, strerror(p->error));
	return true;
}

/* Nothing was forked: as if it had ended at once. */
static void
process_not_forked(struct manager *m, struct service *s, struct process *p, bool spawned)
{
	p->state = PROCESS_NONE;
	service_notify_update(m, s);
	if (spawned && s->connection >= 0 && s->state == STATE_START) {
		s->plainly = true;
		service_run(m, s, p, COMMAND_START, p->command);
		service_save(m, s);
		return;
	}
	if (s->owner->accepts && !s->socket)
		spawner_lost(s->owner->accepts);
	if (p->slot == COMMAND_ADOPT) {
		p->error = 0;
		service_event(m, s, EVENT_NOT_ADOPTED);
		return;
	}
	if (fork_again(m, s, p))
		return;
	log_unit(LOG_LEVEL_ERROR, service_name(m, s), "%s: fork: %s", process_path(m, s, p),
	    strerror(p->error));
	service_event(m, s, p == &s->main ? EVENT_MAIN_EXITED : EVENT_CONTROL_EXITED);
}

void
service_process_started(struct manager *m, struct unit *u, const struct msg *msg)
{
	struct process *p = NULL;
	struct service *s = process_owner(m, u, msg, &p);
	int held_signo;
	bool spawned;

	if (!s)
		return; /* asked for by a manager before us, and gone since */
	spawned = p == &s->main && s->spawned;
	if (spawned)
		spawner_answered(m, s);
	held_signo = p->signo;
	p->error = msg->error;
	p->step = msg->step;
	if (msg->pid == 0) {
		process_not_forked(m, s, p, spawned);
		return;
	}
	if (p->slot == COMMAND_START && !plan_command(m->plan, s->unit, p->slot, p->command + 1))
		accept_release(m, s);
	p->state = PROCESS_RUNNING;
	p->id = msg->instance;
	m->by_slot[msg->instance.slot] = s;
	p->pid = msg->pid;
	p->started_usec = msg->started_usec;
	p->signo = 0;
	if (p->slot == COMMAND_ADOPT)
		s->next_main = 0;
	service_notify_update(m, s);
	if (msg->error != 0)
		log_unit(LOG_LEVEL_ERROR, service_name(m, s), "%s: %s: %s", process_path(m, s, p),
		    enter_step_name(msg->step), strerror(msg->error));
	if (held_signo > 0)
		link_signal(m, p, held_signo, true);
	if (p == &s->main && msg->error == 0)
		service_event(m, s, EVENT_MAIN_STARTED);
	service_save(m, s);
}

static void
log_exit(const struct manager *m, const struct service *s, const struct process *p,
    enum service_result result)
{
	const char *what = p == &s->main ? "main process" : process_path(m, s, p);
	/* An image that could not be executed was reported already; what we run ourselves tells by
	 * its status. */
	const bool expected = result == RESULT_SUCCESS || p->error || p->slot >= COMMAND_SLOT_END;
	const enum log_level level = expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;

	if (p->code == CLD_EXITED)
		log_unit(level, service_name(m, s), "%s %d exited with status %d", what,
		    (int)p->pid, p->status);
	else
		log_unit(level, service_name(m, s), "%s %d was killed by signal %d (%s)%s", what,
		    (int)p->pid, p->status, sigabbrev_np(p->status) ? sigabbrev_np(p->status) : "?",
		    p->code == CLD_DUMPED ? ", core dumped" : "");
}

void
service_process_exited(struct manager *m, struct unit *u, const struct msg *msg)
{
	struct process *p = NULL;
	struct service *s = process_owner(m, u, msg, &p);

	if (!s)
		return;
	service_notify_drain(m, s); /* its last words come before its death */
	if (s->owner->accepts && !s->socket)
		spawner_lost(s->owner->accepts);
	p->state = PROCESS_NONE;
	p->code = msg->code;
	p->status = msg->status;
	p->exited_usec = clock_usec();
	service_notify_update(m, s);
	if (p == &s->main) {
		log_exit(m, s, p, service_main_result(m, s));
		service_event(m, s, EVENT_MAIN_EXITED);
	} else {
		log_exit(m, s, p, service_control_result(m, s));
		service_event(m, s, EVENT_CONTROL_EXITED);
	}
}
