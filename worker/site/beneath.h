/*
 * beneath.h - open a file below a directory, and nowhere else.
 * Runs as: worker, no rights.
 * Trusts:  the kernel: openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS refuses every
 *          path, symlinks and ".." included, that would leave the directory. It holds whatever
 *          path_normalise() let pass; tests switch that off to see.
 * Owns:    the descriptor is the caller's.
 * Tests:   tests/unit/test_site_file.c, tests/http/test_http_escape.py
 */
#pragma once

#include <sys/stat.h>

#include "common/cleanup.h"

/* Return: a directory descriptor for root, or -errno. */
_must_check_ int beneath_root(const char *path);

/*
 * beneath_open - open for reading, without waiting on a FIFO.
 * @path: as in a request, the leading '/' is dropped; "/" is the directory itself
 * Return: a descriptor, or -errno: -EXDEV and -ELOOP when the path would lead out.
 */
_must_check_ int beneath_open(int root, const char *path);

/*
 * beneath_stat - what the path leads to, even if that is elsewhere: good for seeing whether
 * something has changed, not for deciding whether it may be served.
 * Return: 0 or -errno.
 */
_must_check_ int beneath_stat(int root, const char *path, struct stat *ret);
