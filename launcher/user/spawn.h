/*
 * spawn.h - a spawner: it has gone through all steps that need rights once, and forks the instances
 *           of one template from there on. Elsewhere it is called a fork server.
 * Runs as: a child of the monitor that has become the unit's user: no capability, no_new_privs, not
 *          dumpable. Its children are the monitor's, by CLONE_PARENT, and share its memory until
 *          they execute; it waits for that (vfork(2)).
 * Trusts:  the manager, which is all that it reads: with a number and a connection, for a service
 *          that the manager may start anyway. It ends when the manager closes its socket.
 * Tests:   tests/lifecycle/test_spawner.py, tests/privilege/
 */
#pragma once

#include "launcher/enter/child.h"

/* From the manager, with two descriptors: the connection, and the far end of a status socket, of
 * which the monitor has the near one. The child's first act is to send a struct enter_failure with
 * ENTER_FOUND there, to which the kernel adds who it is (SCM_CREDENTIALS). Then as in enter.h. */
struct spawn_request {
	uint64_t number; /* N of "name@N-..." */
	uint64_t watchdog_usec;
};

/* Forks a child for each request; returns when its socket, c->connection, is closed, or makes no sense. */
void spawn_serve(const struct child *c);
