/*
 * upstream.h - what is above us: a service manager that wants to hear that we are ready.
 * Runs as: the monitor. The socket is connected before confinement.
 * Source:  sd_notify(3).
 * Tests:   tests/lifecycle/
 */
#pragma once

/* Connects to $NOTIFY_SOCKET, if there is one. A socket that cannot be reached is not an error. */
void upstream_connect(void);

/* One assignment, e.g. "READY=1"; lost without complaint when nobody listens. */
void upstream_notify(const char *text);
