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

/* A fresh socket of unit u; its listeners get their watches. */
void socket_init(struct manager *m, struct socket *k, struct unit *u);

/* Jobs: wait for traffic, or no longer. The descriptors stay open either way. */
void socket_start(struct manager *m, struct socket *k);
void socket_stop(struct manager *m, struct socket *k);

/* Its service changed: listen again, or stop listening. */
void socket_service_changed(struct manager *m, struct socket *k);

/*
 * socket_may_trigger - count one activation against TriggerLimit*= and PollLimit*=.
 * Return: false when it is one too many: the socket is paused then, and comes back by itself.
 */
bool socket_may_trigger(struct manager *m, struct socket *k);

/* Leaves it alone for so long. @reason: for the log */
void socket_pause(struct manager *m, struct socket *k, uint64_t usec, const char *reason);

/* Into the notebook, and from it. */
void socket_save(struct manager *m, const struct socket *k);
void socket_restore(struct manager *m, struct socket *k, const struct note *n);

/* As systemctl(1) prints them; "?" when out of range. */
const char *socket_state_name(uint32_t state);
const char *socket_active_name(uint32_t state);
