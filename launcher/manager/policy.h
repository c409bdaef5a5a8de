/*
 * policy.h - what a unit's own directives say should happen: pure functions over the plan.
 * Runs as: manager.
 * Tests:   tests/unit/test_policy.c
 */
#pragma once

#include "launcher/manager/state.h"

/*
 * policy_result - how a process that ended counts.
 * @c:    what it ran; "-" in front of it makes every end a success. May be NULL.
 * @main: a main process, to which SIGHUP, SIGINT, SIGTERM and SIGPIPE are clean ends
 * Source: systemd.service(5), SuccessExitStatus=.
 */
enum service_result policy_result(
    const struct plan_unit *u, const struct plan_command *c, bool main, int code, int status);

/* Should a service that ended so be started again by itself? systemd.service(5), Restart=. */
bool policy_restart(const struct plan_unit *u, enum service_result result, int code, int status);

/* How long to wait before that. */
uint64_t policy_restart_usec(const struct plan_unit *u, uint32_t n_restarts);

/* How long a state may last; USEC_INFINITY: for ever. */
uint64_t policy_timeout_usec(const struct plan_unit *u, enum service_state state);

/* What stops it, and whether that goes to its process group. */
int policy_kill_signal(const struct plan_unit *u);
bool policy_kills_group(const struct plan_unit *u, int signo);

/*
 * policy_limit - count one more in a window.
 * @begin_usec, n: the window's state
 * Return: true when it is within burst; false when it is one too many (then it is not counted).
 */
bool policy_limit(
    uint64_t *begin_usec, uint32_t *n, uint64_t now_usec, uint64_t interval_usec, uint32_t burst);

/* How long a socket is left alone after its n-th pause in a row: 1 s doubled, up to 60 s. */
uint64_t policy_pause_usec(uint32_t n_pauses);
