/*
 * timer.h - deadlines on CLOCK_MONOTONIC, kept in one heap; the loop sleeps until the first.
 * Runs as: manager.
 * Owns:    the heap's memory, allocated once; a timer is embedded in what it belongs to.
 * Tests:   tests/unit/test_timer.c
 */
#pragma once

#include <stdint.h>

#include "common/cleanup.h"
#include "common/clock.h"

struct manager;

struct timer {
	uint64_t when_usec;
	uint32_t at; /* 1 + its place in the heap; 0: not running */
	void (*fire)(struct manager *m, void *owner);
	void *owner;
};

struct timers {
	struct timer **heap;
	uint32_t n, max;
};

/* Room for max timers running at a time. Return: 0 or -ENOMEM. */
_must_check_ int timers_init(struct timers *t, uint32_t max);
void timers_done(struct timers *t);

/* Starts or moves a timer; USEC_INFINITY stops it. `fire` and `owner` were set by its owner. */
void timer_set(struct timers *t, struct timer *x, uint64_t when_usec);
void timer_stop(struct timers *t, struct timer *x);

/* When the first one is due; USEC_INFINITY: none runs. */
uint64_t timers_next(const struct timers *t);

/* Takes one that is due out of the heap; NULL when there is none. */
struct timer *timers_due(struct timers *t, uint64_t now_usec);
