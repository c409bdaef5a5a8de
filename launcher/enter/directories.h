/*
 * directories.h - RuntimeDirectory= and its kin: made before a command runs, and the runtime ones
 *                 removed after the last.
 * Runs as: a child of the monitor, with the launcher's rights (CAP_CHOWN and CAP_FOWNER are kept
 *          only for plans that ask for directories).
 * Trusts:  the names: relative and without "..", checked by the loader. Not what lies below them,
 *          which is the service's: no link is followed, and the service's files are removed by a
 *          process of its own user.
 * Source:  systemd.exec(5), "RuntimeDirectory=".
 * Tests:   tests/systemd/, tests/lifecycle/
 */
#pragma once

#include "launcher/enter/enter.h"

extern const struct directory_kinds {
	const char *base; /* below which directory a kind lies: "/run", "/var/lib", ... */
	const char *variable; /* "RUNTIME_DIRECTORY", ... */
	bool owned; /* by the service's user; /etc stays root's */
} directory_kinds[DIRECTORY_KIND_END];

/* Empties a directory, which is consumed; what cannot be removed is left. Allocates. */
void directory_empty(int take_dir);

/* Makes each with its mode and, except for configuration, owner. 0 or -errno. */
_must_check_ int directories_make(struct enter *e);

/*
 * directories_remove - the runtime directories of a service that has ended, and its credentials.
 * Forks: a child becomes the service's user and empties them; then the empty ones are removed.
 * Return: 0 or -errno of the first that could not be removed.
 */
_must_check_ int directories_remove(struct enter *e);
