/*
 * mime.h - Content-Type by a file name's suffix.
 * Runs as: worker, no rights. mime_load() allocates, at start; the others do not.
 * Tests:   tests/unit/test_site_file.c
 */
#pragma once

#include <stdbool.h>

#include "common/buf.h"

/* The type for a path, with "; charset=utf-8" for text; "application/octet-stream" if unknown. */
const char *mime_of(struct span path);

/* True for types that get smaller when compressed: text and its kin. */
bool mime_is_compressible(const char *type);

/*
 * mime_load - add the suffixes of a mime.types file to those that are built in, which win. Once,
 * before requests; the memory stays. Return: 0, also when there is no such file; -errno.
 */
_must_check_ int mime_load(const char *path);
