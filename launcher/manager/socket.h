/*
 * socket.h - a socket unit: polled while its service is down, left alone while it is up; stopped,
 *            it turns clients away as far as that can be taken back.
 * Runs as: manager.
 * Trusts:  nothing that comes in by a listener; without Accept=yes not a byte of it is read.
 * Owns:    its watches; the descriptors are the monitor's for good.
 * Logs:    stops, starts, pauses and failures of a socket.
 * Tests:   tests/unit/test_manager.c, tests/lifecycle/
 */
#pragma once

#include "launcher/manager/state.h"

/* A fresh socket of unit u; its listeners get their watches. */
void socket_init(struct manager *m, struct socket *k, struct unit *u);

/*
 * socket_start - a job: wait for traffic.
 * Return: NULL, also when a condition kept it from being opened; or why it could not.
 */
const char *socket_start(struct manager *m, struct socket *k);

/* A job: no longer. */
void socket_stop(struct manager *m, struct socket *k);

/* What has failed is merely stopped now. */
void socket_reset_failed(struct manager *m, struct socket *k);

/* A service that it belongs to changed: listen again, stop listening, or turn clients away. */
void socket_service_changed(struct manager *m, struct socket *k);

/* It or its job changed: turn clients away, or no longer. */
void socket_settle(struct manager *m, struct socket *k);

/* The end: what a launcher above us may have passed listens again, as it did. */
void socket_give_back(struct socket *k);

/*
 * socket_may_trigger - count one activation against TriggerLimit*= and PollLimit*=.
 * Return: false when it is one too many: the socket is paused then, and comes back by itself; or,
 *         by X-Sallyport-TriggerLimitAction=fail, it has failed.
 */
bool socket_may_trigger(struct manager *m, struct socket *k);

/* Leaves it alone for so long. @reason: for the log */
void socket_pause(struct manager *m, struct socket *k, uint64_t usec, const char *reason);

/* The same, unless it is left alone already: there is a lack of something. */
void socket_shed(struct manager *m, struct socket *k, uint64_t usec, const char *reason);

/* Into the notebook, and from it. */
void socket_save(struct manager *m, const struct socket *k);
void socket_restore(struct manager *m, struct socket *k, const struct note *n);

/* As systemctl(1) prints them; "?" when out of range. */
const char *socket_result_name(uint32_t result);
const char *socket_state_name(uint32_t state);
const char *socket_active_name(uint32_t state);
