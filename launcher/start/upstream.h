/*
 * upstream.h - what is above us: a service manager that wants to hear that we are ready.
 * Runs as: root, before confinement.
 * Source:  sd_notify(3).
 * Tests:   tests/activation/
 */
#pragma once

#include "launcher/monitor/monitor.h"

/* Connects m->upstream_fd to $NOTIFY_SOCKET, if there is one. Out of reach is not an error. */
void upstream_connect(struct monitor *m);
