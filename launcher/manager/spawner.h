/*
 * spawner.h - the manager's end of a spawner (user/spawn.h): who forks the instances of a template
 *             so that root need not fork itself for each connection.
 * Runs as: manager.
 * Trusts:  no spawner: it is the service's user, who can stop or kill it. Whether it did what it was
 *          asked for, the monitor tells; what it did not, the monitor does the plain way. So the
 *          connection is kept until then.
 * Owns:    both ends of the socket to it. Its process is the main process of the template's own
 *          service, which has no other.
 * Logs:    one that does not answer.
 * Tests:   tests/lifecycle/test_spawner.py, tests/unit/test_manager.c
 */
#pragma once

#include "launcher/manager/state.h"

/* None yet. */
void spawner_init(struct socket *k);

/*
 * spawner_run - have the connection of an instance served by a child of its spawner.
 * Return: true when the START was sent; false: do it the plain way, which is also what is left to do
 * when STARTED then says that it came to nothing. s->connection stays.
 */
bool spawner_run(struct manager *m, struct service *s);

/* STARTED came for an instance that was started so. */
void spawner_answered(struct manager *m, struct service *s);

/* A template's own process has ended, or could not be started. */
void spawner_lost(struct socket *k);

/* Nothing more is started: it shall go. */
void spawner_stop(struct manager *m, struct socket *k);
