/*
 * socket.h - a socket unit: polled while its service is down, left alone while it is up.
 * Runs as: manager.
 * Trusts:  nothing that comes in by a listener; without Accept=yes not a byte of it is read.
 * Owns:    its watches; the descriptors are the monitor's for good.
 * Logs:    stops, starts and pauses of a socket.
 * Tests:   tests/unit/test_manager.c, tests/lifecycle/
 */
#pragma once

#include "launcher/manager/state.h"

void socket_init(struct manager *m, struct socket *k, struct unit *u);

/* Jobs. */
void socket_start(struct manager *m, struct socket *k);
void socket_stop(struct manager *m, struct socket *k);

/* Its service changed: listen again, or stop listening. */
void socket_service_changed(struct manager *m, struct socket *k);

void socket_save(struct manager *m, const struct socket *k);
void socket_restore(struct manager *m, struct socket *k, const struct note *n);

const char *socket_state_name(uint32_t state);
const char *socket_active_name(uint32_t state);
