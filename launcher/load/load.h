/*
 * load.h - from names on a command line to a frozen plan.
 * Runs as: the reader, a child of `sallyport run` that has the right to read and no other; or
 *          whoever calls `sallyport check`. Never root's halves: they only follow the plan.
 * Trusts:  unit files, drop-ins and the directories above them only when nobody but root (or, for
 *          an unprivileged caller, root and that caller) can write them; see trust.h.
 * Calls:   NSS only in a child that lives for that one question (resolve.h).
 * Tests:   tests/unit/test_load.c, tests/activation/
 */
#pragma once

#include "launcher/load/diag.h"
#include "launcher/unit/plan.h"

struct load_options {
	const char *const *unit_path; /* --unit-path, searched before systemd's directories */
	size_t n_unit_path;
	bool allow_root_services, allow_capabilities;
	const char *const *unenforced; /* directives whose refusal the caller accepts */
	size_t n_unenforced;
	const int *plan_fd; /* memfd to write the plan into, borrowed; NULL: one of its own */
	const char *manager_user; /* may be no unit's User=; NULL: not checked */
};

/*
 * plan_load - load each unit and what it pulls in, check, resolve names, link, freeze.
 * @units: names, or paths (then the file's own folder is searched first)
 * @diag:  gets every finding, by file and line; errors there make the load fail
 * Return: 0 and a sealed plan; -EINVAL when a unit was refused (diag says why); -errno.
 */
_must_check_ int plan_load(const struct load_options *options, const char *const *units,
    size_t n_units, struct diag *diag, int *ret_fd, struct why *why);
