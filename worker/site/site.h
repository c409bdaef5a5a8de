/*
 * site.h - from a request to an answer: which site, which route, whether, and what.
 * Runs as: worker, no rights.
 * Trusts:  a request as message.h has it: well-formed, not sensible.
 * Owns:    the file cache; borrows the map.
 * Tests:   tests/http
 */
#pragma once

#include "common/why.h"
#include "worker/http/message.h"
#include "worker/site/file.h"
#include "worker/site/map.h"

#define SITE_PATH_MAX 32768 /* not below the greatest limit of a request line */
#define SITE_NAME_MAX 256 /* room behind it for an index name and a suffix */

struct site {
	const struct map *map;
	bool server_field;
	struct filecache *files;
	char path[SITE_PATH_MAX + SITE_NAME_MAX]; /* of the request at hand, normalised */
	char work[SITE_PATH_MAX + SITE_NAME_MAX]; /* the file looked for */
};

/* map is borrowed until site_free(). Return: 0 or -errno and why. */
_must_check_ int site_new(const struct map *map, size_t cache_files, size_t cache_bytes,
    bool server_field, struct site **ret, struct why *why);
void site_free(struct site *s);

/*
 * site_answer - decide. Never fails: what goes wrong is a status.
 * @now: seconds since 1970
 * @a:   initialised; the caller calls answer_done() when its bytes are sent
 */
void site_answer(struct site *s, const struct request *r, int64_t now, struct answer *a);

/* The answer to what is no request at all: 400, 408, 414, 431, ... */
void site_answer_error(struct site *s, unsigned status, struct answer *a);
