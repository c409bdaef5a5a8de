/*
 * state.h - everything the manager knows, as one tree of structures.
 * Runs as: manager; included by its .c files only.
 * Tests:   tests/unit/test_manager.c
 * Owns:    all memory is allocated at start, sized by the plan; nothing a peer does makes it grow.
 *
 * How an event travels: loop.c reads descriptors in the order of enum watch_rank and calls the
 * object they belong to; the object's state table decides and sends requests by link.c; units whose
 * state changed are put on the list of changed ones, and settle.c looks at those when the event is
 * done: sockets listen again, jobs go on, operators get their answers. So no state function is ever
 * re-entered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher/enter/enter.h"
#include "launcher/manager/control.h"
#include "launcher/manager/notebook.h"
#include "launcher/manager/timer.h"
#include "launcher/monitor/msg.h"
#include "launcher/unit/plan.h"

struct manager;
struct reverse;

/* Within one wake-up lower ranks come first: what the monitor says before any decision; what
 * services say before what clients of theirs cause. */
enum watch_rank {
	WATCH_LINK,
	WATCH_NOTIFY,
	WATCH_CONTROL,
	WATCH_LISTENER,
	WATCH_RANK_END,
};

struct watch {
	int fd; /* negative: not in use */
	enum watch_rank rank;
	uint32_t events; /* asked of epoll; 0: not in it */
	void (*ready)(struct manager *m, void *owner, uint32_t events);
	void *owner;
};

/* ---- services: service.c ---- */

/* systemd's, by name and meaning; service_names.c has the names. */
enum service_state {
	STATE_DEAD,
	STATE_CONDITION,
	STATE_START_PRE,
	STATE_START,
	STATE_START_POST,
	STATE_RUNNING,
	STATE_EXITED, /* RemainAfterExit= */
	STATE_RELOAD,
	STATE_STOP,
	STATE_STOP_WATCHDOG,
	STATE_STOP_SIGTERM,
	STATE_STOP_SIGKILL,
	STATE_STOP_POST,
	STATE_FINAL_SIGTERM,
	STATE_FINAL_SIGKILL,
	STATE_CLEANING, /* its runtime directories are removed */
	STATE_FAILED,
	STATE_AUTO_RESTART,
	STATE_END,
};

enum process_state {
	PROCESS_NONE,
	PROCESS_ASKED, /* START sent; STARTED not yet read */
	PROCESS_RUNNING, /* STARTED read; EXITED not yet */
};

/* One process of a service; the last one's data stay until the next is asked for. */
struct process {
	enum process_state state;
	uint32_t seq; /* of the START request */
	struct msg_instance_id id; /* generation 0: not told yet */
	pid_t pid;
	uint32_t slot, command; /* what it runs */
	uint64_t started_usec, exited_usec; /* CLOCK_MONOTONIC; 0: did not happen */
	int code, status; /* CLD_*, as wait(2) says */
	int error; /* errno of a failed start, 0 none */
	uint32_t step; /* enum enter_step of it */
	int signo; /* to be sent as soon as the instance is known; 0 none */
};

struct service {
	const struct plan_unit *unit;
	struct unit *owner; /* its unit; of an instance, the template's */
	struct socket *socket; /* of an instance of Accept=yes: where it came in */
	bool in_use; /* an instance that is; always true for a plain service */
	struct service *next; /* of an instance: in the list of free or of finished ones */
	char name[NOTE_NAME_MAX]; /* of an instance: "name@N-....service"; else "" */
	char source[NOTE_SOURCE_MAX]; /* of an instance: whom MaxConnectionsPerSource= counts */
	int connection; /* of an instance: until nobody needs it here any more; else negative */
	bool spawned; /* of an instance: its spawner was asked, and STARTED has not come */
	bool plainly; /* of an instance: its spawner did not do it */
	uint32_t note; /* its record in the notebook */

	enum service_state state;
	uint64_t since_usec, active_usec, inactive_usec;
	enum service_result result;
	struct process main, control;
	uint32_t command; /* line of the chain that runs now */
	bool forbid_restart; /* somebody wants it down */
	bool for_restart; /* it goes down to come up again: RestartKillSignal= */
	bool ready; /* said READY=1 in this run */
	bool cleaned; /* the runtime directories are gone, or shall stay */
	pid_t next_main; /* MAINPID=: takes over when the main process ends; 0 none */
	struct timer timer; /* the timeout of the state */
	struct timer watchdog; /* WATCHDOG=1 must come before it fires */
	uint64_t watchdog_usec; /* WatchdogSec=, or what WATCHDOG_USEC= made of it; 0 none */
	struct timer again; /* look for its main process, or fork for its connection, once more */

	uint32_t n_restarts;
	uint32_t n_starts; /* start limit */
	uint64_t window_usec;
	char status[NOTE_STATUS_MAX]; /* STATUS= */
	int error; /* ERRNO= */
	uint64_t n_notify_dropped;
	uint64_t number; /* of an instance: N */

	struct watch notify; /* fd negative without NotifyAccess= */
	bool notify_muted; /* START is under way: who sent it cannot be told yet */
};

/* ---- sockets: socket.c ---- */

enum socket_state {
	SOCKET_DEAD, /* stopped */
	SOCKET_LISTENING,
	SOCKET_RUNNING, /* its service runs, or is on its way */
	SOCKET_FAILED,
	SOCKET_STATE_END,
};

/* Why it is not listening. */
enum socket_result {
	SOCKET_SUCCESS,
	SOCKET_RESOURCES, /* it could not listen again */
	SOCKET_TRIGGER_LIMIT, /* X-Sallyport-TriggerLimitAction=fail */
	SOCKET_SERVICE_START_LIMIT, /* the same, and its service was started too often */
	SOCKET_CONDITION, /* a condition was not met when sockets were opened: there is none */
	SOCKET_ASSERT, /* an assertion was not */
	SOCKET_RESULT_END,
};

struct listener {
	const struct plan_listen *listen;
	enum socket_result absent; /* SOCKET_CONDITION or SOCKET_ASSERT: watch.fd is negative */
	struct socket *socket;
	struct watch watch;
};

struct spawner {
	int sock, far_end; /* to it, and what it reads from; negative: there is none */
	uint32_t n_asked; /* instances that it was asked for */
	uint64_t again_usec; /* no other one before */
	struct timer stuck; /* while there are any */
};

struct socket {
	const struct plan_unit *unit;
	struct unit *owner;
	enum socket_state state;
	enum socket_result result;
	enum socket_result absent; /* of any of its listeners */
	bool shut; /* clients are turned away: it is stopped, and no service has it */
	uint64_t since_usec;
	struct listener *listeners; /* in the manager's array */
	uint32_t n_listeners;
	struct unit *service; /* what it starts; with Accept=yes the template */
	uint64_t n_accepted;
	struct service *pool; /* Accept=yes: MaxConnections= of them */
	uint32_t pool_note; /* the first one's record in the notebook */
	uint32_t n_used; /* places of the pool that were ever used */
	uint32_t n_connections; /* instances that are */
	uint64_t turned_usec; /* when it was last logged that a connection was turned away */
	struct service *free, *finished;
	struct spawner spawner; /* Accept=yes: who forks them, if that may be */
	uint32_t n_triggers; /* TriggerLimit*=: how many since the window began */
	uint64_t window_usec;
	uint32_t n_polls; /* PollLimit*= */
	uint64_t polls_usec;
	uint32_t n_pauses; /* in a row */
	uint64_t pause_usec; /* polled again then; 0: not paused */
	uint64_t pause_end_usec; /* of the last of those in a row */
	struct timer timer; /* the pause */
};

/* ---- units and what operators want of them: job.c ---- */

enum job_kind {
	JOB_NONE,
	JOB_START,
	JOB_STOP,
	JOB_RESTART, /* stop, then start */
	JOB_RELOAD,
	JOB_KIND_END,
};

struct unit {
	const struct plan_unit *plan;
	enum job_kind job;
	bool job_begun; /* the state machine has been told */
	bool blocked; /* the job waits for another unit's */
	uint32_t rank; /* After=: higher than all that come before it */
	bool changed; /* is on the list */
	struct unit *next_changed;
	struct socket *accepts; /* of a template: the socket whose connections it serves */
	struct service service; /* UNIT_SERVICE */
	struct socket socket; /* UNIT_SOCKET */
};

/* ---- operators: control.c ---- */

/* As many as the monitor's table has places; its slots and our numbers find services by these. */
#define PROCESSES_MAX 65536u

#define CONTROL_CLIENTS_OWNER 16 /* uid 0 and the launcher's own */
#define CONTROL_CLIENTS_OTHER 16 /* everybody else, so that nobody can lock the owner out */
#define CONTROL_CLIENTS (CONTROL_CLIENTS_OWNER + CONTROL_CLIENTS_OTHER)

struct client {
	struct watch watch;
	uid_t uid;
	uint32_t verb; /* enum control_verb being served; CONTROL_VERB_END: none */
	uint32_t cursor; /* next unit to print of a listing */
	uint32_t cursor_instance; /* 0: the unit itself; n: the n-th instance of that socket */
	struct unit *waits; /* for this unit's job */
	struct service *waits_instance; /* for this one's end */
	struct timer timer; /* an idle client is sent away */
	bool ending; /* the end packet could not be sent yet */
	struct control_reply_head end;
	char end_text[256];
};

/* ---- to the monitor: link.c ---- */

struct link_entry {
	struct msg msg;
	int fd; /* passed along; negative: none */
	bool keep; /* it is not ours to close */
};

struct link {
	struct watch watch;
	enum msg_state state;
	bool settled;
	uint32_t next_seq;
	struct link_entry *queue; /* a ring */
	uint32_t n, head, max;
};

struct manager {
	const struct plan *plan;
	int epoll;
	struct timers timers;
	struct notebook notebook;
	struct link link;
	struct unit *units; /* by plan index */
	struct listener *listeners; /* by listener index */
	struct service *
	    *by_slot; /* PROCESSES_MAX: of a process that is known, by the monitor's slot */
	struct service **by_seq; /* PROCESSES_MAX: of a START that is open, by seq */
	uint32_t n_notes; /* records in the notebook: units, then instances */
	struct unit *changed, **changed_tail;
	struct reverse *reverse; /* depend.c */
	size_t n_reverse;
	struct watch control;
	uint32_t n_held; /* connections that are open here: accepted, and perhaps passed on */
	struct client clients[CONTROL_CLIENTS];
	uid_t uid; /* our own: may change things, as root may */
	bool stopping; /* MSG_SHUTDOWN was read */
	bool leave;
	int exit_code;
};

/* loop.c. watch_set: asks epoll for these events; 0 takes it out, which cannot fail. */
_must_check_ int watch_set(struct manager *m, struct watch *w, uint32_t events);
void watch_stop(struct manager *m, struct watch *w);
_must_check_ int loop_run(struct manager *m);

/* The unit's state changed: settle.c will look at it once this event is done. */
void unit_changed(struct manager *m, struct unit *u);
