/*
 * fuzz_http_request.c - foreign bytes through head, target, path and body parser.
 * Beside not crashing: the verdict is the same for any cut, a path that was let through begins
 * with '/' and holds no dot segment, no empty segment and no NUL, and a body never uses more bytes
 * than there are.
 */
#include <assert.h>
#include <stdint.h>

#include "worker/http/body.h"
#include "worker/http/head.h"
#include "worker/http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits fuzz_limits = { 8192, 16384, 100 };

static void
check_path(const char *path, size_t len)
{
	size_t begin = 1;

	assert(len >= 1 && path[0] == '/' && path[len] == '\0');
	assert(strlen(path) == len);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		assert(i > begin || i == len);
		assert(!(i - begin == 1 && path[begin] == '.'));
		assert(!(i - begin == 2 && path[begin] == '.' && path[begin + 1] == '.'));
		begin = i + 1;
	}
}

static void
check_body(const struct head *h, const char *bytes, size_t len)
{
	struct body whole, cut;
	size_t used, part;
	int r, q = BODY_MORE;

	body_init(&whole, h->chunked, h->req.content_length, 1 << 20);
	cut = whole;
	r = body_skip(&whole, bytes, len, &used);
	assert(used <= len && (r != BODY_MORE || used == len));
	for (size_t i = 0; i < len && q == BODY_MORE; i++) {
		q = body_skip(&cut, bytes + i, 1, &part);
		assert(part <= 1);
	}
	if (len > 0 && (r >= 400 || q >= 400))
		assert(r == q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct head whole, cut;
	int r, q = HEAD_MORE;

	if (size > 4096)
		return 0;
	/* They are compared below, what head_init() leaves as it is included. */
	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	head_init(&whole);
	r = head_parse(&whole, bytes, size, &fuzz_limits);
	head_init(&cut);
	for (size_t i = 0; i <= size && q == HEAD_MORE; i++)
		q = head_parse(&cut, bytes, i, &fuzz_limits);
	assert(r == q);
	if (r == HEAD_DONE) {
		char path[4096 + 2];
		size_t len;

		assert(memcmp(&whole, &cut, sizeof(cut)) == 0);
		assert(whole.bytes <= size);
		if (whole.req.path.len > 0 && path_normalise(whole.req.path, path, &len) == 0)
			check_path(path, len);
		check_body(&whole, bytes + whole.bytes, size - whole.bytes);
	}
	return 0;
}
