/*
 * notebook.h - what a manager wants its successor to know, in a memfd that outlives it.
 * Runs as: manager. The monitor keeps the descriptor and never looks inside.
 * Trusts:  nothing that is in it: a record counts only when its checksum fits and every field is
 *          in range; otherwise it is as if nothing had been written.
 * Owns:    a shared mapping until notebook_done().
 * Tests:   tests/unit/test_notebook.c
 *
 * Each record is kept twice and written in turns, so that a manager killed in the middle of
 * writing leaves the older copy whole.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "launcher/start/heritage.h"

#define NOTE_STATUS_MAX 512
#define NOTE_NAME_MAX 256
#define NOTE_SOURCE_MAX 64

/* A unit, or an instance of Accept=yes. All of it is what `show` prints or a state needs. */
struct note {
	uint32_t state; /* enum service_state, or enum socket_state for a socket unit */
	uint32_t result; /* enum service_result */
	uint32_t n_restarts;
	uint32_t job; /* enum job_kind that was not finished */
	uint64_t since_usec; /* CLOCK_MONOTONIC of the state */
	uint64_t active_usec; /* of becoming active */
	uint64_t n_accepted; /* connections; of an instance: its number */
	uint64_t main_start_usec, main_exit_usec;
	int32_t main_pid; /* ExecMainPID: the last one, gone or not */
	int32_t main_code, main_status;
	int32_t error; /* ERRNO= */
	uint32_t n_starts; /* start limit: how many since the window began */
	uint32_t n_pauses; /* of a socket: how often in a row it was paused */
	uint64_t window_usec; /* begin of that window */
	uint64_t pause_usec; /* of a socket: polled again then; 0 not paused */
	uint32_t command; /* line of the chain that runs */
	uint32_t flags; /* enum note_flag */
	int32_t next_main; /* MAINPID= that is still to take over */
	uint32_t seq; /* of the START request of the main process */
	char status[NOTE_STATUS_MAX]; /* STATUS=, NUL-terminated, as the next two */
	char name[NOTE_NAME_MAX]; /* of an instance */
	char source[NOTE_SOURCE_MAX];
};

enum note_flag {
	NOTE_FORBID_RESTART = 1 << 0, /* it goes down because somebody wanted it down */
	NOTE_READY = 1 << 1, /* said READY=1 in this run */
	NOTE_FOR_RESTART = 1 << 2, /* and comes up again */
	NOTE_CLEANED = 1 << 3, /* its runtime directories were removed */
	NOTE_IN_USE = 1 << 4, /* of an instance: there is one */
	NOTE_FLAGS_MASK = 31,
};

struct notebook {
	unsigned char *map; /* NULL: no memory, every read says "nothing" */
	size_t bytes;
	uint32_t n; /* records */
};

/*
 * notebook_open - map the memfd.
 * @fd:  borrowed
 * @n:   records wanted; the file is grown to that, and fewer are served when it will not
 * Return: 0 or -errno.
 */
_must_check_ int notebook_open(struct notebook *nb, int fd, uint32_t n, struct why *why);
void notebook_done(struct notebook *nb);

/* Record i. Return: true and a copy, or false when there is none that can be believed. */
bool notebook_read(const struct notebook *nb, uint32_t i, struct note *ret);

/* Written so that a kill at any instruction leaves the old or the new record. */
void notebook_write(struct notebook *nb, uint32_t i, const struct note *note);
