/*
 * test_http_date.c - worker/http/httpdate.h against libc's calendar and the RFC's examples.
 */
#include "tests/unit/unit.h"

#include <time.h>

#include "worker/http/httpdate.h"

static void
every_kind_of_day_is_written_as_libc_does(void **state)
{
	(void)state;
	/* A step that is no multiple of a day visits all times of it, up to the year 2600. */
	for (int64_t t = 0; t < INT64_C(20000000000); t += 7654321) {
		const time_t when = (time_t)t;
		char mine[HTTPDATE_BYTES + 1], libc[64];
		struct tm tm;
		int64_t back;

		assert_non_null(gmtime_r(&when, &tm));
		assert_int_equal(
		    strftime(libc, sizeof(libc), "%a, %d %b %Y %H:%M:%S GMT", &tm), HTTPDATE_BYTES);
		httpdate_format(t, mine);
		assert_string_equal(mine, libc);
		assert_int_equal(httpdate_parse(span_of(mine), 0, &back), 0);
		assert_int_equal(back, t);
	}
}

static void
three_forms_are_read_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Sun Nov 16 08:49:37 1994", 784975777 },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		{ "Wednesday, 01-Jan-70 00:00:00 GMT", 3155760000 },
		{ "Wed, 29 Feb 2023 00:00:00 GMT", -1 },
		{ "Sun, 31 Apr 2022 00:00:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:60:00 GMT", -1 },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
		{ "Sun, 06 nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 },
		{ "784111777", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		int64_t got = -1;
		const int r = httpdate_parse(span_of(cases[i].text), 1700000000, &got);

		if ((r == 0) != (cases[i].want >= 0) || got != cases[i].want)
			fail_msg("%s: %d %lld", cases[i].text, r, (long long)got);
	}
}

static void
two_digit_years_are_at_most_fifty_ahead(void **state)
{
	int64_t got;

	(void)state;
	/* Seen from 2023: 73 is 2073, 74 is 1974. */
	assert_int_equal(
	    httpdate_parse(span_of("Sunday, 01-Jan-73 00:00:00 GMT"), 1700000000, &got), 0);
	assert_int_equal(got, INT64_C(3250454400));
	assert_int_equal(
	    httpdate_parse(span_of("Tuesday, 01-Jan-74 00:00:00 GMT"), 1700000000, &got), 0);
	assert_int_equal(got, 126230400);
}

static void
out_of_range_is_clamped(void **state)
{
	char text[HTTPDATE_BYTES + 1];

	(void)state;
	httpdate_format(-5, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	httpdate_format(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_day_is_written_as_libc_does),
		cmocka_unit_test(three_forms_are_read_and_nothing_else),
		cmocka_unit_test(two_digit_years_are_at_most_fifty_ahead),
		cmocka_unit_test(out_of_range_is_clamped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
