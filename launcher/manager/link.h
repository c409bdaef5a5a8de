/*
 * link.h - the manager's end of the conversation with the monitor (msg.h).
 * Runs as: manager.
 * Trusts:  the monitor is root, yet what it says is checked like any other input: a message that
 *          does not fit ends this manager, and the next one learns afresh.
 * Owns:    the queue of what could not be sent yet, with the descriptors in it.
 * Logs:    what goes wrong between the halves.
 * Tests:   tests/unit/test_manager.c, tests/unit/test_manager_takeover.c, tests/fuzz/fuzz_msg_manager.c
 */
#pragma once

#include "launcher/manager/state.h"

/* Room for every request that all services may have open at a time. Return: 0 or -ENOMEM. */
_must_check_ int link_init(struct manager *m);
void link_done(struct manager *m);

/* A descriptor that goes with a START. */
struct link_pass {
	int fd;
	uint32_t flags; /* enum msg_start_flag: what it is */
	bool keep; /* the caller's until STARTED has come; otherwise taken */
};
#define LINK_PASS_NOTHING ((struct link_pass){ .fd = -EBADF })

/*
 * link_start - ask for a command of the plan.
 * @p: the process it becomes; must be free. Its slot and command say which.
 * @pass: what comes along
 */
void link_start(
    struct manager *m, struct service *s, struct process *p, pid_t main_pid, struct link_pass pass);

/* Signal a process, or its whole group; held back until the instance is known. */
void link_signal(struct manager *m, struct process *p, int signo, bool group);

/* HELLO: the first thing said. */
void link_hello(struct manager *m);

/* Reads what is there; a bounded number of messages. */
void link_read_all(struct manager *m);

/* One message that was checked: the road of tests and fuzzer into the state machines. */
void link_take(struct manager *m, const struct msg *msg);
