/*
 * confine.h - the manager gives up what it was started with, before it hears anybody.
 * Runs as: manager; its first act.
 * Tests:   tests/privilege/test_closed.py, tests/lifecycle/test_audit.py
 */
#pragma once

#include "common/why.h"

/*
 * confine_rootdir - make the runtime directory the root directory, if CAP_SYS_CHROOT is there.
 * @runtime_fd: O_PATH of it; taken and closed
 * Return: 1 rooted, 0 not allowed to (an unprivileged launcher), or -errno.
 */
_must_check_ int confine_rootdir(int runtime_fd, struct why *why);

/*
 * confine_self - no capability in any set, no_new_privs, not dumpable, few descriptors, no core.
 * @n_fds: how many descriptors it will ever need
 * Return: 0, after reading back that it is so; or -errno.
 */
_must_check_ int confine_self(unsigned n_fds, struct why *why);

/* The system calls of confine.c's table and nothing else, from now on. Return: 0 or -errno. */
_must_check_ int confine_calls_of_manager(struct why *why);
