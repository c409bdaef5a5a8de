/*
 * fuzz_http_fields.c - field values that a peer chooses: Range, Accept-Encoding, Accept, dates,
 * entity tags. What comes out of Range must lie inside the file and not overlap.
 */
#include <assert.h>
#include <stdint.h>

#include "worker/http/conditions.h"
#include "worker/http/conneg.h"
#include "worker/http/head.h"
#include "worker/http/httpdate.h"
#include "worker/http/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits fuzz_limits = { 8192, 16384, 100 };

static void
check_ranges(struct span value, uint64_t size)
{
	struct range list[RANGES_MAX];
	const int n = ranges_parse(value, size, list);

	assert(n >= RANGES_NONE && n <= RANGES_MAX);
	for (int i = 0; i < n; i++) {
		assert(list[i].len > 0 && list[i].len <= size);
		assert(list[i].first <= size - list[i].len);
		for (int j = 0; j < i; j++)
			assert(list[i].first >= list[j].first + list[j].len ||
			       list[j].first >= list[i].first + list[i].len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct validators v = { { "\"x\"", 3 }, 784111777 };
	static const char *const names[] = { "Range", "Accept-Encoding", "Accept", "If-None-Match",
		"If-Modified-Since", "If-Range" };
	char storage[2048];
	uint16_t weights[CODING_END];
	struct buf b;
	struct head h;
	int64_t date;

	if (size == 0 || size > 1024)
		return 0;
	buf_init(&b, storage, sizeof(storage));
	(void)buf_printf(
	    &b, "GET / HTTP/1.1\r\nHost: a\r\n%s: ", names[data[0] % ELEMENTSOF(names)]);
	(void)buf_put(&b, data + 1, size - 1);
	(void)buf_puts(&b, "\r\n\r\n");
	check_ranges((struct span){ (const char *)data, size }, 100);
	check_ranges((struct span){ (const char *)data, size }, UINT64_MAX / 2);
	if (httpdate_parse((struct span){ (const char *)data, size }, 1700000000, &date) == 0) {
		char text[HTTPDATE_BYTES + 1];

		httpdate_format(date, text);
	}
	head_init(&h);
	if (head_parse(&h, b.data, b.len, &fuzz_limits) != HEAD_DONE)
		return 0;
	coding_weights(&h.req, weights);
	for (unsigned c = 0; c < CODING_END; c++)
		assert(weights[c] <= 1000);
	assert(accept_weight(&h.req, "text/html") <= 1000);
	(void)conditions_check(&h.req, &v, 1700000000); /* any answer is one */
	(void)conditions_range(&h.req, &v, 1700000000);
	return 0;
}
