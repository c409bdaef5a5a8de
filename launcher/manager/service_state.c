/*
 * service_state.c - what each event means in each state of a service. See service.h.
 * States, events and their order are those of systemd's service units (systemd.service(5), and
 * `systemctl show -p SubState` of a service on its way); the table is at the end.
 * Runs as: manager.
 */
#include "launcher/manager/service_enter.h"

#include <assert.h>
#include <sys/wait.h>

#include "common/log.h"

/* ---- events ---- */

/* A control command ended well and another one follows it: run that. */
static bool
chain_goes_on(struct manager *m, struct service *s, enum service_result result)
{
	const struct process *p = &s->control;

	if (result != RESULT_SUCCESS || !service_has_command(m, s, p->slot, p->command + 1))
		return false;
	service_run(m, s, &s->control, p->slot, p->command + 1);
	service_save(m, s);
	return true;
}

static void
on_start(struct manager *m, struct service *s)
{
	s->n_restarts = 0;
	service_enter_begin(m, s);
}

static void
on_restart_due(struct manager *m, struct service *s)
{
	s->n_restarts++;
	service_enter_begin(m, s);
}

static void
on_restart_cancelled(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	service_enter_dead(m, s);
}

/* The exit code is enum conditions_outcome of launcher/enter/condition.h. */
static void
on_condition_exited(struct manager *m, struct service *s)
{
	const struct process *p = &s->control;

	if (p->code == CLD_EXITED && p->status == 0) {
		service_enter_start_pre(m, s);
		return;
	}
	if (p->code == CLD_EXITED && p->status == 1)
		s->result = RESULT_CONDITION;
	else
		s->result =
		    p->code == CLD_EXITED && p->status == 2 ? RESULT_ASSERT : RESULT_RESOURCES;
	log_unit(s->result != RESULT_CONDITION ? LOG_LEVEL_ERROR
		 : s->socket ? LOG_LEVEL_DEBUG /* connections come by the thousand */
			     : LOG_LEVEL_INFO,
	    service_name(m, s), "not started: %s",
	    s->result == RESULT_CONDITION ? "a condition is not met"
	    : s->result == RESULT_ASSERT  ? "an assertion is not met"
					  : "its conditions could not be looked at");
	service_enter_dead(m, s);
}

static void
on_pre_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (chain_goes_on(m, s, r))
		return;
	if (r == RESULT_SUCCESS)
		service_enter_start(m, s);
	else
		service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

/* Simple services are up when they execute; a forking one when its main process was found. */
static void
on_start_executed(struct manager *m, struct service *s)
{
	switch (s->unit->service.type) {
	case SERVICE_SIMPLE:
	case SERVICE_EXEC:
	case SERVICE_FORKING:
		service_enter_start_post(m, s);
		break;
	case SERVICE_NOTIFY:
	case SERVICE_ONESHOT:
	case SERVICE_TYPE_END:
		break;
	}
}

static void
on_start_ready(struct manager *m, struct service *s)
{
	s->ready = true;
	if (s->unit->service.type == SERVICE_NOTIFY)
		service_enter_start_post(m, s);
	else
		service_save(m, s);
}

/* Type=oneshot: one line of ExecStart= after the other. */
static void
on_oneshot_exited(struct manager *m, struct service *s, enum service_result r)
{
	const struct process *p = &s->main;

	if (r != RESULT_SUCCESS)
		service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
	else if (!service_has_command(m, s, COMMAND_START, p->command + 1))
		service_enter_start_post(m, s);
	else if (s->socket && s->connection < 0) /* lost with the manager that accepted it */
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_RESOURCES);
	else
		service_run(m, s, &s->main, COMMAND_START, p->command + 1);
}

static void
on_start_main_exited(struct manager *m, struct service *s)
{
	enum service_result r = service_main_result(m, s);

	if (s->unit->service.type == SERVICE_ONESHOT) {
		on_oneshot_exited(m, s, r);
		return;
	}
	if (s->next_main > 0) { /* MAINPID= named who goes on */
		service_adopt(m, s, s->next_main);
		return;
	}
	/* A clean end without READY=1 is not what was promised. */
	if (r == RESULT_SUCCESS)
		r = RESULT_PROTOCOL;
	service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

/* Type=forking: what ExecStart= left behind must be found. */
static void
on_start_control_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (r != RESULT_SUCCESS)
		service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
	else
		service_adopt(m, s, 0);
}

/* There is no such process yet: its PID file is still to be written. */
static void
on_start_not_adopted(struct manager *m, struct service *s)
{
	if (s->unit->service.pid_file.off != 0) {
		service_adopt_later(m, s);
		return;
	}
	log_unit(LOG_LEVEL_ERROR, service_name(m, s),
	    "no single process is left to be its main one: name it by PIDFile=");
	service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_PROTOCOL);
}

static void
on_start_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "not started in time");
	service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_TIMEOUT);
}

static void
on_start_stop(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_SUCCESS);
}

static void
on_post_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (chain_goes_on(m, s, r))
		return;
	if (r != RESULT_SUCCESS)
		service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
	else
		service_enter_running(m, s, RESULT_SUCCESS);
}

/* While a control command runs, it is let finish first. */
static void
on_main_exited_beside_control(struct manager *m, struct service *s)
{
	if (s->next_main > 0) {
		service_adopt(m, s, s->next_main);
		return;
	}
	service_note_result(s, service_main_result(m, s));
	if (!process_alive(&s->control))
		service_enter_stop(m, s, RESULT_SUCCESS);
}

static void
on_ready_again(struct manager *m, struct service *s)
{
	s->ready = true;
	service_save(m, s);
}

/* MAINPID= named another process: it is an orphan now, and takes over. */
static void
on_running_main_exited(struct manager *m, struct service *s)
{
	if (s->next_main > 0)
		service_adopt(m, s, s->next_main);
	else
		service_enter_running(m, s, service_main_result(m, s));
}

static void
on_running_not_adopted(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "process %d, its MAINPID=, is not there",
	    (int)s->next_main);
	s->next_main = 0;
	service_enter_running(m, s, RESULT_SUCCESS);
}

static void
on_running_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "ran for as long as it may");
	service_enter_stop(m, s, RESULT_TIMEOUT);
}

static void
on_running_adopted(struct manager *m, struct service *s)
{
	log_unit(
	    LOG_LEVEL_INFO, service_name(m, s), "its main process is %d now", (int)s->main.pid);
	service_save(m, s);
}

static void
on_running_stop(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	service_enter_stop(m, s, RESULT_SUCCESS);
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
	if (!service_has_command(m, s, COMMAND_RELOAD, 0))
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
	service_enter_running(m, s, RESULT_SUCCESS);
}

static void
on_reload_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "reload took too long");
	(void)service_kill_process(
	    m, s, &s->control, SIGKILL); /* on_reload_exited() does the rest */
}

static void
on_stop_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (!chain_goes_on(m, s, r))
		service_enter_signal(m, s, STATE_STOP_SIGTERM, r);
}

static void
on_stop_main_exited(struct manager *m, struct service *s)
{
	service_note_result(s, service_main_result(m, s));
}

static void
on_stop_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "stop command took too long");
	service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_TIMEOUT);
}

static void
on_sigterm_exited(struct manager *m, struct service *s)
{
	if (!service_any_alive(s))
		service_enter_stop_post(m, s, RESULT_SUCCESS);
}

static void
on_sigterm_main_exited(struct manager *m, struct service *s)
{
	service_note_result(s, service_main_result(m, s));
	on_sigterm_exited(m, s);
}

static void
on_sigterm_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_WARNING, service_name(m, s), "did not stop in time%s",
	    s->unit->service.send_sigkill ? ": killing it" : ", and SendSIGKILL=no");
	service_enter_signal(m, s, STATE_STOP_SIGKILL, RESULT_TIMEOUT);
}

/* The kernel holds on to it (a dead disk, a debugger): nothing more can be done. */
static void
on_sigkill_timeout(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_ERROR, service_name(m, s), "still there after SIGKILL");
	service_enter_signal(m, s, STATE_STOP_SIGKILL, RESULT_TIMEOUT);
}

static void
on_stop_post_exited(struct manager *m, struct service *s)
{
	const enum service_result r = service_control_result(m, s);

	if (!chain_goes_on(m, s, r))
		service_enter_signal(m, s, STATE_FINAL_SIGTERM, r);
}

static void
on_stop_post_timeout(struct manager *m, struct service *s)
{
	service_enter_signal(m, s, STATE_FINAL_SIGTERM, RESULT_TIMEOUT);
}

static void
on_final_exited(struct manager *m, struct service *s)
{
	if (!service_any_alive(s))
		service_enter_dead(m, s);
}

static void
on_final_timeout(struct manager *m, struct service *s)
{
	service_enter_signal(m, s, STATE_FINAL_SIGKILL, RESULT_TIMEOUT);
}

/* It hangs: SIGABRT, so that a core may tell where, and SIGKILL when that does not help. */
static void
on_watchdog(struct manager *m, struct service *s)
{
	log_unit(LOG_LEVEL_ERROR, service_name(m, s), "watchdog: no sign of life for %llu ms",
	    (unsigned long long)(s->watchdog_usec / 1000));
	service_note_result(s, RESULT_WATCHDOG);
	if (service_kill_process(m, s, &s->main, PHASE_WATCHDOG))
		service_set_state(m, s, STATE_STOP_WATCHDOG);
	else
		service_enter_signal(m, s, STATE_STOP_SIGTERM, RESULT_WATCHDOG);
}

/* Already on its way down: it shall stay there. */
static void
on_stop_again(struct manager *m, struct service *s)
{
	s->forbid_restart = true;
	service_save(m, s);
}

typedef void (*service_handler)(struct manager *m, struct service *s);

/* The states of a stop differ in what follows; that it was asked for again changes none of them. */
#define GOING_DOWN(control_exited, main_exited, timeout) \
	{ \
		[EVENT_CONTROL_EXITED] = control_exited, [EVENT_MAIN_EXITED] = main_exited, \
		[EVENT_STOP] = on_stop_again, [EVENT_TIMEOUT] = timeout, \
	}

/* Not in the table: the event means nothing then. */
static const service_handler service_table[STATE_END][EVENT_END] = {
	[STATE_DEAD] = { [EVENT_START] = on_start },
	[STATE_FAILED] = { [EVENT_START] = on_start },
	[STATE_AUTO_RESTART] = {
	    [EVENT_START] = on_restart_due,
	    [EVENT_TIMEOUT] = on_restart_due,
	    [EVENT_STOP] = on_restart_cancelled,
	},
	[STATE_CONDITION] = {
	    [EVENT_CONTROL_EXITED] = on_condition_exited,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_START_PRE] = {
	    [EVENT_CONTROL_EXITED] = on_pre_exited,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_START] = {
	    [EVENT_MAIN_STARTED] = on_start_executed,
	    [EVENT_NOT_ADOPTED] = on_start_not_adopted,
	    [EVENT_READY] = on_start_ready,
	    [EVENT_CONTROL_EXITED] = on_start_control_exited,
	    [EVENT_MAIN_EXITED] = on_start_main_exited,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_START_POST] = {
	    [EVENT_CONTROL_EXITED] = on_post_exited,
	    [EVENT_MAIN_EXITED] = on_main_exited_beside_control,
	    [EVENT_READY] = on_ready_again,
	    [EVENT_WATCHDOG] = on_watchdog,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_start_timeout,
	},
	[STATE_RUNNING] = {
	    [EVENT_MAIN_EXITED] = on_running_main_exited,
	    [EVENT_MAIN_STARTED] = on_running_adopted,
	    [EVENT_NOT_ADOPTED] = on_running_not_adopted,
	    [EVENT_TIMEOUT] = on_running_timeout,
	    [EVENT_READY] = on_ready_again,
	    [EVENT_STOP] = on_running_stop,
	    [EVENT_STOPPING] = on_running_stopping,
	    [EVENT_WATCHDOG] = on_watchdog,
	    [EVENT_RELOAD] = on_running_reload,
	},
	[STATE_EXITED] = {
	    [EVENT_STOP] = on_running_stop,
	},
	[STATE_RELOAD] = {
	    [EVENT_WATCHDOG] = on_watchdog,
	    [EVENT_CONTROL_EXITED] = on_reload_exited,
	    [EVENT_MAIN_EXITED] = on_main_exited_beside_control,
	    [EVENT_STOP] = on_start_stop,
	    [EVENT_TIMEOUT] = on_reload_timeout,
	},
	[STATE_STOP] = GOING_DOWN(on_stop_exited, on_stop_main_exited, on_stop_timeout),
	[STATE_STOP_WATCHDOG] = GOING_DOWN(on_sigterm_exited, on_sigterm_main_exited, on_sigterm_timeout),
	[STATE_STOP_SIGTERM] = GOING_DOWN(on_sigterm_exited, on_sigterm_main_exited, on_sigterm_timeout),
	[STATE_STOP_SIGKILL] = GOING_DOWN(on_sigterm_exited, on_sigterm_main_exited, on_sigkill_timeout),
	[STATE_STOP_POST] = GOING_DOWN(on_stop_post_exited, NULL, on_stop_post_timeout),
	[STATE_FINAL_SIGTERM] = GOING_DOWN(on_final_exited, on_final_exited, on_final_timeout),
	[STATE_CLEANING] = GOING_DOWN(on_final_exited, NULL, on_final_timeout),
	[STATE_FINAL_SIGKILL] = GOING_DOWN(on_final_exited, on_final_exited, on_final_timeout),
};

void
service_dispatch(struct manager *m, struct service *s, enum service_event event)
{
	service_handler handler;

	assert(s->state < STATE_END && event < EVENT_END);
	handler = service_table[s->state][event];
	if (handler)
		handler(m, s);
}
