/*
 * policy.c - see policy.h.
 */
#include "launcher/manager/policy.h"

#include <signal.h>
#include <sys/wait.h>

#define PAUSE_FIRST_USEC USEC_PER_SEC
#define PAUSE_MAX_USEC (60 * USEC_PER_SEC)
/* To look at conditions takes no time, unless a file system hangs. */
#define CONDITION_USEC (90 * USEC_PER_SEC)

static bool
signal_is_clean(int signo)
{
	return signo == SIGHUP || signo == SIGINT || signo == SIGTERM || signo == SIGPIPE;
}

static bool
statuses_have(const struct plan_statuses *s, int code, int status)
{
	if (status < 0 || status > 255)
		return false;
	if (code == CLD_EXITED)
		return s->exits[status / 64] & UINT64_C(1) << status % 64;
	return (code == CLD_KILLED || code == CLD_DUMPED) && status >= 1 && status <= 64 &&
	       s->signals & UINT64_C(1) << (status - 1);
}

enum service_result
policy_result(
    const struct plan_unit *u, const struct plan_command *c, bool daemon, int code, int status)
{
	if (c && (c->flags & COMMAND_IGNORE_FAILURE))
		return RESULT_SUCCESS;
	if (statuses_have(&u->service.success, code, status))
		return RESULT_SUCCESS;
	if (code == CLD_EXITED)
		return status == 0 ? RESULT_SUCCESS : RESULT_EXIT_CODE;
	if (code == CLD_DUMPED)
		return RESULT_CORE_DUMP;
	return daemon && signal_is_clean(status) ? RESULT_SUCCESS : RESULT_SIGNAL;
}

bool
policy_restart(const struct plan_unit *u, enum service_result result, int code, int status)
{
	/* A skipped start is no end, and a limit is there to be kept. */
	if (result == RESULT_CONDITION || result == RESULT_START_LIMIT ||
	    statuses_have(&u->service.restart_prevent, code, status))
		return false;
	if (statuses_have(&u->service.restart_force, code, status))
		return true;
	switch (u->service.restart) {
	case RESTART_ALWAYS:
		return true;
	case RESTART_ON_SUCCESS:
		return result == RESULT_SUCCESS;
	case RESTART_ON_FAILURE:
		return result != RESULT_SUCCESS;
	case RESTART_ON_ABNORMAL:
		return result != RESULT_SUCCESS && result != RESULT_EXIT_CODE;
	case RESTART_ON_ABORT:
		return result == RESULT_SIGNAL || result == RESULT_CORE_DUMP;
	case RESTART_ON_WATCHDOG:
		return result == RESULT_WATCHDOG;
	case RESTART_NO:
	case RESTART_END:
		break;
	}
	return false;
}

/* 0 means none, as systemd.service(5) has it. */
static uint64_t
usec_or_never(uint64_t usec)
{
	return usec == 0 ? USEC_INFINITY : usec;
}

uint64_t
policy_timeout_usec(const struct plan_unit *u, enum service_state state)
{
	switch (state) {
	case STATE_START_PRE:
	case STATE_START:
	case STATE_START_POST:
	case STATE_RELOAD:
		return usec_or_never(u->service.timeout_start_usec);
	case STATE_STOP:
	case STATE_STOP_WATCHDOG:
	case STATE_STOP_SIGTERM:
	case STATE_STOP_SIGKILL:
	case STATE_STOP_POST:
	case STATE_FINAL_SIGTERM:
	case STATE_FINAL_SIGKILL:
		return usec_or_never(u->service.timeout_stop_usec);
	case STATE_CONDITION:
		return CONDITION_USEC;
	case STATE_AUTO_RESTART:
		return u->service.restart_usec;
	case STATE_RUNNING:
		return usec_or_never(u->service.runtime_max_usec);
	case STATE_CLEANING:
		return usec_or_never(u->service.timeout_stop_usec);
	case STATE_DEAD:
	case STATE_EXITED:
	case STATE_FAILED:
	case STATE_END:
		break;
	}
	return USEC_INFINITY;
}

int
policy_kill_signal(const struct plan_unit *u, enum policy_phase phase)
{
	const struct plan_service *s = &u->service;

	switch (phase) {
	case PHASE_RESTART:
		return s->restart_kill_signal;
	case PHASE_WATCHDOG:
		return s->watchdog_signal;
	case PHASE_KILL:
		return s->final_kill_signal;
	case PHASE_TERM:
		break;
	}
	return s->kill_signal;
}

bool
policy_kills(const struct plan_unit *u, bool is_main, enum policy_phase phase)
{
	if (phase == PHASE_KILL)
		return u->service.send_sigkill;
	/* A control command is our own doing: it always goes. */
	return u->service.kill_mode != KILL_NONE || !is_main;
}

bool
policy_kills_group(const struct plan_unit *u, enum policy_phase phase)
{
	switch (u->service.kill_mode) {
	case KILL_CONTROL_GROUP:
		return true;
	case KILL_MIXED:
		return phase == PHASE_KILL;
	case KILL_PROCESS:
	case KILL_NONE:
	case KILL_MODE_END:
		break;
	}
	return false;
}

bool
policy_limit(
    uint64_t *begin_usec, uint32_t *n, uint64_t now_usec, uint64_t interval_usec, uint32_t burst)
{
	if (interval_usec == 0 || burst == 0)
		return true; /* switched off */
	if (*n == 0 || now_usec < *begin_usec || now_usec - *begin_usec >= interval_usec) {
		*begin_usec = now_usec;
		*n = 0;
	}
	if (*n >= burst)
		return false;
	(*n)++;
	return true;
}

uint64_t
policy_pause_usec(uint32_t n_pauses)
{
	uint64_t usec = PAUSE_FIRST_USEC;

	for (uint32_t i = 1; i < n_pauses && usec < PAUSE_MAX_USEC; i++)
		usec *= 2;
	return usec > PAUSE_MAX_USEC ? PAUSE_MAX_USEC : usec;
}
