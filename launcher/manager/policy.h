/*
 * policy.h - what a unit's own directives say should happen: pure functions over the plan.
 * Runs as: manager.
 * Tests:   tests/unit/test_policy.c
 */
#pragma once

#include "launcher/manager/state.h"

/*
 * policy_result - how a process that ended counts.
 * @c:      what it ran; "-" in front of it makes every end a success. May be NULL.
 * @daemon: a main process that is meant to last: SIGHUP, SIGINT, SIGTERM and SIGPIPE are clean
 *          ends of it
 * Source: systemd.service(5), SuccessExitStatus=.
 */
enum service_result policy_result(
    const struct plan_unit *u, const struct plan_command *c, bool daemon, int code, int status);

/*
 * policy_restart - should a service that ended so be started again by itself?
 * @code,status: of its last main process, as wait(2) says; code 0 when there was none
 * Source: systemd.service(5), the table at Restart=.
 */
bool policy_restart(const struct plan_unit *u, enum service_result result, int code, int status);

/* How long a state may last; USEC_INFINITY: for ever. RuntimeMaxSec= counts from being active. */
uint64_t policy_timeout_usec(const struct plan_unit *u, enum service_state state);

/* How a stop goes: systemd.kill(5). */
enum policy_phase {
	PHASE_TERM, /* KillSignal= */
	PHASE_RESTART, /* RestartKillSignal= */
	PHASE_WATCHDOG, /* WatchdogSignal= */
	PHASE_KILL, /* FinalKillSignal=, when the time is up */
};
int policy_kill_signal(const struct plan_unit *u, enum policy_phase phase);

/* Whether a process is signalled in this phase at all, and whether its group is, too. */
bool policy_kills(const struct plan_unit *u, bool is_main, enum policy_phase phase);
bool policy_kills_group(const struct plan_unit *u, enum policy_phase phase);

/*
 * policy_limit - count one more in a window.
 * @begin_usec, n: the window's state
 * Return: true when it is within burst; false when it is one too many (then it is not counted).
 */
bool policy_limit(
    uint64_t *begin_usec, uint32_t *n, uint64_t now_usec, uint64_t interval_usec, uint32_t burst);

/* How long a socket is left alone after its n-th pause in a row: 1 s doubled, up to 60 s. */
uint64_t policy_pause_usec(uint32_t n_pauses);
