/*
 * verdict.c - what the request parser makes of bytes, for tests that compare it with others.
 * Standard input: records of a 4-byte little-endian length and so many bytes. For each, one line:
 * the heads that were read as "METHOD target", then "ok", "more" or the refusing status, all
 * separated by tabs.
 */
#include <stdint.h>
#include <string.h>

#include "common/cleanup.h"
#include "worker/http/body.h"
#include "worker/http/head.h"

#define RECORD_MAX 65536u

static const struct head_limits limits = { 8192, 16384, 100 };

static int
body_pass(const struct head *h, const char *bytes, size_t len, size_t *ret_used)
{
	struct body b;

	*ret_used = 0;
	if (!h->req.has_body)
		return BODY_DONE;
	body_init(&b, h->chunked, h->req.content_length, UINT64_C(1) << 62);
	return body_skip(&b, bytes, len, ret_used);
}

static void
verdict(const char *bytes, size_t len)
{
	while (len > 0) {
		struct head h;
		struct span method, target;
		size_t used;
		int r;

		head_init(&h);
		r = head_parse(&h, bytes, len, &limits);
		if (r != HEAD_DONE) {
			if (r == HEAD_MORE)
				(void)printf("more\n");
			else
				(void)printf("%d\n", r);
			return;
		}
		method = request_piece(&h.req, h.req.method_text);
		target = request_piece(&h.req, h.req.target);
		(void)printf(
		    "%.*s %.*s\t", (int)method.len, method.ptr, (int)target.len, target.ptr);
		r = body_pass(&h, bytes + h.bytes, len - h.bytes, &used);
		if (r != BODY_DONE) {
			if (r == BODY_MORE)
				(void)printf("more\n");
			else
				(void)printf("%d\n", r);
			return;
		}
		bytes += h.bytes + used;
		len -= h.bytes + used;
		if (h.close)
			break; /* what follows is nobody's */
	}
	(void)printf("ok\n");
}

int
main(void)
{
	static char bytes[RECORD_MAX];
	uint8_t size[4];

	while (fread(size, 1, sizeof(size), stdin) == sizeof(size)) {
		const size_t len = (size_t)(size[0] | size[1] << 8 | size[2] << 16);

		if (len > RECORD_MAX || fread(bytes, 1, len, stdin) != len)
			return 1;
		verdict(bytes, len);
	}
	return 0;
}
