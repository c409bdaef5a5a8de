/*
 * takeover.h - the beginning and the end of a manager: learn what runs already, and stop it all.
 * Runs as: manager.
 * Trusts:  the notebook only as far as it fits what the monitor says runs.
 * Tests:   tests/unit/test_manager_takeover.c, tests/lifecycle/test_takeover.py
 */
#pragma once

#include "launcher/manager/state.h"

/* m->n_notes: how many records the notebook needs; before it is opened. */
void takeover_count(struct manager *m);

/* Builds units, services, sockets and listeners from the plan. Return: 0 or -errno. */
_must_check_ int takeover_build(struct manager *m, struct why *why);
void takeover_done(struct manager *m);

/* MSG_INSTANCE: a process of u that a manager before us started. */
void takeover_learn(struct manager *m, struct unit *u, const struct msg *msg);

/* MSG_SETTLED: nothing more to learn; go on where the last one stopped, or begin. */
void takeover_settle(struct manager *m);

/* MSG_SHUTDOWN: every service down, no socket polled. settle.c leaves when that is done. */
void takeover_stop_all(struct manager *m);
