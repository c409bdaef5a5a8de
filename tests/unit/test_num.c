/*
 * test_num.c - common/num.h: digits and nothing else, and no overflow.
 */
#include "tests/unit/unit.h"

#include "common/num.h"

static const struct {
	const char *text;
	unsigned base;
	uint64_t min, max;
	int want;
	uint64_t value;
} cases[] = {
	{ "0", 10, 0, 0, 0, 0 },
	{ "80", 10, 1, 65535, 0, 80 },
	{ "00080", 10, 1, 65535, 0, 80 },
	{ "18446744073709551615", 10, 0, UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", 10, 0, UINT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999", 10, 0, UINT64_MAX, -ERANGE, 0 },
	{ "65536", 10, 1, 65535, -ERANGE, 0 },
	{ "0", 10, 1, 65535, -ERANGE, 0 },
	{ "", 10, 0, 10, -EINVAL, 0 },
	{ "+1", 10, 0, 10, -EINVAL, 0 },
	{ "-1", 10, 0, 10, -EINVAL, 0 },
	{ " 1", 10, 0, 10, -EINVAL, 0 },
	{ "1 ", 10, 0, 10, -EINVAL, 0 },
	{ "0x1", 10, 0, 10, -EINVAL, 0 },
	{ "1\n", 10, 0, 10, -EINVAL, 0 },
	{ "0x1f", 16, 0, 255, -EINVAL, 0 },
	{ "fF", 16, 0, 255, 0, 255 },
	{ "ffffffffffffffff", 16, 0, UINT64_MAX, 0, UINT64_MAX },
	{ "10000000000000000", 16, 0, UINT64_MAX, -ERANGE, 0 },
	{ "0666", 8, 0, 07777, 0, 0666 },
	{ "668", 8, 0, 07777, -EINVAL, 0 },
	{ "a", 10, 0, 10, -EINVAL, 0 },
	{ "g", 16, 0, 255, -EINVAL, 0 },
};

static void
num_parse_takes_digits_in_range_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		uint64_t v = 4711;
		const int r = num_parse(
		    span_of(cases[i].text), cases[i].base, cases[i].min, cases[i].max, &v);

		if (r != cases[i].want || v != (r == 0 ? cases[i].value : 4711))
			fail_msg("\"%s\" in base %u: %d, %llu", cases[i].text, cases[i].base, r,
			    (unsigned long long)v);
	}
}

static void
num_parse_stops_at_the_end_of_the_span(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(num_parse((struct span){ "8080", 2 }, 10, 0, 100, &v), 0);
	assert_int_equal(v, 80);
	assert_int_equal(num_parse((struct span){ "8\0"
						  "1",
				       3 },
			     10, 0, 100, &v),
	    -EINVAL);
}

static void
num_format_is_the_inverse(void **state)
{
	static const uint64_t values[] = { 0, 1, 9, 10, 65535, UINT64_MAX };
	char text[NUM_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(values); i++) {
		uint64_t v = 0;

		assert_int_equal(num_parse_str(num_format(text, values[i]), 0, UINT64_MAX, &v), 0);
		assert_int_equal(v, values[i]);
	}
	assert_string_equal(num_format(text, UINT64_MAX), "18446744073709551615");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(num_parse_takes_digits_in_range_only),
		cmocka_unit_test(num_parse_stops_at_the_end_of_the_span),
		cmocka_unit_test(num_format_is_the_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
