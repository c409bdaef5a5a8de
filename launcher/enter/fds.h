/*
 * fds.h - the one place that decides what an executed image inherits.
 * Runs as: a child between fork and exec; async-signal-safe.
 * Tests:   tests/unit/test_fds.c, tests/activation/
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"

/* More than a plan's listeners, its notify sockets and the fixed ones together. */
#define FDS_MAX 8448

/*
 * fds_arrange - make fds[i] be descriptor first + i, inheritable, and close everything else from
 * first on.
 * @fds:  may be any numbers, in any order, the same one twice; what they were is forgotten
 * @keep: NULL, or a descriptor that must survive until exec: moved behind the others, close-on-exec
 * Return: 0, -E2BIG for more than FDS_MAX, or -errno. Needs Linux 5.9 (close_range(2)).
 */
_must_check_ int fds_arrange(const int *fds, uint32_t n, int first, int *keep);

/* O_NONBLOCK on or off. 0 or -errno. */
_must_check_ int fds_nonblock(int fd, bool on);
