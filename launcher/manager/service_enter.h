/*
 * service_enter.h - ways into a state: what has to be done there, or the state after it if nothing.
 * Runs as: manager; called by service_state.c's events.
 * Tests:   tests/unit/test_manager.c
 */
#pragma once

#include "launcher/manager/policy.h"
#include "launcher/manager/service.h"

/* The first thing that went wrong is what Result= tells. */
void service_note_result(struct service *s, enum service_result result);

/* Is there an n-th command of this slot? */
bool service_has_command(
    const struct manager *m, const struct service *s, uint32_t slot, uint32_t n);
/* Is any process of it left, or on its way? */
bool service_any_alive(const struct service *s);

/* Signals one process as KillMode= says. Return: false when there is none to wait for. */
bool service_kill_process(
    struct manager *m, struct service *s, struct process *p, enum policy_phase phase);

/* In the order of a life. @result: what went wrong on the way here, or RESULT_SUCCESS. */

/* A start from nothing: limits, conditions, then the commands. */
void service_enter_begin(struct manager *m, struct service *s);
void service_enter_start_pre(struct manager *m, struct service *s);
void service_enter_start(struct manager *m, struct service *s);
void service_enter_start_post(struct manager *m, struct service *s);
void service_enter_running(struct manager *m, struct service *s, enum service_result result);
void service_enter_stop(struct manager *m, struct service *s, enum service_result result);
/* STATE_STOP_SIGTERM, _SIGKILL, STATE_FINAL_SIGTERM or _SIGKILL */
void service_enter_signal(
    struct manager *m, struct service *s, enum service_state state, enum service_result result);
void service_enter_stop_post(struct manager *m, struct service *s, enum service_result result);
/* Down, or waiting to be started again. */
void service_enter_dead(struct manager *m, struct service *s);
