/*
 * service_state.c - what each event means in each state of a service. See service.h.
 * States, events and their order are those of systemd's service units (systemd.service(5), and
 * `systemctl show -p SubState` of a service on its way); the table is at the end.
 */
#include "launcher/manager/service.h"

#include <assert.h>
#include <signal.h>

#include "common/log.h"
#include "launcher/manager/link.h"
#include "launcher/manager/policy.h"

static void enter_start(struct manager *m, struct service *s);
static void enter_stop_post(struct manager *m, struct service *s, enum service_result result);
static void enter_dead(struct manager *m, struct service *s);

/* The first thing that went wrong is what `Result=` tells. */
static void
note_result(struct service *s, enum service_result result)
{
	if (s->result == RESULT_SUCCESS)
		s->result = result;
}

static bool
has_command(const struct manager *m, const struct service *s, uint32_t slot, uint32_t n)
{
	return plan_command(m->plan, s->unit, slot, n) != NULL;
}

static bool
any_alive(const struct service *s)
{
	return process_alive(&s->main) || process_alive(&s->control);
}

/* ---- entering a state ---- */

static bool
kill_process(struct manager *m, struct service *s, struct process *p, int signo)
{
	const bool group = policy_kills_group(s->unit, signo);

	if (!process_alive(p))
		return false;
	link_signal(m, p, signo, group ? MSG_SIGNAL_GROUP : MSG_SIGNAL_MAIN);
	if (signo != SIGKILL) /* a stopped process must run to hear it */
		link_signal(m, p, SIGCONT, group ? MSG_SIGNAL_GROUP : MSG_SIGNAL_MAIN);
	return true;
}

static void
enter_signal(
    struct manager *m, struct service *s, enum service_state state, enum service_result result)
{
	const bool hard = state == STATE_STOP_SIGKILL || state == STATE_FINAL_SIGKILL;
	const int signo = hard ? SIGKILL : policy_kill_signal(s->unit);
	bool any = false;

	note_result(s, result);
	any |= kill_process(m, s, &s->main, signo);
	any |= kill_process(m, s, &s->control, signo);
	if (any)
		service_set_state(m, s, state);
	else if (state == STATE_STOP_SIGTERM || state == STATE_STOP_SIGKILL)
		enter_stop_post(m, s, RESULT_SUCCESS);
	else
		enter_dead(m, s);
}

static void
enter_dead(struct manager *m, struct service *s)
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

static void
enter_stop_post(struct manager *m, struct service *s, enum service_result result)
{
	note_result(s, result);
	if (!has_command(m, s, COMMAND_STOP_POST, 0)) {
		enter_signal(m, s, STATE_FINAL_SIGTERM, RESULT_SUCCESS);
		return;
	}
	service_run(m, s, &s->control, COMMAND_STOP_POST, 0);
	service_set_state(m, s, STATE_STOP_POST);
}

static void
enter_stop(struct manager *m, struct service *s, enum service_result result)
{
	note_result(s, result);
	if (!has_command(m, s, COMMAND_STOP, 0)) {
		enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
		return;
	}
	service_run(m, s, &s->control, COMMAND_STOP, 0);
	service_set_state(m, s, STATE_STOP);
}

static void
enter_running(struct manager *m, struct service *s, enum service_result result)
{
	note_result(s, result);
	if (s->result != RESULT_SUCCESS)
		enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
	else if (process_alive(&s->main))
		service_set_state(m, s, STATE_RUNNING);
	else
		enter_stop(m, s, RESULT_SUCCESS);
}

static void
enter_start_post(struct manager *m, struct service *s)
{
	if (!has_command(m, s, COMMAND_START_POST, 0)) {
		enter_running(m, s, RESULT_SUCCESS);
		return;
	}
	service_run(m, s, &s->control, COMMAND_START_POST, 0);
	service_set_state(m, s, STATE_START_POST);
}

static void
enter_start(struct manager *m, struct service *s)
{
	service_run(m, s, &s->main, COMMAND_START, 0);
	service_set_state(m, s, STATE_START);
}

static void
enter_start_pre(struct manager *m, struct service *s)
{
	s->result = RESULT_SUCCESS;
	s->forbid_restart = false;
	s->ready = false;
	s->status[0] = '\0';
	s->error = 0;
	if (!has_command(m, s, COMMAND_START_PRE, 0)) {
		enter_start(m, s);
		return;
	}
	service_run(m, s, &s->control, COMMAND_START_PRE, 0);
	service_set_state(m, s, STATE_START_PRE);
}

/* ---- events ---- */

/* A control command ended well and another one follows it: run that. */
static bool
chain_goes_on(struct manager *m, struct service *s, enum service_result result)
{
	const struct process *p = &s->control;

	if (result != RESULT_SUCCESS || !has_command(m, s, p->slot, p->command + 1))
		return false;
	service_run(m, s, &s->control, p->slot, p->command + 1);
	service_save(m, s);
	return true;
}

static void
on_start(struct manager *m, struct service *s)
{
	s->n_restarts = 0;
	enter_start_pre(m, s);
}

static void
on_restart_due(struct manager *m, struct service *s)
{
	s->n_restarts++;
	enter_start_pre(m, s);
}

static void
on_restart_cancelled(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	enter_dead(m, s);
}

static void
on_pre_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (chain_goes_on(m, s, r))
		return;
	if (r == RESULT_SUCCESS)
		enter_start(m, s);
	else
		enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

static void
on_start_executed(struct manager *m, struct service *s)
{
	if (s->unit->service.type != SERVICE_NOTIFY)
		enter_start_post(m, s);
}

static void
on_start_ready(struct manager *m, struct service *s)
{
	s->ready = true;
	if (s->unit->service.type == SERVICE_NOTIFY)
		enter_start_post(m, s);
}

static void
on_start_main_exited(struct manager *m, struct service *s)
{
	enum service_result r = service_main_result(m, s);

	/* A clean end without READY=1 is not what was promised. */
	if (r == RESULT_SUCCESS && s->unit->service.type == SERVICE_NOTIFY)
		r = RESULT_PROTOCOL;
	enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

static void
on_start_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "not started in time");
	enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_TIMEOUT);
}

static void
on_start_stop(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
}

static void
on_post_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (chain_goes_on(m, s, r))
		return;
	if (r != RESULT_SUCCESS)
		enter_signal(m, s, STATE_STOP_SIGTERM, r);
	else
		enter_running(m, s, RESULT_SUCCESS);
}

/* While a control command runs, it is let finish first. */
static void
on_main_exited_beside_control(struct manager *m, struct service *s)
{
	note_result(s, service_main_result(m, s));
	if (!process_alive(&s->control))
		enter_stop(m, s, RESULT_SUCCESS);
}

static void
on_ready_again(struct manager *m, struct service *s)
{
	s->ready = true;
	service_save(m, s);
}

static void
on_running_main_exited(struct manager *m, struct service *s)
{
	enter_running(m, s, service_main_result(m, s));
}

static void
on_running_stop(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	enter_stop(m, s, RESULT_SUCCESS);
}

/* It goes by itself; TimeoutStopSec= starts now. */
static void
on_running_stopping(struct manager *m, struct service *s)
{
	service_set_state(m, s, STATE_STOP_SIGTERM);
}

static void
on_running_reload(struct manager *m, struct service *s)
{
	if (!has_command(m, s, COMMAND_RELOAD, 0))
		return;
	service_run(m, s, &s->control, COMMAND_RELOAD, 0);
	service_set_state(m, s, STATE_RELOAD);
}

static void
on_reload_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (chain_goes_on(m, s, r))
		return;
	if (r != RESULT_SUCCESS)
		log_unit(LOG_LEVEL_WARNING, service_name(m, s), "reload failed, result %s",
		    service_result_name(r));
	enter_running(m, s, RESULT_SUCCESS);
}

static void
on_reload_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "reload took too long");
	(void)kill_process(m, s, &s->control, SIGKILL); /* on_reload_exited() does the rest */
}

static void
on_stop_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (!chain_goes_on(m, s, r))
		enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

static void
on_stop_main_exited(struct manager *m, struct service *s)
{
	note_result(s, service_main_result(m, s));
}

static void
on_stop_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "stop command took too long");
	enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_TIMEOUT);
}

static void
on_sigterm_exited(struct manager *m, struct service *s)
{
	if (!any_alive(s))
		enter_stop_post(m, s, RESULT_SUCCESS);
}

static void
on_sigterm_main_exited(struct manager *m, struct service *s)
{
	note_result(s, service_main_result(m, s));
	on_sigterm_exited(m, s);
}

static void
on_sigterm_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "did not stop in time: killing it");
	enter_signal(m, s, STATE_STOP_SIGKILL, RESULT_TIMEOUT);
}

/* The kernel holds on to it (a dead disk, a debugger): nothing more can be done. */
static void
on_sigkill_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_ERROR, service_name(m, s), "still there after SIGKILL");
	enter_signal(m, s, STATE_STOP_SIGKILL, RESULT_TIMEOUT);
}

static void
on_stop_post_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (!chain_goes_on(m, s, r))
		enter_signal(m, s, STATE_FINAL_SIGTERM, r);
}

static void
on_stop_post_timeout(struct manager *m, struct service *s)
{
	enter_signal(m, s, STATE_FINAL_SIGTERM, RESULT_TIMEOUT);
}

static void
on_final_exited(struct manager *m, struct service *s)
{
	if (!any_alive(s))
		enter_dead(m, s);
}

static void
on_final_timeout(struct manager *m, struct service *s)
{
	enter_signal(m, s, STATE_FINAL_SIGKILL, RESULT_TIMEOUT);
}

/* Already on its way down: it shall stay there. */
static void
on_stop_again(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	service_save(m, s);
}

typedef void (*service_handler)(struct manager *m, struct service *s);

/* Not in the table: the event means nothing then. */
static const service_handler service_table[STATE_END][EVENT_END] = {
	[STATE_DEAD] = { [EVENT_START] = on_start },
	[STATE_FAILED] = { [EVENT_START] = on_start },
	[STATE_AUTO_RESTART] = {
	    [EVENT_START] = on_restart_due,
	    [EVENT_TIMEOUT] = on_restart_due,
	    [EVENT_STOP] = on_restart_cancelled,
	},
	[STATE_START_PRE] = {
	    [EVENT_CONTROL_EXITED] = on_pre_exited,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_START] = {
	    [EVENT_MAIN_STARTED] = on_start_executed,
	    [EVENT_READY] = on_start_ready,
	    [EVENT_MAIN_EXITED] = on_start_main_exited,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_START_POST] = {
	    [EVENT_CONTROL_EXITED] = on_post_exited,
	    [EVENT_MAIN_EXITED] = on_main_exited_beside_control,
	    [EVENT_READY] = on_ready_again,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_RUNNING] = {
	    [EVENT_MAIN_EXITED] = on_running_main_exited,
	    [EVENT_READY] = on_ready_again,
	    [EVENT_STOP] = on_running_stop,
	    [EVENT_STOPPING] = on_running_stopping,
	    [EVENT_RELOAD] = on_running_reload,
	},
	[STATE_EXITED] = {
	    [EVENT_STOP] = on_running_stop,
	},
	[STATE_RELOAD] = {
	    [EVENT_CONTROL_EXITED] = on_reload_exited,
	    [EVENT_MAIN_EXITED] = on_main_exited_beside_control,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_reload_timeout,
	},
	[STATE_STOP] = {
	    [EVENT_CONTROL_EXITED] = on_stop_exited,
	    [EVENT_MAIN_EXITED] = on_stop_main_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_stop_timeout,
	},
	[STATE_STOP_SIGTERM] = {
	    [EVENT_CONTROL_EXITED] = on_sigterm_exited,
	    [EVENT_MAIN_EXITED] = on_sigterm_main_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_sigterm_timeout,
	},
	[STATE_STOP_SIGKILL] = {
	    [EVENT_CONTROL_EXITED] = on_sigterm_exited,
	    [EVENT_MAIN_EXITED] = on_sigterm_main_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_sigkill_timeout,
	},
	[STATE_STOP_POST] = {
	    [EVENT_CONTROL_EXITED] = on_stop_post_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_stop_post_timeout,
	},
	[STATE_FINAL_SIGTERM] = {
	    [EVENT_CONTROL_EXITED] = on_final_exited,
	    [EVENT_MAIN_EXITED] = on_final_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_final_timeout,
	},
	[STATE_FINAL_SIGKILL] = {
	    [EVENT_CONTROL_EXITED] = on_final_exited,
	    [EVENT_MAIN_EXITED] = on_final_exited,
	    [EVENT_STOP] = on_stop_again,
	    [EVENT_TIMEOUT] = on_final_timeout,
	},
};

void
service_dispatch(struct manager *m, struct service *s, enum service_event event)
{
	const service_handler handler = service_table[s->state][event];

	assert(s->state < STATE_END && event < EVENT_END);
	if (handler)
		handler(m, s);
}
