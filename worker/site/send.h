/*
 * send.h - a file as the answer to a request: conditions, ranges, and the bytes.
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_ranges.py
 */
#pragma once

#include "worker/site/file.h"

/*
 * send_file - fill a. Takes the caller's reference to owner, which keeps f alive (f itself, or
 * the file that f is a variant of). r is a GET or HEAD.
 */
void send_file(const struct request *r, struct file *take_owner, struct file *f, int64_t now,
    struct answer *a);
