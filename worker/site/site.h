/*
 * site.h - from a request to an answer: which file, and whether it may be had.
 * Runs as: worker, no rights.
 * Trusts:  a request as message.h has it: well-formed, not sensible.
 * Owns:    the root directories and the file cache.
 * Tests:   tests/http, tests/unit/test_site_file.c
 */
#pragma once

#include "common/why.h"
#include "worker/http/message.h"
#include "worker/site/file.h"

struct site;

struct site_options {
	const char *root; /* the directory to serve */
	const char *index; /* file name for a directory */
	size_t cache_files, cache_bytes;
};

_must_check_ int site_new(const struct site_options *o, struct site **ret, struct why *why);
void site_free(struct site *s);

/*
 * site_answer - decide. Never fails: what goes wrong is a status.
 * @now: seconds since 1970
 * @a:   initialised; the caller calls answer_done() when its bytes are sent
 */
void site_answer(struct site *s, const struct request *r, int64_t now, struct answer *a);

/* The answer to what is no request at all: 400, 408, 414, 431, ... */
void site_answer_error(unsigned status, struct answer *a);
