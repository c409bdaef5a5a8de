/*
 * keyd_client.h - the worker's end of the signing protocol: one connection to sallyport-keyd,
 * signatures in flight, a connection that is made again when the signer was restarted.
 * Runs as: worker, no rights.
 * Trusts:  the signer for signatures, not for its messages: each is checked, a bad one ends the
 *          connection and not the worker.
 * Owns:    the connection. Calls belong to whoever waits for them. No event loop inside, no log.
 * Tests:   tests/unit/test_keyd_client.c, tests/fuzz/fuzz_sign_reply.c, tests/tls
 */
#pragma once

#include "common/why.h"
#include "signer/proto.h"

#define KEYD_CALLS_MAX 1024 /* at once; the caller queues the rest */

struct keyd_key {
	uint8_t id[SIGN_KEY_ID_BYTES];
	enum sign_kind kind;
	uint16_t spki_len;
	uint8_t spki[SIGN_SPKI_MAX];
};

/* One signature that somebody waits for. Zero it, set done and arg, then keyd_call_start(). */
struct keyd_call {
	void (*done)(void *arg); /* from inside keyd_client_step() or _tick(); may be NULL */
	void *arg;
	bool finished; /* reply holds the answer */
	struct sign_signature reply; /* status SIGN_FAILED also when there will be none */
	/* keyd_client.c's */
	union sign_msg request;
	struct keyd_call *prev, *next; /* in the list of what is still to be sent */
	bool queued;
	uint32_t id; /* 0: not known to the client */
};

enum keyd_state {
	KEYD_DOWN, /* not connected; next attempt at retry_usec */
	KEYD_UP,
};

struct keyd_client {
	const char *path; /* borrowed */
	int fd;
	enum keyd_state state;
	uint64_t retry_usec, backoff_usec;
	struct keyd_call *calls[KEYD_CALLS_MAX]; /* by the low bits of their id */
	unsigned n_calls, free_hint;
	uint32_t sequence;
	struct keyd_call queue; /* ring head: not sent on this connection yet, oldest first */
	bool blocked; /* the socket was full at the last send */
	/* The keys of the signer, the last complete list. */
	struct keyd_key *keys;
	size_t n_keys;
	uint64_t generation; /* 0: never listed */
	void (*on_keys)(void *arg); /* another list than before; may be NULL */
	void *on_keys_arg;
	/* The list being made. */
	struct keyd_key *fresh;
	size_t n_fresh;
	uint64_t fresh_generation;
	uint32_t list_id; /* 0: none under way */
	bool list_owed; /* a request for fresh[n_fresh] is to be sent */
	/* Counters for the metrics. */
	uint64_t n_signed, n_refused, n_connects, n_bad_replies;
	int last_error; /* -errno of the last failed attempt to connect, or of the end */
};

/* Nothing is connected yet: that is keyd_client_tick()'s business. */
void keyd_client_init(struct keyd_client *c, const char *path);

/* Fails every call, closes, frees. */
void keyd_client_done(struct keyd_client *c);

/*
 * What to wait for on c->fd: bit 1 reading, bit 2 writing (as transport.h's WANT_ bits); 0 while
 * down. Changes with every call of the functions below.
 */
int keyd_client_want(const struct keyd_client *c);

/* Send what waits, all of it in as few system calls as can be. At the end of each turn. */
void keyd_client_flush(struct keyd_client *c);

/* c->fd is ready: send what waits, take what came. Replies end their calls. */
void keyd_client_step(struct keyd_client *c, uint64_t now_usec);

/*
 * keyd_client_tick - connect if it is time to.
 * Return: when to call again, in CLOCK_MONOTONIC microseconds; 0: no need.
 */
uint64_t keyd_client_tick(struct keyd_client *c, uint64_t now_usec);

/*
 * keyd_call_start - ask for a signature, by the next keyd_client_flush(). It survives a restart of
 * the signer: it is sent again.
 * @call: the caller's, until it is finished or was cancelled
 * Return: 0; -EBUSY when KEYD_CALLS_MAX are under way; -EMSGSIZE when no legal text is that long.
 */
_must_check_ int keyd_call_start(struct keyd_client *c, struct keyd_call *call, const uint8_t *key,
    unsigned scheme, const uint8_t *tbs, size_t len);

/* Nobody waits any more: the call may be freed. Safe on a finished one. */
void keyd_call_cancel(struct keyd_client *c, struct keyd_call *call);

/*
 * keyd_client_wait - step and tick until *until is true or the time is over; blocks.
 * For start-up, tests, and signatures outside of a job.
 * Return: 0 or -ETIMEDOUT.
 */
_must_check_ int keyd_client_wait(
    struct keyd_client *c, bool (*until)(const void *arg), const void *arg, uint64_t usec);

/* Connected, and the keys are those of the signer at the other end. */
bool keyd_client_is_ready(const struct keyd_client *c);

/* The key of this id, or NULL. Valid until the next step. */
const struct keyd_key *keyd_client_key(const struct keyd_client *c, const uint8_t *id);

/*
 * keyd_client_take - one received message; what keyd_client_step() does with each. For the fuzzer.
 * Return: 0, or -EBADMSG or -EPROTONOSUPPORT: the connection must end.
 */
_must_check_ int keyd_client_take(struct keyd_client *c, const union sign_msg *m, size_t len);
