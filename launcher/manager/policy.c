/*
 * policy.c - see policy.h.
 */
#include "launcher/manager/policy.h"

#include <signal.h>
#include <sys/wait.h>

#define PAUSE_FIRST_USEC USEC_PER_SEC
#define PAUSE_MAX_USEC (60 * USEC_PER_SEC)
#define RESTART_DEFAULT_USEC UINT64_C(100000)

static bool
signal_is_clean(int signo)
{
	return signo == SIGHUP || signo == SIGINT || signo == SIGTERM || signo == SIGPIPE;
}

enum service_result
policy_result(
    const struct plan_unit *u, const struct plan_command *c, bool main, int code, int status)
{
	(void)u;
	if (c && (c->flags & COMMAND_IGNORE_FAILURE))
		return RESULT_SUCCESS;
	if (code == CLD_EXITED)
		return status == 0 ? RESULT_SUCCESS : RESULT_EXIT_CODE;
	if (code == CLD_DUMPED)
		return RESULT_CORE_DUMP;
	return main && signal_is_clean(status) ? RESULT_SUCCESS : RESULT_SIGNAL;
}

bool
policy_restart(const struct plan_unit *u, enum service_result result, int code, int status)
{
	(void)u;
	(void)code;
	(void)status;
	return result != RESULT_SUCCESS && result != RESULT_START_LIMIT;
}

uint64_t
policy_restart_usec(const struct plan_unit *u, uint32_t n_restarts)
{
	(void)n_restarts;
	return u->service.restart_usec > 0 ? u->service.restart_usec : RESTART_DEFAULT_USEC;
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
	case STATE_STOP_SIGTERM:
	case STATE_STOP_SIGKILL:
	case STATE_STOP_POST:
	case STATE_FINAL_SIGTERM:
	case STATE_FINAL_SIGKILL:
		return usec_or_never(u->service.timeout_stop_usec);
	case STATE_DEAD:
	case STATE_RUNNING:
	case STATE_EXITED:
	case STATE_FAILED:
	case STATE_AUTO_RESTART:
	case STATE_END:
		break;
	}
	return USEC_INFINITY;
}

int
policy_kill_signal(const struct plan_unit *u)
{
	(void)u;
	return SIGTERM;
}

bool
policy_kills_group(const struct plan_unit *u, int signo)
{
	(void)u;
	(void)signo;
	return true;
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
