/*
 * msg.h - what the two halves of the launcher say to each other: one SOCK_SEQPACKET datagram a
 *         message, host byte order, fixed size, all of it checked.
 * Runs as: root (monitor) and user `sallyport` (manager).
 * Trusts:  nobody. The monitor treats a request as gossip: it is checked against the frozen plan
 *          and the table of instances, and whatever does not fit ends that manager, not the
 *          monitor.
 * Tests:   tests/unit/test_msg.c, tests/fuzz/fuzz_msg.c (either end)
 *
 * docs/PROTOCOLS.md has the whole conversation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"

#define MSG_VERSION 4u /* bump on any change below; both ends refuse a mismatch */

/* Requests are odd and come from the manager, events are even and come from the monitor. */
enum msg_type {
	MSG_HELLO = 1, /* request: this is a manager of MSG_VERSION; first, and once */
	MSG_START = 3, /* request: start a command of the plan */
	MSG_SIGNAL = 5, /* request: signal an instance */
	MSG_INSTANCE = 2, /* event, only after HELLO: this one runs already */
	MSG_SETTLED = 4, /* event, once: no more MSG_INSTANCE, now ask */
	MSG_STARTED = 6, /* event: the image was executed, or the start failed */
	MSG_EXITED = 8, /* event: the process is gone and was reaped */
	MSG_SHUTDOWN = 10, /* event: stop every service, then exit 0 */
};

/* An instance is one process that the monitor started. The pair is never used twice. */
struct msg_instance_id {
	uint32_t slot;
	uint32_t generation; /* 0: none */
};

/*
 * One layout for all: each type uses the fields its row in msg.c names, the others are zero and
 * checked to be. Small and regular beats tight: there are a few per activation.
 */
struct msg {
	uint32_t version;
	uint32_t type; /* enum msg_type */
	uint32_t seq; /* START: chosen by the manager; STARTED, INSTANCE repeat it */
	uint32_t unit; /* START, INSTANCE, STARTED, EXITED: index in the plan */
	uint32_t slot; /* START, INSTANCE: enum command_slot */
	uint32_t command; /* START, INSTANCE: which line of that slot */
	struct msg_instance_id instance; /* SIGNAL, INSTANCE, STARTED, EXITED */
	int32_t pid; /* INSTANCE (0: not known yet), STARTED, EXITED; START: $MAINPID or 0 */
	int32_t error; /* STARTED: 0, or errno of the step that failed */
	uint32_t step; /* STARTED: enum enter_step that failed */
	int32_t signo; /* SIGNAL */
	uint32_t result; /* START: enum service_result, for the stop commands */
	int32_t code; /* EXITED, START (of the main process, or 0): CLD_EXITED, _KILLED, _DUMPED */
	int32_t status; /* of the same: exit status or signal */
	uint32_t flags; /* of START, SIGNAL and INSTANCE, below */
	uint64_t started_usec; /* INSTANCE, STARTED: CLOCK_MONOTONIC of the fork */
	uint64_t number; /* START with MSG_START_CONNECTION: N of "name@N-..." */
	uint64_t watchdog_usec; /* START: WATCHDOG_USEC for the child, 0 none */
};

enum msg_start_flag {
	/* One descriptor comes along: */
	MSG_START_CONNECTION = 1 << 0, /* an accepted connection; COMMAND_SPAWN: requests */
	MSG_START_SPAWNED = 1 << 1, /* from a child that the unit's spawner makes: its status */
};

enum msg_signal_flag {
	MSG_SIGNAL_GROUP = 1 << 0, /* to the process group, not to the process alone */
};

enum msg_instance_flag {
	MSG_INSTANCE_EXECUTED = 1 << 0, /* its exec succeeded already */
};

/* Which end a message is read at, and what was said before. */
enum msg_state {
	MSG_STATE_NEW = 1 << 0, /* monitor's end, before HELLO */
	MSG_STATE_UP = 1 << 1, /* monitor's end, after it */
	MSG_STATE_LEARNING = 1 << 2, /* manager's end, before SETTLED */
	MSG_STATE_SETTLED = 1 << 3, /* manager's end, after it */
};

/*
 * msg_check - is this a message that may come in this state?
 * @bytes,len: as received
 * @n_fds:     descriptors that came along
 * Return: 0 and a copy; -EPROTO when version, size, type, state, a field that must be zero or the
 *         number of descriptors is wrong (why says which).
 */
_must_check_ int msg_check(const void *bytes, size_t len, size_t n_fds, enum msg_state state,
    struct msg *ret, struct why *why);

/* A message of this type with version set and all else zero. */
struct msg msg_make(enum msg_type type);
