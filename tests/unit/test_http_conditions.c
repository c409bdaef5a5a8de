/*
 * test_http_conditions.c - conditions, ranges and negotiation as tables.
 */
#include "tests/unit/unit.h"

#include "worker/http/conditions.h"
#include "worker/http/conneg.h"
#include "worker/http/head.h"
#include "worker/http/ranges.h"

#define NOW INT64_C(1700000000)

static const struct head_limits test_limits = { 8192, 16384, 100 };

/* A request with these field lines. Its bytes must outlive it: they live in storage. */
static struct request
request_with(const char *lines, char *storage, size_t size)
{
	struct head h;

	(void)snprintf(storage, size, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);
	head_init(&h);
	if (head_parse(&h, storage, strlen(storage), &test_limits) != HEAD_DONE)
		fail_msg("bad test request: %s", lines);
	return h.req;
}

#define OLD "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct validators v = { { "\"x\"", 3 }, 784111777 };

static void
preconditions_in_the_order_of_the_rfc(void **state)
{
	static const struct {
		const char *lines;
		enum condition want;
	} cases[] = {
		{ "", CONDITION_GO },
		{ "If-Match: \"x\"\r\n", CONDITION_GO },
		{ "If-Match: *\r\n", CONDITION_GO },
		{ "If-Match: \"y\", \"x\"\r\n", CONDITION_GO },
		{ "If-Match: \"y\"\r\nIf-Match: \"x\"\r\n", CONDITION_GO },
		{ "If-Match: \"y\"\r\n", CONDITION_FAILED },
		{ "If-Match: W/\"x\"\r\n", CONDITION_FAILED }, /* strong comparison */
		{ "If-Match:\r\n", CONDITION_FAILED },
		{ "If-Unmodified-Since: " OLD "\r\n", CONDITION_FAILED },
		{ "If-Unmodified-Since: " SAME "\r\n", CONDITION_GO },
		{ "If-Unmodified-Since: rubbish\r\n", CONDITION_GO },
		{ "If-Match: \"x\"\r\nIf-Unmodified-Since: " OLD "\r\n", CONDITION_GO },
		{ "If-None-Match: \"x\"\r\n", CONDITION_NOT_MODIFIED },
		{ "If-None-Match: W/\"x\"\r\n", CONDITION_NOT_MODIFIED },
		{ "If-None-Match: *\r\n", CONDITION_NOT_MODIFIED },
		{ "If-None-Match: \"y\", W/\"z\"\r\n", CONDITION_GO },
		{ "If-None-Match: \"a,b\", \"x\"\r\n", CONDITION_NOT_MODIFIED },
		{ "If-None-Match: x\r\n", CONDITION_GO },
		{ "If-None-Match: \"y\"\r\nIf-Modified-Since: " LATER "\r\n", CONDITION_GO },
		{ "If-Modified-Since: " OLD "\r\n", CONDITION_GO },
		{ "If-Modified-Since: " SAME "\r\n", CONDITION_NOT_MODIFIED },
		{ "If-Modified-Since: " LATER "\r\n", CONDITION_NOT_MODIFIED },
		{ "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", CONDITION_NOT_MODIFIED },
		{ "If-Modified-Since: 0\r\n", CONDITION_GO },
		{ "If-Match: \"y\"\r\nIf-None-Match: \"x\"\r\n", CONDITION_FAILED },
		{ "If-Match: \"x\"\r\nIf-None-Match: \"x\"\r\n", CONDITION_NOT_MODIFIED },
		{ "If-Unmodified-Since: " OLD "\r\nIf-None-Match: \"x\"\r\n", CONDITION_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char storage[512];
		const struct request r = request_with(cases[i].lines, storage, sizeof(storage));

		if (conditions_check(&r, &v, NOW) != cases[i].want)
			fail_msg("%s", cases[i].lines);
	}
}

static void
if_range_needs_a_strong_match(void **state)
{
	static const struct {
		const char *lines;
		int64_t now;
		bool want;
	} cases[] = {
		{ "", NOW, true },
		{ "If-Range: \"x\"\r\n", NOW, true },
		{ "If-Range: \"y\"\r\n", NOW, false },
		{ "If-Range: W/\"x\"\r\n", NOW, false },
		{ "If-Range: " SAME "\r\n", NOW, true },
		{ "If-Range: " SAME "\r\n", 784111777, false }, /* written this very second */
		{ "If-Range: " LATER "\r\n", NOW, false },
		{ "If-Range: rubbish\r\n", NOW, false },
		{ "If-Range:\r\n", NOW, false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char storage[512];
		const struct request r = request_with(cases[i].lines, storage, sizeof(storage));

		if (conditions_range(&r, &v, cases[i].now) != cases[i].want)
			fail_msg("%s", cases[i].lines);
	}
}

static void
ranges_as_asked_merged_or_ignored(void **state)
{
	static const struct {
		const char *value;
		int n;
		struct range want[4];
	} cases[] = {
		{ "bytes=0-0", 1, { { 0, 1 } } },
		{ "bytes=0-99", 1, { { 0, 100 } } },
		{ "bytes=0-1000", 1, { { 0, 100 } } },
		{ "bytes=50-", 1, { { 50, 50 } } },
		{ "bytes=-1", 1, { { 99, 1 } } },
		{ "bytes=-1000", 1, { { 0, 100 } } },
		{ "Bytes=1-2", 1, { { 1, 2 } } },
		{ "bytes= 1-2 , 5-6", 2, { { 1, 2 }, { 5, 2 } } },
		{ "bytes=,1-2,,", 1, { { 1, 2 } } },
		{ "bytes=90-,0-1", 2, { { 90, 10 }, { 0, 2 } } }, /* order kept */
		{ "bytes=0-10,5-20", 1, { { 0, 21 } } },
		{ "bytes=11-20,0-10", 1, { { 0, 21 } } }, /* touching */
		{ "bytes=50-60,0-10,5-20", 2, { { 0, 21 }, { 50, 11 } } },
		{ "bytes=0-,-1", 1, { { 0, 100 } } },
		{ "bytes=0-1,100-", 1, { { 0, 2 } } }, /* what cannot be met is left out */
		{ "bytes=100-", RANGES_NONE, { { 0, 0 } } },
		{ "bytes=-0", RANGES_NONE, { { 0, 0 } } },
		{ "bytes=9223372036854775807-", RANGES_NONE, { { 0, 0 } } },
		{ "bytes=", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=-", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=2-1", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=a-b", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=1", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=1-2-3", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=+1-2", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=0x1-2", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=99999999999999999999-", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=0-1,x", RANGES_IGNORE, { { 0, 0 } } },
		{ "lines=0-1", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes 0-1", RANGES_IGNORE, { { 0, 0 } } },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,"
		  "28-28,30-30,32-32",
		    RANGES_IGNORE, { { 0, 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct range got[RANGES_MAX];
		const int n = ranges_parse(span_of(cases[i].value), 100, got);

		if (n != cases[i].n)
			fail_msg("%s: %d", cases[i].value, n);
		for (int k = 0; k < n; k++)
			if (got[k].first != cases[i].want[k].first ||
			    got[k].len != cases[i].want[k].len)
				fail_msg("%s: part %d", cases[i].value, k);
	}
	assert_int_equal(
	    ranges_parse(span_of("bytes=0-"), 0, (struct range[RANGES_MAX]){ { 0, 0 } }),
	    RANGES_NONE);
}

static void
coding_weights_by_q(void **state)
{
	static const struct {
		const char *lines;
		uint16_t want[CODING_END]; /* br, zstd, gzip, identity */
	} cases[] = {
		{ "", { 0, 0, 0, 1000 } },
		{ "Accept-Encoding:\r\n", { 0, 0, 0, 1 } },
		{ "Accept-Encoding: gzip\r\n", { 0, 0, 1000, 1 } },
		{ "Accept-Encoding: GZIP;Q=0.5, br\r\n", { 1000, 0, 500, 1 } },
		{ "Accept-Encoding: gzip\r\nAccept-Encoding: zstd;q=0.25\r\n",
		    { 0, 250, 1000, 1 } },
		{ "Accept-Encoding: x-gzip\r\n", { 0, 0, 1000, 1 } },
		{ "Accept-Encoding: *\r\n", { 1000, 1000, 1000, 1 } },
		{ "Accept-Encoding: br;q=0, *;q=0.1\r\n", { 0, 100, 100, 1 } },
		{ "Accept-Encoding: identity;q=0, gzip\r\n", { 0, 0, 1000, 0 } },
		{ "Accept-Encoding: *;q=0\r\n", { 0, 0, 0, 0 } },
		{ "Accept-Encoding: identity, *;q=0\r\n", { 0, 0, 0, 1000 } },
		{ "Accept-Encoding: gzip;q=1.5\r\n", { 0, 0, 0, 1 } },
		{ "Accept-Encoding: gzip;q=\r\n", { 0, 0, 0, 1 } },
		{ "Accept-Encoding: gzip;q=0.0001\r\n", { 0, 0, 0, 1 } },
		{ "Accept-Encoding: gzip ; q=1.000\r\n", { 0, 0, 1000, 1 } },
		{ "Accept-Encoding: gzipped, brr\r\n", { 0, 0, 0, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char storage[512];
		const struct request r = request_with(cases[i].lines, storage, sizeof(storage));
		uint16_t got[CODING_END];

		coding_weights(&r, got);
		if (memcmp(got, cases[i].want, sizeof(got)) != 0)
			fail_msg("%s: %u %u %u %u", cases[i].lines, got[0], got[1], got[2], got[3]);
	}
}

static void
accept_by_exactness(void **state)
{
	static const struct {
		const char *lines;
		uint16_t html, json;
	} cases[] = {
		{ "", 1000, 1000 },
		{ "Accept: */*\r\n", 1000, 1000 },
		{ "Accept: application/json\r\n", 0, 1000 },
		{ "Accept: text/*;q=0.3, application/json;q=0.5\r\n", 300, 500 },
		{ "Accept: text/html;level=1;q=0.4, text/*;q=0.9, */*;q=0.1\r\n", 400, 100 },
		{ "Accept: textx/*\r\n", 0, 0 },
		{ "Accept: text/\r\n", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char storage[512];
		const struct request r = request_with(cases[i].lines, storage, sizeof(storage));

		if (accept_weight(&r, "text/html") != cases[i].html ||
		    accept_weight(&r, "application/json") != cases[i].json)
			fail_msg("%s", cases[i].lines);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preconditions_in_the_order_of_the_rfc),
		cmocka_unit_test(if_range_needs_a_strong_match),
		cmocka_unit_test(ranges_as_asked_merged_or_ignored),
		cmocka_unit_test(coding_weights_by_q),
		cmocka_unit_test(accept_by_exactness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
