/*
 * test_http_body.c - worker/http/body.h: where a body ends, and what is no body.
 */
#include "tests/unit/unit.h"

#include "worker/http/body.h"

static const struct body_case {
	const char *label;
	const char *bytes;
	int want;
	size_t used; /* when done */
} cases[] = {
	{ "one chunk", "5\r\nhello\r\n0\r\n\r\nGET", BODY_DONE, 15 },
	{ "two chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", BODY_DONE, 18 },
	{ "no chunk", "0\r\n\r\n", BODY_DONE, 5 },
	{ "leading zeros", "0005\r\nhello\r\n000\r\n\r\n", BODY_DONE, 20 },
	{ "upper-case size", "A\r\n0123456789\r\n0\r\n\r\n", BODY_DONE, 20 },
	{ "extension", "1;a=b;c\r\nx\r\n0;z\r\n\r\n", BODY_DONE, 19 },
	{ "quoted extension", "1;a=\"b;\\\"\"\r\nx\r\n0\r\n\r\n", BODY_DONE, 20 },
	{ "trailers", "0\r\nA: b\r\nC:\r\n\r\n", BODY_DONE, 15 },
	{ "unfinished", "5\r\nhel", BODY_MORE, 0 },
	{ "bare LF after the size", "5\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "bare LF after the data", "5\r\nhello\n0\r\n\r\n", 400, 0 },
	{ "data too long", "5\r\nhello!\r\n0\r\n\r\n", 400, 0 },
	{ "no size", "\r\n\r\n", 400, 0 },
	{ "size with a sign", "+5\r\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "blank before the size", " 5\r\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "blank after the size", "5 \r\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "size of 16 digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", 400, 0 },
	{ "size beyond the limit", "FFFFFFF\r\n", 413, 0 },
	{ "LF inside a quoted extension", "1;a=\"\n\"\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "CR inside a quoted extension", "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "empty extension", "1;\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "extension without value", "1;a=\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "text behind a quoted value", "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "blank in an extension", "1; a\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "NUL-like control in an extension", "1;\x01\r\nx\r\n0\r\n\r\n", 400, 0 },
	{ "folded trailer", "0\r\nA: b\r\n c\r\n\r\n", 400, 0 },
	{ "trailer without colon", "0\r\nA\r\n\r\n", 400, 0 },
	{ "framing field in a trailer", "0\r\ntransfer-Encoding: x\r\n\r\n", 400, 0 },
	{ "length in a trailer", "0\r\nContent-Length: 1\r\n\r\n", 400, 0 },
	{ "very long trailer name", "0\r\nContent-Length-and-more-than-that: 1\r\n\r\n", BODY_DONE,
	    43 },
	{ "bare LF at the end", "0\r\n\n", 400, 0 },
};

static void
each_case_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *bytes = cases[i].bytes;
		const size_t len = strlen(bytes);

		for (size_t at = 0; at <= len; at++) {
			struct body b;
			size_t used, more = 0;
			int r;

			body_init(&b, true, 0, 1000);
			r = body_skip(&b, bytes, at, &used);
			if (r == BODY_MORE) {
				assert_int_equal(used, at);
				r = body_skip(&b, bytes + at, len - at, &more);
			}
			if (r != cases[i].want)
				fail_msg("%s cut at %zu: %d", cases[i].label, at, r);
			if (r == BODY_DONE && used + more != cases[i].used)
				fail_msg(
				    "%s cut at %zu: %zu used", cases[i].label, at, used + more);
		}
	}
}

static void
sized_body_ends_where_it_said(void **state)
{
	struct body b;
	size_t used;

	(void)state;
	body_init(&b, false, 5, 1000);
	assert_int_equal(body_skip(&b, "hel", 3, &used), BODY_MORE);
	assert_int_equal(body_skip(&b, "loGET", 5, &used), BODY_DONE);
	assert_int_equal(used, 2);
	body_init(&b, false, 1001, 1000);
	assert_int_equal(body_skip(&b, "", 0, &used), 413);
	body_init(&b, false, 1000, 1000);
	assert_int_equal(body_skip(&b, "", 0, &used), BODY_MORE);
}

static void
chunks_add_up_to_the_limit(void **state)
{
	struct body b;
	size_t used;

	(void)state;
	body_init(&b, true, 0, 4);
	assert_int_equal(body_skip(&b, "3\r\nabc\r\n1\r\nd\r\n", 14, &used), BODY_MORE);
	assert_int_equal(body_skip(&b, "1\r\n", 3, &used), 413);
}

static void
endless_trailers_are_refused(void **state)
{
	struct body b;
	size_t used;
	int r = BODY_MORE;

	(void)state;
	body_init(&b, true, 0, 4);
	assert_int_equal(body_skip(&b, "0\r\n", 3, &used), BODY_MORE);
	for (int i = 0; i < 10000 && r == BODY_MORE; i++)
		r = body_skip(&b, "A: b\r\n", 6, &used);
	assert_int_equal(r, 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_cut_at_every_byte),
		cmocka_unit_test(sized_body_ends_where_it_said),
		cmocka_unit_test(chunks_add_up_to_the_limit),
		cmocka_unit_test(endless_trailers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
