/*
 * quote.h - any bytes as one JSON string (RFC 8259): always valid, always one line.
 * Runs as: every process of ours, root included. Allocates nothing itself.
 * Tests:   tests/unit/test_json.c
 */
#pragma once

#include "common/buf.h"

/* Appends s in quotes; bytes that are not UTF-8 become U+FFFD. Look at out->failed when done. */
void json_quote(struct buf *out, struct span s);
