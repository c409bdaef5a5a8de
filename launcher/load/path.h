/*
 * path.h - which files make up a unit: its own, by name or alias, and its drop-ins
 *          (systemd.unit(5), "Unit File Load Path").
 * Runs as: as load.h.
 * Owns:    what struct unit_files holds, until unit_files_done().
 * Tests:   tests/unit/test_path.c
 */
#pragma once

#include "launcher/unit/name.h"

struct search {
	const char *own; /* the folder of a unit that was given as a path: first; or NULL */
	const char *const *path; /* --unit-path; then come systemd's directories */
	size_t n_path;
};

/* What a unit has in folders beside it, "NAME.d" and so on, also those of its type and prefixes. */
enum unit_beside {
	UNIT_DROPINS, /* .d, *.conf: in the order they apply */
	UNIT_WANTS, /* .wants: links, by the name of the unit that is wanted */
	UNIT_REQUIRES, /* .requires */
	UNIT_BESIDE_END,
};

struct unit_files {
	struct unit_name name; /* after aliases */
	char *path; /* of the unit file, where it was found */
	int fd; /* of it, for reading */
	struct unit_name *aliases; /* other names it was looked up by */
	size_t n_aliases;
	struct file_list {
		char **paths;
		size_t n;
	} beside[UNIT_BESIDE_END];
};

enum unit_files_outcome {
	UNIT_FILES_OK = 0,
	UNIT_FILES_MASKED = 1,
};

/*
 * unit_files_find - by name.
 * Return: enum unit_files_outcome; -ENOENT when there is no such unit; -EPERM when somebody else
 *         could have written what was found; -errno. why says it; ret is empty then.
 */
_must_check_ int unit_files_find(const struct search *search, const struct unit_name *name,
    struct unit_files *ret, struct why *why);

void unit_files_done(struct unit_files *f);

#define _cleanup_unit_files_ __attribute__((cleanup(unit_files_done)))
