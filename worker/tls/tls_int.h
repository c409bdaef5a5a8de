/*
 * tls_int.h - what tls.c and tls_transport.c share.
 * Runs as: worker, no rights.
 * Tests:   tests/tls
 */
#pragma once

#include <openssl/types.h>

#include "worker/http/message.h"
#include "worker/tls/certset.h"
#include "worker/tls/tls.h"

#define TLS_RECORD_MAX 16384

/* State of one transport. In a ring of tls.c while it waits for keys or for a job slot. */
struct tls_conn {
	struct tls *tls;
	struct transport *t; /* as of the last call: the connection may move it before the first */
	SSL *ssl;
	struct certset_seat seat;
	struct identity identity; /* once the handshake is done; its subject is ours to free */
	struct tls_conn *prev, *next;
	uint64_t asked_usec; /* when its job was paused */
	uint64_t sent_usec; /* when something was last written */
	uint32_t sent_bytes; /* since the connection was last idle */
	bool waiting; /* in a ring */
	bool paused; /* its job waits for a signature */
	bool shaking; /* hands: begun, and neither done nor failed */
	bool answered; /* and now has it: the next step may go on */
	bool small; /* records are small at present */
	bool again; /* the last record is still to be written */
};

struct tls {
	const struct tls_options *o;
	struct keyd_client client;
	struct tickets *tickets;
	SSL_CTX *base; /* without certificates: connections begin with it */
	unsigned first_group; /* of a connection that has not named a host */
	struct certset_now now;
	struct tls_conn for_keys, for_job; /* ring heads, oldest first */
	bool reload_owed; /* certificates were read whose keys the signer lacked */
	bool signer_lost; /* said so in the log */
	struct evloop *loop; /* NULL before tls_attach() */
	struct evloop_fd io;
	int watched_fd;
	struct evloop_timer timer;
	struct evloop_signal on_hup;
	struct tls_stats *stats; /* in shared memory */
	unsigned n_held; /* connections in the two rings */
	char scratch[TLS_RECORD_MAX]; /* for records made of several pieces */
};

/* Puts a connection at the end of a ring, or takes it out of the one it is in. */
void tls_conn_wait(struct tls_conn *c, struct tls_conn *ring);
void tls_conn_unwait(struct tls_conn *c);

/* A job has ended: one connection that waits for its slot may go on. */
void tls_job_free(struct tls *tls);

/* After anything that may have used the signer's connection: watch it for what it wants now. */
void tls_sync(struct tls *tls);

/* Now, of the loop's turn; of the clock before there is one. */
uint64_t tls_now_usec(const struct tls *tls);
