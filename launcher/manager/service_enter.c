/*
 * service_enter.c - see service_enter.h.
 * Runs as: manager.
 */
#include "launcher/manager/service_enter.h"

#include <signal.h>

#include "launcher/manager/link.h"
#include "launcher/manager/policy.h"

/* The first thing that went wrong is what `Result=` tells. */
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

bool
service_kill_process(struct manager *m, struct service *s, struct process *p, int signo)
{
	const bool group = policy_kills_group(s->unit, signo);

	if (!process_alive(p))
		return false;
	link_signal(m, p, signo, group ? MSG_SIGNAL_GROUP : MSG_SIGNAL_MAIN);
	if (signo != SIGKILL) /* a stopped process must run to hear it */
		link_signal(m, p, SIGCONT, group ? MSG_SIGNAL_GROUP : MSG_SIGNAL_MAIN);
	return true;
}

void
service_enter_signal(
    struct manager *m, struct service *s, enum service_state state, enum service_result result)
{
	const bool hard = state == STATE_STOP_SIGKILL || state == STATE_FINAL_SIGKILL;
	const int signo = hard ? SIGKILL : policy_kill_signal(s->unit);
	bool any = false;

	service_note_result(s, result);
	any |= service_kill_process(m, s, &s->main, signo);
	any |= service_kill_process(m, s, &s->control, signo);
	if (any)
		service_set_state(m, s, state);
	else if (state == STATE_STOP_SIGTERM || state == STATE_STOP_SIGKILL)
		service_enter_stop_post(m, s, RESULT_SUCCESS);
	else
		service_enter_dead(m, s);
}

void
service_enter_dead(struct manager *m, struct service *s)
{
	const struct process *p = &s->main;

	s->ready = false;
	if (!s->forbid_restart && !m->stopping &&
	    policy_restart(s->unit, s->result, p->code, p->status)) {
		service_set_state(m, s, STATE_AUTO_RESTART);
		return;
	}
	s->forbid_restart = false;
	s->status[0] = '\0';
	service_set_state(m, s, s->result == RESULT_SUCCESS ? STATE_DEAD : STATE_FAILED);
}

void
service_enter_stop_post(struct manager *m, struct service *s, enum service_result result)
{
	service_note_result(s, result);
	if (!service_has_command(m, s, COMMAND_STOP_POST, 0)) {
		service_enter_signal(m, s, STATE_FINAL_SIGTERM, RESULT_SUCCESS);
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

void
service_enter_running(struct manager *m, struct service *s, enum service_result result)
{
	service_note_result(s, result);
	if (s->result != RESULT_SUCCESS)
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
	else if (process_alive(&s->main))
		service_set_state(m, s, STATE_RUNNING);
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
	service_run(m, s, &s->main, COMMAND_START, 0);
	service_set_state(m, s, STATE_START);
}

void
service_enter_start_pre(struct manager *m, struct service *s)
{
	s->result = RESULT_SUCCESS;
	s->forbid_restart = false;
	s->ready = false;
	s->status[0] = '\0';
	s->error = 0;
	if (!service_has_command(m, s, COMMAND_START_PRE, 0)) {
		service_enter_start(m, s);
		return;
	}
	service_run(m, s, &s->control, COMMAND_START_PRE, 0);
	service_set_state(m, s, STATE_START_PRE);
}
