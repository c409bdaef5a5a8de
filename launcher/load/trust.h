/*
 * trust.h - opens a file or folder that nobody but the right people could have written.
 * Runs as: as load.h.
 * Trusts:  root, and for an unprivileged caller that caller: whoever of those owns every component
 *          of a path, symbolic links among them, is believed. A directory that others may write to
 *          is refused, unless it is sticky and root's (/tmp): there nobody can replace what the
 *          right people put in. A mode that an ACL widens shows in the group's bits.
 * Owns:    nothing; the descriptor it returns is the caller's.
 * Tests:   tests/unit/test_trust.c
 *
 * The path is walked component by component with the descriptor of each directory held, so what is
 * checked is what is opened (no time between check and use).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/why.h"

enum trust_outcome {
	TRUST_OK = 0,
	TRUST_MASK = 1, /* /dev/null, or an empty file: how systemd masks a unit */
};

struct trust_file {
	int fd; /* readable, close-on-exec; -EBADF with TRUST_MASK */
	char real[PATH_MAX]; /* without symbolic links */
};

/*
 * trust_open - walk, check, open.
 * @path:      a relative one starts where the process is
 * @directory: a directory is wanted, otherwise a regular file
 * Return: enum trust_outcome; -ENOENT (also for ENOTDIR); -EPERM when somebody else could have
 *         written it (why names the path and says why); -errno.
 */
_must_check_ int trust_open(
    const char *path, bool directory, struct trust_file *ret, struct why *why);
