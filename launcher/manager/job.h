/*
 * job.h - what is wanted of a unit, until it is so or has failed.
 * Runs as: manager.
 * Tests:   tests/unit/test_manager.c, tests/lifecycle/
 *
 * A unit has one job at most; a new one takes the place of an old one, whose operator is told so.
 * Jobs are looked at in settle(), after each event, so they may ask each other for anything.
 */
#pragma once

#include "launcher/manager/state.h"

/* Asks for something; the answer is in u->job going back to JOB_NONE. */
void job_request(struct manager *m, struct unit *u, enum job_kind kind);

/* The job of u ends without having been begun. @text: why */
void job_fail(struct manager *m, struct unit *u, const char *text);

/* Looks at every unit that changed, until none is left: sockets, jobs, operators, the end. */
void settle(struct manager *m);

/* "start", "stop", ... */
const char *job_name(enum job_kind kind);
