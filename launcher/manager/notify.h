/*
 * notify.h - what a service says of itself: sd_notify(3) datagrams.
 * Runs as: manager.
 * Trusts:  nobody: the text is checked whole, bounded, and an odd datagram is dropped and counted.
 *          Whether the sender may speak at all is decided by the caller (NotifyAccess=).
 * Owns:    nothing; descriptors that came along are the caller's to close.
 * Calls:   common/ only; logs nothing.
 * Tests:   tests/unit/test_notify.c, tests/fuzz/fuzz_notify.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/why.h"

/* Longer datagrams are dropped, as systemd does. */
#define NOTIFY_BYTES_MAX 4096

enum notify_key {
	NOTIFY_READY = 1 << 0,
	NOTIFY_RELOADING = 1 << 1,
	NOTIFY_STOPPING = 1 << 2,
	NOTIFY_STATUS = 1 << 3, /* status; empty clears */
	NOTIFY_MAINPID = 1 << 4, /* main_pid */
	NOTIFY_ERRNO = 1 << 5, /* error */
	NOTIFY_WATCHDOG = 1 << 6, /* alive */
	NOTIFY_WATCHDOG_TRIGGER = 1 << 7,
	NOTIFY_WATCHDOG_USEC = 1 << 8, /* watchdog_usec */
	NOTIFY_EXTEND_TIMEOUT = 1 << 9, /* extend_usec */
	NOTIFY_MONOTONIC = 1 << 10, /* monotonic_usec */
	NOTIFY_FDSTORE = 1 << 11,
	NOTIFY_FDSTOREREMOVE = 1 << 12,
	NOTIFY_FDNAME = 1 << 13, /* fd_name */
	NOTIFY_BARRIER = 1 << 14, /* alone in its datagram, with one descriptor */
	NOTIFY_RESTART_RESET = 1 << 15,
	NOTIFY_EXIT_STATUS = 1 << 16, /* for display only, not kept */
};

struct notify {
	unsigned keys; /* enum notify_key: which were given, with a value that makes sense */
	struct span status; /* into the datagram; UTF-8, no control bytes but blanks */
	struct span fd_name;
	pid_t main_pid;
	int error;
	uint64_t watchdog_usec, extend_usec, monotonic_usec;
};

/*
 * notify_parse - one datagram.
 * @n_fds: descriptors that came with it (BARRIER=1 wants exactly one)
 * Return: 0; -EBADMSG when it must be dropped whole (an embedded NUL, an empty one, a misused
 *         BARRIER=1). Unknown keys and values that make no sense are left out, as systemd does.
 * Source: sd_notify(3); sd_notify_barrier(3); systemd src/core/manager.c for what is dropped.
 */
_must_check_ int notify_parse(
    const char *text, size_t len, size_t n_fds, struct notify *ret, struct why *why);
