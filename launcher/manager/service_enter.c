/*
 * service_enter.c - see service_enter.h.
 * Runs as: manager.
 */
#include "launcher/manager/service_enter.h"

#include <signal.h>

#include "common/log.h"
#include "launcher/manager/link.h"
#include "launcher/manager/policy.h"

void
service_note_result(struct service *s, enum service_result result)
{
	if (s->result == RESULT_SUCCESS)
		s->result = result;
}

bool
service_has_command(const struct manager *m, const struct service *s, uint32_t slot, uint32_t n)
{
	return plan_command(m->plan, s->unit, slot, n) != NULL;
}

bool
service_any_alive(const struct service *s)
{
	return process_alive(&s->main) || process_alive(&s->control);
}

/* ---- stopping ---- */

bool
service_kill_process(
    struct manager *m, struct service *s, struct process *p, enum policy_phase phase)
{
	const bool group = policy_kills_group(s->unit, phase);
	const int signo = policy_kill_signal(s->unit, phase);

	if (!process_alive(p) || !policy_kills(s->unit, p == &s->main, phase))
		return false;
	link_signal(m, p, signo, group);
	if (phase == PHASE_TERM || phase == PHASE_RESTART) {
		if (s->unit->service.send_sighup)
			link_signal(m, p, SIGHUP, group);
		link_signal(m, p, SIGCONT, group); /* a stopped process must run to hear it */
	}
	return true;
}

/* Signals whoever is left, and waits for them in this state. False: nobody is. */
static bool
signal_in_state(struct manager *m, struct service *s, enum service_state state)
{
	const bool hard = state == STATE_STOP_SIGKILL || state == STATE_FINAL_SIGKILL;
	const enum policy_phase phase = hard		 ? PHASE_KILL
					: s->for_restart ? PHASE_RESTART
							 : PHASE_TERM;
	bool any = false;

	any |= service_kill_process(m, s, &s->main, phase);
	any |= service_kill_process(m, s, &s->control, phase);
	if (any)
		service_set_state(m, s, state);
	return any;
}

void
service_enter_signal(
    struct manager *m, struct service *s, enum service_state state, enum service_result result)
{
	service_note_result(s, result);
	if (signal_in_state(m, s, state))
		return;
	if (state == STATE_STOP_SIGTERM || state == STATE_STOP_SIGKILL)
		service_enter_stop_post(m, s, RESULT_SUCCESS);
	else
		service_enter_dead(m, s);
}

static bool
restarts(const struct manager *m, const struct service *s)
{
	const int code = s->main.exited_usec ? s->main.code : 0;

	return !s->forbid_restart && !m->stopping && !s->socket &&
	       policy_restart(s->unit, s->result, code, s->main.status);
}

/* systemd.exec(5), RuntimeDirectoryPreserve=. */
static bool
must_clean(const struct manager *m, const struct service *s)
{
	const struct plan_exec *x = &s->unit->exec;

	if (s->cleaned || s->socket)
		return false;
	if (x->credentials.n > 0 && !s->for_restart && !restarts(m, s))
		return true;
	if (x->directories[DIRECTORY_RUNTIME].paths.n == 0)
		return false;
	return x->runtime_preserve == PRESERVE_NO ||
	       (x->runtime_preserve == PRESERVE_RESTART && !s->for_restart && !restarts(m, s));
}

static void
enter_cleaning(struct manager *m, struct service *s)
{
	s->cleaned = true;
	service_run(m, s, &s->control, COMMAND_CLEAN, 0);
	service_set_state(m, s, STATE_CLEANING);
}

/* SendSIGKILL=no, and it did not go: it is nobody's from now on, as with systemd. */
static void
leave_behind(struct manager *m, struct service *s, struct process *p)
{
	if (!process_alive(p))
		return;
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "process %d is left behind", (int)p->pid);
	p->state = PROCESS_NONE;
	service_notify_update(m, s);
}

void
service_enter_dead(struct manager *m, struct service *s)
{
	const bool again = restarts(m, s);

	leave_behind(m, s, &s->main);
	leave_behind(m, s, &s->control);

	s->ready = false;
	s->next_main = 0;
	if (must_clean(m, s)) {
		enter_cleaning(m, s);
		return;
	}
	if (again) {
		service_set_state(m, s, STATE_AUTO_RESTART);
		return;
	}
	s->forbid_restart = s->for_restart = false;
	if (s->result == RESULT_SUCCESS)
		s->status[0] = '\0'; /* of a failed one it may say why */
	/* What was not even tried has not failed. */
	service_set_state(m, s,
	    s->result == RESULT_SUCCESS || s->result == RESULT_CONDITION ||
		    s->result == RESULT_ASSERT || s->result == RESULT_DEPENDENCY
		? STATE_DEAD
		: STATE_FAILED);
}

void
service_enter_stop_post(struct manager *m, struct service *s, enum service_result result)
{
	service_note_result(s, result);
	if (!service_has_command(m, s, COMMAND_STOP_POST, 0)) {
		if (!signal_in_state(m, s, STATE_FINAL_SIGTERM))
			service_enter_dead(m, s);
		return;
	}
	service_run(m, s, &s->control, COMMAND_STOP_POST, 0);
	service_set_state(m, s, STATE_STOP_POST);
}

void
service_enter_stop(struct manager *m, struct service *s, enum service_result result)
{
	service_note_result(s, result);
	if (!service_has_command(m, s, COMMAND_STOP, 0)) {
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
		return;
	}
	service_run(m, s, &s->control, COMMAND_STOP, 0);
	service_set_state(m, s, STATE_STOP);
}

/* ---- starting ---- */

void
service_enter_running(struct manager *m, struct service *s, enum service_result result)
{
	service_note_result(s, result);
	if (s->result != RESULT_SUCCESS)
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
	else if (process_alive(&s->main))
		service_set_state(m, s, STATE_RUNNING);
	else if (s->unit->service.remain_after_exit)
		service_set_state(m, s, STATE_EXITED);
	else
		service_enter_stop(m, s, RESULT_SUCCESS);
}

void
service_enter_start_post(struct manager *m, struct service *s)
{
	if (!service_has_command(m, s, COMMAND_START_POST, 0)) {
		service_enter_running(m, s, RESULT_SUCCESS);
		return;
	}
	service_run(m, s, &s->control, COMMAND_START_POST, 0);
	service_set_state(m, s, STATE_START_POST);
}

void
service_enter_start(struct manager *m, struct service *s)
{
	const bool forking = s->unit->service.type == SERVICE_FORKING;

	if (!service_has_command(m, s, COMMAND_START, 0)) { /* a Type=oneshot that only stops */
		service_enter_start_post(m, s);
		return;
	}
	if (s->socket && s->connection < 0) { /* it went with the manager that accepted it */
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_RESOURCES);
		return;
	}
	service_run(m, s, forking ? &s->control : &s->main, COMMAND_START, 0);
	service_set_state(m, s, STATE_START);
}

void
service_enter_start_pre(struct manager *m, struct service *s)
{
	if (!service_has_command(m, s, COMMAND_START_PRE, 0)) {
		service_enter_start(m, s);
		return;
	}
	service_run(m, s, &s->control, COMMAND_START_PRE, 0);
	service_set_state(m, s, STATE_START_PRE);
}

/* True: one start too many in the interval. */
static bool
start_limit_hit(struct manager *m, struct service *s)
{
	const struct plan_service *p = &s->unit->service;

	if (policy_limit(&s->window_usec, &s->n_starts, clock_usec(), p->start_limit_usec,
		p->start_limit_burst))
		return false;
	log_unit(LOG_LEVEL_ERROR, service_name(m, s),
	    "started too often, at most %u times in %llu s", p->start_limit_burst,
	    (unsigned long long)(p->start_limit_usec / USEC_PER_SEC));
	return true;
}

void
service_enter_begin(struct manager *m, struct service *s)
{
	s->result = RESULT_SUCCESS;
	s->forbid_restart = s->for_restart = false;
	s->ready = s->cleaned = false;
	s->status[0] = '\0';
	s->error = 0;
	s->watchdog_usec = s->unit->service.watchdog_usec;
	if (!s->socket && start_limit_hit(m, s)) {
		s->result = RESULT_START_LIMIT;
		service_set_state(m, s, STATE_FAILED);
		return;
	}
	if (s->unit->conditions.n + s->unit->assertions.n > 0) {
		service_run(m, s, &s->control, COMMAND_CHECK, 0);
		service_set_state(m, s, STATE_CONDITION);
		return;
	}
	service_enter_start_pre(m, s);
}
