/*
 * environment.h - the environment of an image, from nothing: the launcher's own is not passed on.
 * Runs as: a child between fork and exec; async-signal-safe, static memory.
 * Source:  systemd.exec(5) "Environment variables in spawned processes", sd_listen_fds(3).
 * Tests:   tests/unit/test_arguments.c, tests/activation/, tests/systemd/
 */
#pragma once

#include "launcher/enter/arguments.h"

/* What systemd gives a service when nothing sets it (Debian 12's build). */
#define ENVIRONMENT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * environment_read_files - the unit's EnvironmentFile= into a, to be merged by environment_fill().
 * Runs with the launcher's rights, before the identity changes.
 * Return: 0; -ENOENT for a missing file that is not optional; -E2BIG; -errno.
 */
_must_check_ int environment_read_files(struct arguments *a, const struct enter *e);

/* All of it. LISTEN_PID is the caller's own pid. -E2BIG when it does not fit. */
_must_check_ int environment_fill(struct arguments *a, const struct enter *e);
