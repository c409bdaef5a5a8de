/*
 * runtime.h - where we are: the runtime directory with its sockets, the lock that keeps two launchers
 *             apart, the service manager above us; and leaving it all as it was.
 * Runs as: root, before confinement; leave() confined, at the very end.
 * Owns:    what it opens goes into struct monitor.
 * Tests:   tests/lifecycle/
 */
#pragma once

#include "launcher/monitor/monitor.h"

/* Makes and locks m->runtime_dir. -EBUSY when another launcher has it. */
_must_check_ int runtime_open(struct monitor *m, struct why *why);

/* The control socket, and a notify socket for each service that may send. */
_must_check_ int runtime_sockets(struct monitor *m, struct why *why);

/* Connects m->upstream_fd to $NOTIFY_SOCKET, if there is one (sd_notify(3)). */
void upstream_connect(struct monitor *m);

/* Kills and reaps whoever is still there, and removes what was made. What resists is left. */
void leave(struct monitor *m);
