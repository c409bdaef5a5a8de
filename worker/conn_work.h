/*
 * conn_work.h - what a connection takes into the shared work space and out of it again. For conn.c
 * alone.
 * Runs as: worker, no rights.
 * Owns:    struct held: one allocation of just the size of what is half done, so that an idle
 *          connection costs no buffer and a slow one costs no more than it has sent.
 * Tests:   tests/unit/test_conn.c
 */
#pragma once

#include "worker/conn.h"

enum conn_state {
	C_HANDSHAKE,
	C_HEAD,
	C_BODY,
	C_SEND,
	C_FINISH, /* send what is in out, then say that it was the last */
	C_LINGER,
};

/* The work space becomes c's: what it held, or empty. */
void work_load(struct conn *c);

/* c waits: put away what it has not finished. Return: 0, or -ENOMEM: it cannot go on. */
_must_check_ int work_store(struct conn *c);

/* c ends: free what it held. */
void work_drop(struct conn *c);
