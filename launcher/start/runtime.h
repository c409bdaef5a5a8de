/*
 * runtime.h - the runtime directory: the control socket, the notify sockets, and the lock that
 *             keeps two launchers apart.
 * Runs as: root, before confinement; leave.c empties it at the very end.
 * Owns:    what it opens goes into struct monitor.
 * Tests:   tests/lifecycle/
 */
#pragma once

#include "launcher/monitor/monitor.h"

/* Makes and locks m->runtime_dir. -EBUSY when another launcher has it. */
_must_check_ int runtime_open(struct monitor *m, struct why *why);

/* The control socket, and a notify socket for each service that may send. */
_must_check_ int runtime_sockets(struct monitor *m, struct why *why);
