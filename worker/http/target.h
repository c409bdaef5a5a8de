/*
 * target.h - from a request target to a host, a query and a path that cannot climb.
 * Runs as: worker, no rights. Allocates nothing.
 * Trusts:  nothing. The path it makes is a first line only: files are opened by
 *          openat2(RESOLVE_BENEATH), which holds without it (site/beneath.h).
 * Tests:   tests/unit/test_http_target.c, tests/fuzz/fuzz_http_request.c
 */
#pragma once

#include "worker/http/message.h"

/*
 * host_split - "host[:port]" as RFC 9110 section 7.2 has it; the empty text is a valid host.
 * @ret_host: without port; an IPv6 literal keeps its brackets
 * Return: 0 or -EINVAL.
 */
_must_check_ int host_split(struct span text, struct span *ret_host);

/*
 * target_check - split r->target by its four forms (RFC 9112 section 3.2) and fill r->host,
 * r->query and r->path, the last still encoded. r->base, method, target and fields must be set.
 * Return: 0 or 400. The path is "*" for asterisk-form and empty for authority-form.
 */
_must_check_ int target_check(struct request *r);

/*
 * path_normalise - decode once, merge slashes, take out dot segments.
 * @dst: room for raw.len + 2 bytes; gets a NUL behind
 * Return: 0; 400 for a bad or NUL escape, a raw backslash, or a climb above the root; 404 for an
 *         encoded slash, which no file name can contain.
 */
_must_check_ int path_normalise(struct span raw, char *dst, size_t *ret_len);

/* Only the decoding of it: dot segments and empty ones stay. For tests of what stands behind. */
_must_check_ int path_decode(struct span raw, char *dst, size_t *ret_len);

/*
 * path_encode - the opposite, for a Location field or a link: what is not unreserved or '/' is
 * escaped. Appends to out.
 */
void path_encode(struct span path, struct buf *out);
