/*
 * child.h - from the monitor's tables to one child's `struct enter`, and on from there.
 * Runs as: a child of the monitor, with the launcher's rights until enter.h takes them.
 * Trusts:  the monitor's tables, of which it has its own copy since the fork.
 * Tests:   tests/activation/, tests/lifecycle/
 */
#pragma once

#include "launcher/enter/enter.h"

struct child {
	struct enter enter; /* all but the descriptors, and what is known only here */
	const int *listen_fds; /* by plan_listen.index; negative where it is not open */
	const int *notify_fds; /* by unit index, -EBADF where the unit has none */
	const char *runtime_dir;
	int connection; /* an accepted one, or -EBADF */
	uint64_t number; /* of it */
	const pid_t *known; /* COMMAND_ADOPT: who is no orphan */
	size_t n_known;
	/* COMMAND_SPAWN: what is left to do as the unit's user; then connection is its socket. */
	void (*spawn_serve)(const struct child *c);
};

/* Executes the command, or does what COMMAND_CLEAN and those after it ask for. */
_Noreturn void child_run(struct child *c);

/* The same for a connection, in a process that has become the unit's user already. */
_Noreturn void child_go_on(struct child *c);
