/*
 * heritage.h - all that the monitor hands to a manager over exec: descriptors by number.
 * Runs as: written by the monitor (root), read by the manager (user `sallyport`).
 * Tests:   tests/lifecycle/
 *
 * A manager that dies loses nothing that counts: each descriptor below is the monitor's, and the
 * next manager gets the same ones. The manager must not close them to tell the world anything.
 */
#pragma once

enum heritage_fd {
	HERITAGE_STDIN = 0, /* /dev/null */
	HERITAGE_STDOUT = 1, /* the launcher's own */
	HERITAGE_LOG = 2, /* the launcher's standard error: the log */
	HERITAGE_MONITOR = 3, /* SOCK_SEQPACKET to the monitor, messages of msg.h */
	HERITAGE_PLAN = 4, /* the sealed plan, plan.h */
	HERITAGE_NOTEBOOK = 5, /* memfd: what a manager wants its successor to know */
	HERITAGE_CONTROL = 6, /* listening SOCK_SEQPACKET: the operator's verbs */
	HERITAGE_RUNTIME = 7, /* O_PATH of the runtime directory: its root directory to be */
	/* From here one listener each, then one notify socket for each service with NotifyAccess=.
	 * Where a condition kept a listener from being opened, the plan is in its place once more;
	 * where an assertion did, the notebook. */
	HERITAGE_FIRST = 8,
};

/* What the manager is told by argv; all else is in the plan. */
#define HERITAGE_ARGV0 "sallyport: manager"

/* Notebook size: per unit one record, see manager/notebook.h. */
#define HERITAGE_NOTEBOOK_UNIT_BYTES 2048
