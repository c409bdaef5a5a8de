/*
 * evloop.h - the event loop. libev is met in evloop.c and nowhere else.
 * Runs as: worker, no rights.
 * Owns:    the epoll descriptor; watchers are embedded in their owners and must be stopped
 *          (evloop_fd_want(.., 0)) before these go.
 * Tests:   tests/http
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "worker/transport.h"

struct evloop;

/* Watches one descriptor. Fill on, arg by evloop_fd_init(). A cache line: there may be many. */
struct evloop_fd {
	_Alignas(8) char ev[48]; /* struct ev_io; evloop.c asserts the size */
	void (*on)(void *arg, int ready); /* ready: WANT_READ, WANT_WRITE */
	void *arg;
};

struct evloop_timer {
	_Alignas(8) char ev[48]; /* struct ev_timer */
	void (*on)(void *arg);
	void *arg;
	struct evloop *loop;
};

struct evloop_signal {
	_Alignas(8) char ev[48]; /* struct ev_signal */
	void (*on)(void *arg, int signo);
	void *arg;
};

/* Return: 0 or -ENOMEM. */
_must_check_ int evloop_new(struct evloop **ret);
void evloop_free(struct evloop *l);

/* Runs until evloop_stop(). before is called once per turn, before its events; may be NULL. */
void evloop_run(struct evloop *l, void (*before)(void *arg), void *arg);
void evloop_stop(struct evloop *l);

/* Have after called once per turn, when its events are done; at most one. NULL: no more. */
void evloop_after(struct evloop *l, void (*after)(void *arg), void *arg);

/* Not watched yet. on gets WANT_ bits; fd stays the caller's. */
void evloop_fd_init(struct evloop_fd *w, int fd, void (*on)(void *, int), void *arg);

/* Watch for want (WANT_ bits), 0 for nothing. Costs a system call only when want changes. */
void evloop_fd_want(struct evloop *l, struct evloop_fd *w, int want);

/* What it is watched for. */
int evloop_fd_wants(const struct evloop_fd *w);

/* Have w's callback called in this turn, as if it were ready. */
void evloop_fd_feed(struct evloop *l, struct evloop_fd *w, int ready);

/* Not set yet. */
void evloop_timer_init(struct evloop *l, struct evloop_timer *t, void (*on)(void *), void *arg);

/* Once, after usec from now; replaces what was set before. */
void evloop_timer_set(struct evloop_timer *t, uint64_t usec);
void evloop_timer_stop(struct evloop_timer *t);
bool evloop_timer_is_set(const struct evloop_timer *t);

/* For the life of the loop. */
void evloop_signal_add(
    struct evloop *l, struct evloop_signal *s, int signo, void (*on)(void *, int), void *arg);

/* CLOCK_MONOTONIC in microseconds and CLOCK_REALTIME in seconds, both of the present turn. */
uint64_t evloop_now_usec(const struct evloop *l);
int64_t evloop_wall_seconds(const struct evloop *l);
