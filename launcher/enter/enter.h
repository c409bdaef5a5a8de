/*
 * enter.h - the child between fork and exec: from root to somebody lesser, step by step.
 * Runs as: root (or whoever runs the launcher) up to ENTER_USER, then the unit's user.
 * Trusts:  the frozen plan. What a peer may influence (a connection's address) only ever becomes
 *          the value of an environment variable.
 * Owns:    the whole process: it ends in execve(2) or _exit(2), nothing is released.
 * Calls:   async-signal-safe functions only; no allocation, no stdio, no NSS, no log.
 * Tests:   tests/activation/, tests/privilege/
 */
#pragma once

#include <sys/resource.h>

#include "launcher/enter/peer.h"
#include "launcher/unit/name.h"
#include "launcher/unit/plan.h"

/* The steps in their order; steps.c has one row for each. Numbers travel in MSG_STARTED. */
enum enter_step {
	/* With the launcher's rights; by a spawner once for all, so see may_spawn() in load.c: */
	ENTER_LIMITS, /* setrlimit(2), nice, OOM score */
	ENTER_ENVIRONMENT, /* EnvironmentFile=: secrets that only root may read */
	ENTER_DIRECTORIES, /* RuntimeDirectory= and its kin */
	ENTER_CREDENTIALS, /* LoadCredential=: secrets that only root may read */
	ENTER_STDIO, /* 0, 1 and 2: log files may be root's */
	ENTER_BOUNDING, /* capability bounding set */
	ENTER_GROUPS, /* setgroups(2), setresgid(2) */
	ENTER_USER, /* setresuid(2), and the proof that there is no way back */
	ENTER_CAPS, /* inheritable, permitted, effective and ambient sets: AmbientCapabilities= */
	ENTER_NO_PRIVS, /* no_new_privs */
	/* From here on as the unit's user: */
	ENTER_SIGNALS, /* default dispositions, nothing blocked */
	ENTER_SESSION, /* setsid(2), umask(2) */
	ENTER_DESCRIPTORS, /* the passed ones from 3, all else closed */
	ENTER_DIRECTORY, /* chdir(2): after the user, who alone may be able to enter it (NFS) */
	ENTER_ARGUMENTS, /* environment and argv: last, LISTEN_PID is ours */
	ENTER_EXEC, /* execve(2) */
	ENTER_STEP_END,
	ENTER_FOUND = ENTER_STEP_END, /* no step: `error` is the pid that orphan.h found */
};

/* What a failed step is called in a message, and its exit code (systemd.exec(5)). */
const char *enter_step_name(uint32_t step);
int enter_step_exit_code(uint32_t step);

/* Why a service is not running; systemd.service(5) calls it $SERVICE_RESULT, systemctl Result=. */
enum service_result {
	RESULT_SUCCESS,
	RESULT_RESOURCES,
	RESULT_PROTOCOL,
	RESULT_TIMEOUT,
	RESULT_EXIT_CODE,
	RESULT_SIGNAL,
	RESULT_CORE_DUMP,
	RESULT_WATCHDOG,
	RESULT_START_LIMIT,
	RESULT_CONDITION, /* a condition was not met: not started, not failed */
	RESULT_ASSERT, /* an assertion was not: failed */
	RESULT_DEPENDENCY, /* what it requires did not start */
	RESULT_END,
};
extern const char *const service_results[RESULT_END]; /* result_table.c: its words */

/* Written to status_fd by a child that could not execute; EOF there means that it did. */
struct enter_failure {
	uint32_t step; /* enum enter_step */
	int32_t error; /* errno, positive */
};

/* One descriptor to pass: it becomes 3, 4, ... in this order. */
struct enter_fd {
	int fd; /* borrowed */
	const char *name; /* for LISTEN_FDNAMES; printable, no ':'; all NULL: no such variable */
};

#define ENTER_FDS_FIRST 3 /* SD_LISTEN_FDS_START, sd_listen_fds(3) */
#define ENTER_FDS_MAX 1024

struct enter {
	const struct plan *plan;
	const struct plan_unit *unit; /* the service */
	const struct plan_command *command; /* of that service */
	uint32_t slot; /* enum command_slot: when it runs */
	const struct enter_fd *fds;
	uint32_t n_fds;
	bool inetd; /* fds[0] becomes 0 and 1, nothing is passed from 3: inetd(8) */
	int stdio_fd; /* becomes 1 and 2, and 0 is /dev/null; -EBADF: 0-2 stay as they are */
	bool detached; /* a service: session, umask and directory of its own; else the caller's */
	const struct peer *peer; /* of an accepted connection, or NULL */
	const struct unit_name *instance; /* of a template's unit: for its specifiers; or NULL */
	const char *notify_path; /* NOTIFY_SOCKET, or NULL */
	uint64_t watchdog_usec; /* 0: none */
	pid_t main_pid; /* $MAINPID, or 0 */
	uint32_t result; /* enum service_result, for the stop commands */
	int32_t code, status; /* for the same: how the main process ended; code 0: it did not */
	const struct rlimit
	    *nofile; /* what RLIMIT_NOFILE was before the launcher raised it, or NULL */
	const uint8_t *invocation_id; /* 16 bytes for INVOCATION_ID, or NULL */
	int status_fd; /* write end, close-on-exec; -EBADF: the exit code alone tells */
};

/*
 * enter_text - a text of the unit, in a template with its specifiers replaced.
 * Return: valid until the next call; NULL for "none", "" when it does not fit.
 */
const char *enter_text(const struct enter *e, struct ref r);

/*
 * enter_become - the steps up to ENTER_NO_PRIVS.
 * Return: 0, or -errno with the step in *ret. After a failure the process is fit only to exit.
 */
_must_check_ int enter_become(struct enter *e, struct enter_failure *ret);

/* The same; reports a failure to status_fd and exits with its code. */
void enter_become_or_exit(struct enter *e);

/* Only those that change who we are: ENTER_BOUNDING to ENTER_NO_PRIVS. */
_must_check_ int enter_drop(struct enter *e, struct enter_failure *ret);

/* The steps after that; reports a failure to status_fd and exits with its code. */
_Noreturn void enter_exec(struct enter *e);

/* In a copy of a process that has become: ENTER_STDIO once more, for a connection, then the rest. */
_Noreturn void enter_again(struct enter *e);
