/*
 * depend.h - what units want of each other: systemd.unit(5), Requires= to After=, among what is
 * loaded.
 * Runs as: manager.
 * Owns:    the reverse lists, made once at start.
 * Logs:    a circle of After=.
 * Tests:   tests/lifecycle/test_depend.py
 */
#pragma once

#include "launcher/manager/state.h"

/* Builds the reverse lists and the order. Return: 0 or -ENOMEM. */
_must_check_ int depend_init(struct manager *m);
void depend_done(struct manager *m);

/* A job of u was asked for: asks for those that go with it. */
void depend_request(struct manager *m, struct unit *u, enum job_kind kind);

/* True: the job of u has to wait for another one, by After= or Before=. */
bool depend_waits(const struct manager *m, const struct unit *u);

/* What keeps u from starting at all; NULL: nothing. */
const struct unit *depend_missing(const struct manager *m, const struct unit *u);

/* u did not start: neither will those that require it. */
void depend_failed(struct manager *m, struct unit *u);

/* u is down and nobody asked for that: those bound to it go, too. */
void depend_went_down(struct manager *m, struct unit *u);

/* Of either kind. */
bool unit_is_up(const struct unit *u);
bool unit_is_down(const struct unit *u);
