/*
 * monitor.h - the root half: opens the sockets of the plan, starts its commands, signals what it
 *             started, reaps. It decides nothing.
 * Runs as: root with few capabilities (confine.h), or whoever runs the launcher.
 * Trusts:  the frozen plan. The manager's messages are gossip; see msg.h.
 * Owns:    every descriptor below until the process ends. Memory: one table of instances, allocated
 *          at start, sized by the plan; nothing is allocated after that.
 * Tests:   tests/lifecycle/, tests/privilege/, tests/activation/
 */
#pragma once

#include "launcher/enter/child.h"
#include "launcher/enter/image.h"
#include "launcher/monitor/msg.h"

#define INSTANCES_MAX 65536u

enum instance_state {
	INSTANCE_FREE,
	INSTANCE_ASKED, /* a spawner's child that has not said yet that it is there */
	INSTANCE_EXECUTING, /* forked; its status pipe is open */
	INSTANCE_RUNNING, /* executed, or failed to: then only its exit is still to come */
	INSTANCE_GONE, /* reaped; kept until the manager has been told */
};

/* One process that the monitor started. What the manager has to be told is kept here, not queued:
 * a manager that does not read cannot make the monitor grow. */
struct instance {
	enum instance_state state;
	uint32_t generation; /* of the slot, never 0 once used */
	struct msg request; /* MSG_START */
	int status_fd; /* read end of the status pipe (of a spawner's child: a socket), or -EBADF */
	int32_t step, error; /* of a failed start */
	int32_t code, status; /* of the exit */
	uint32_t next; /* in the list of free or of owing ones */
	uint64_t started_usec;
	bool owes_started, owes_exited;
};

/* The unprivileged half as seen from here. */
struct manager {
	pid_t pid; /* 0: none */
	int sock; /* SOCK_SEQPACKET to it, or -EBADF */
	enum msg_state state;
	uint64_t started_usec;
	unsigned failures; /* in a row, each shortly after its start */
	uint64_t restart_at_usec; /* 0: not waiting */
	bool writable; /* false after EAGAIN, until epoll says otherwise */
	bool told_settled, told_shutdown;
	uint32_t next_introduced; /* instances below were announced to this manager */
};

struct monitor {
	const struct plan *plan;
	int epoll_fd, signal_fd;
	int plan_fd, notebook_fd, control_fd, runtime_fd, lock_fd, exe_fd;
	int *listen_fds; /* by plan_listen.index; -enum conditions_outcome where it is not open */
	int *notify_fds; /* by unit index, -EBADF where the unit has none */
	/* Tables with room for all that may be, of which only what was ever used takes memory. The
	 * first place stands for "none" in lists. */
	struct instance *instances;
	pid_t *pids; /* of the same index, 0 where it is not known; first the manager's */
	uint32_t n_instances, n_used;
	uint32_t free, owing; /* heads of lists */
	uint32_t n_asked; /* instances in INSTANCE_ASKED */
	pid_t reaped; /* a moment ago, and of nobody who is known */
	struct child child; /* what all children have in common */
	struct manager manager;
	struct image image; /* what each manager is executed with */
	int upstream_fd; /* to the service manager above us, or -EBADF */
	const char *runtime_dir;
	const char *manager_argv[3];
	struct rlimit nofile; /* before it was raised */
	bool ready; /* a manager has said HELLO once */
	bool stopping;
	bool more; /* to reap, at once */
	bool leave; /* the loop ends */
	int exit_code;
};

/* What epoll wakes us with: the kind in the upper half, an index in the lower. */
enum wake {
	WAKE_SIGNAL = 1,
	WAKE_MANAGER = 2,
	WAKE_STATUS = 3,
};
_must_check_ int monitor_watch(struct monitor *m, int fd, enum wake kind, uint32_t index);

/* Out of epoll and closed: a child that has not executed yet may hold a copy of it. */
void monitor_unwatch(struct monitor *m, int *fd);

/* instance.c */
/* @fd: the descriptor that came along, or -EBADF; taken if the instance keeps it. */
int instance_start(struct monitor *m, const struct msg *request, int *fd);
int instance_signal(struct monitor *m, const struct msg *request, struct why *why);
void instance_settle(struct monitor *m, uint32_t i);
/* True if pid was one of ours. */
bool instance_reaped(struct monitor *m, pid_t pid, int32_t code, int32_t status);
/* Told all that it owed: out of the list of those, and free if it is gone. */
void instance_told(struct monitor *m, struct instance *x);

/* link.c: the conversation with the manager */
_must_check_ int link_start_manager(struct monitor *m);
void link_read(struct monitor *m);
void link_flush(struct monitor *m);
void link_want_write(struct monitor *m, bool want);
void link_manager_died(struct monitor *m, int32_t code, int32_t status);

/* loop.c */
int monitor_loop(struct monitor *m);
