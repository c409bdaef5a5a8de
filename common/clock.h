/*
 * clock.h - time in microseconds, the unit of every `_usec` in this project.
 * Runs as: every process of ours, root included.
 * Tests:   by whatever has a deadline
 */
#pragma once

#include <stdint.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_INFINITY UINT64_MAX

/* CLOCK_MONOTONIC now. Cannot fail on Linux. */
uint64_t clock_usec(void);

/* CLOCK_REALTIME now; for people's eyes only, never for a deadline. */
uint64_t clock_realtime_usec(void);
