/*
 * mime.h - Content-Type by a file name's suffix.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_site_mime.c
 */
#pragma once

#include "common/buf.h"

/* The type for a path, with "; charset=utf-8" for text; "application/octet-stream" if unknown. */
const char *mime_of(struct span path);
