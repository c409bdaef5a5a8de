/*
 * control_server.h - answers operators (control.h).
 * Runs as: manager.
 * Trusts:  nobody; SO_PEERCRED says who may change things. Clients are few, have their own pools
 *          (owner, others), and an idle one is sent away.
 * Owns:    the clients' descriptors and timers.
 * Logs:    every change that was asked for, and by whom.
 * Tests:   tests/unit/test_control.c, tests/fuzz/fuzz_control.c, tests/lifecycle/test_verbs.py
 */
#pragma once

#include "launcher/manager/state.h"

/* Prepares the clients. */
void control_server_init(struct manager *m);

/* Polls the listening socket, once there is something to tell; until then they wait in its
 * backlog. Return: 0 or -errno. */
_must_check_ int control_server_open(struct manager *m);
void control_server_done(struct manager *m);

/* The job of u is over: whoever waited for it gets the answer. @text: why not, or "". */
void control_job_done(struct manager *m, struct unit *u, int error, const char *text);

/* The instance s ended. */
void control_instance_done(struct manager *m, struct service *s);

/* One request of a client: the road of tests and fuzzer. */
void control_request_take(struct manager *m, struct client *c, const void *bytes, size_t len);
