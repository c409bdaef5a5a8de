/*
 * find.h - the file that a route has for a path: index files, try lists, directories.
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_config.py
 */
#pragma once

#include "worker/site/site.h"

enum found {
	FOUND_FILE,
	FOUND_DIR, /* a directory without an index file */
	FOUND_SLASH, /* a directory, asked for without its slash */
	FOUND_ERROR,
};

/*
 * find_file - look.
 * @path: normalised, begins with '/'
 * @ret:  the file, for file_unref(), when FOUND_FILE; s->work then is its path below the root
 * @ret_status: when FOUND_ERROR
 */
enum found find_file(struct site *s, const struct route *route, struct span path, int64_t now,
    struct file **ret, unsigned *ret_status);

/* Where a route's files are. */
struct file_root find_root(const struct route *route);

/* The status that says what -errno means to a client. */
unsigned find_status(int error);
