/*
 * accept.h - Accept=yes: each connection gets an instance of a template, "name@N-....service".
 * Runs as: manager.
 * Trusts:  nothing a peer sends: not a byte of a connection is read. Its address becomes part of a
 *          name and is counted.
 * Owns:    an accepted descriptor until an image has it, so that a start can be tried again (when
 *          very many are on their way, until the monitor has it). What is accepted and not passed on
 *          when a manager dies is lost: that connection ends. Also owned: the pool of instances, MaxConnections=
 *          of them, allocated at start.
 * Logs:    connections that are turned away, not too often.
 * Tests:   tests/lifecycle/test_accept.py, tests/unit/test_manager.c
 */
#pragma once

#include "launcher/manager/state.h"

/* The pool of socket k; its first record in the notebook is note. Return: 0 or -ENOMEM. */
_must_check_ int accept_init(struct manager *m, struct socket *k, uint32_t note);
void accept_done(struct socket *k);

/* A listener of k has connections. */
void accept_ready(struct manager *m, struct socket *k, int listener);

/* An instance is down: it is released when the event that ended it is done. */
void accept_finished(struct service *s);
/* Its connection is not needed here any more: closed, if it still is open. */
void accept_release(struct manager *m, struct service *s);

/* Releases those. */
void accept_collect(struct manager *m, struct socket *k);

/*
 * accept_learn - a place for an instance that a manager before us started.
 * @seq: of its START request; its note has the same
 * Return: NULL when there are more than MaxConnections= of them.
 */
struct service *accept_learn(struct manager *m, struct socket *k, uint32_t seq);

/* By name; NULL when there is none. */
struct service *accept_find(struct manager *m, const char *name);

/* for (each instance s of socket k) */
#define ACCEPT_FOREACH(k, s) \
	for (struct service *s = (k)->pool; s && s < (k)->pool + (k)->n_used; s++) \
		if (s->in_use)
