/*
 * service.h - one service: its processes, its state, what it says of itself.
 * Runs as: manager.
 * Trusts:  messages that msg_check() passed; of a service's own datagrams, what service_notify.c
 *          lets through.
 * Owns:    the struct service in its unit. Processes are the monitor's; here are their numbers.
 * Logs:    one line whenever something happened to a service.
 * Tests:   tests/unit/test_manager.c, tests/lifecycle/
 *
 * service.c keeps the books of processes, service_state.c is the table of states and events,
 * service_notify.c the datagrams, service_names.c the words.
 */
#pragma once

#include "launcher/manager/state.h"

enum service_event {
	EVENT_START, /* a job */
	EVENT_STOP,
	EVENT_RELOAD,
	EVENT_MAIN_STARTED, /* the main process executed its image, or was adopted */
	EVENT_NOT_ADOPTED, /* there is no orphan that could be the main process */
	EVENT_MAIN_EXITED, /* or could not be started */
	EVENT_CONTROL_EXITED,
	EVENT_READY, /* READY=1 */
	EVENT_STOPPING, /* STOPPING=1 */
	EVENT_TIMEOUT, /* of the state */
	EVENT_WATCHDOG, /* WATCHDOG=1 did not come, or WATCHDOG=trigger did */
	EVENT_END,
};

/* A fresh service of unit u. @note: its record in the notebook. */
void service_init(struct manager *m, struct service *s, struct unit *u, uint32_t note);

/* What the log and operators call it. */
const char *service_name(const struct manager *m, const struct service *s);

/* An event for the state machine; one that means nothing in this state is dropped. */
void service_event(struct manager *m, struct service *s, enum service_event event);

/* STARTED and EXITED of any process of a unit. */
void service_process_started(struct manager *m, struct unit *u, const struct msg *msg);
void service_process_exited(struct manager *m, struct unit *u, const struct msg *msg);

/* Starts the n-th command of a slot as the main or as the control process. */
void service_run(
    struct manager *m, struct service *s, struct process *p, uint32_t slot, uint32_t n);

/* Type=forking, MAINPID=: an orphan becomes the main process. @pid: which; 0: PIDFile= tells. */
void service_adopt(struct manager *m, struct service *s, pid_t pid);
/* The same, in a moment. */
void service_adopt_later(struct manager *m, struct service *s);

/* How the last process that ended counts. */
enum service_result service_main_result(const struct manager *m, const struct service *s);
enum service_result service_control_result(const struct manager *m, const struct service *s);

/* Changes state: timer, notebook, log, and the list of changed units. */
void service_set_state(struct manager *m, struct service *s, enum service_state state);

/* Alive: the watchdog waits anew, where it runs. */
void service_watchdog(struct manager *m, struct service *s);

/* Into the notebook. After every change that a successor must know. */
void service_save(struct manager *m, const struct service *s);

/* From the notebook: everything but the processes. */
void service_restore(struct service *s, const struct note *n);

static inline bool
process_alive(const struct process *p)
{
	return p->state != PROCESS_NONE;
}

/* Classes of states. */
bool service_is_down(enum service_state state); /* dead or failed */
bool service_is_up(enum service_state state); /* running, exited, reload */
bool service_is_stopping(enum service_state state);

/* service_state.c: what EVENT means in each state. */
void service_dispatch(struct manager *m, struct service *s, enum service_event event);

/* service_notify.c */
void service_notify_init(struct service *s, int fd);
/* Reads datagrams, at most as many as one wake-up may take. */
void service_notify_drain(struct manager *m, struct service *instance);
/* Listens to it if who sends can be told now. */
void service_notify_update(struct manager *m, struct service *instance);

/* service_names.c: as systemctl(1) prints them. "?" when out of range. */
const char *service_state_name(uint32_t state); /* SubState= */
const char *service_active_name(uint32_t state); /* ActiveState= */
const char *service_result_name(uint32_t result); /* Result= */
