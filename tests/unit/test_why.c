/*
 * test_why.c - common/why.h: one sentence with its cause, never cut without a sign of it.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/why.h"

static void
the_cause_is_appended(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(why_set(&why, -ENOENT, "%s: open", "/x"), -ENOENT);
	assert_string_equal(why.text, "/x: open: No such file or directory");
	assert_int_equal(why_set(&why, 0, "all is %s", "well"), 0);
	assert_string_equal(why.text, "all is well");
	assert_int_equal(why_set(&why, 7, "outcome"), 7);
	assert_string_equal(why.text, "outcome");
}

static void
a_prefix_goes_in_front(void **state)
{
	struct why why;

	(void)state;
	(void)why_set(&why, -EACCES, "bind");
	assert_int_equal(why_prefix(&why, -EACCES, "web.socket: %d", 80), -EACCES);
	assert_string_equal(why.text, "web.socket: 80: bind: Permission denied");
}

static void
an_argument_may_be_the_reason_itself(void **state)
{
	struct why why;

	(void)state;
	(void)why_set(&why, 0, "first");
	(void)why_set(&why, 0, "%s, then second", why.text);
	assert_string_equal(why.text, "first, then second");
	(void)why_prefix(&why, 0, "(%s)", why.text);
	assert_string_equal(why.text, "(first, then second): first, then second");
}

static void
a_long_reason_is_cut_visibly(void **state)
{
	char text[3000];
	struct why why;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)why_set(&why, -EIO, "%s", text);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_string_equal(why.text + sizeof(why.text) - 4, "...");
	(void)why_set(&why, -EIO, "short");
	(void)why_prefix(&why, -EIO, "%s", text);
	assert_string_equal(why.text + sizeof(why.text) - 4, "...");
}

static void
nobody_has_to_ask(void **state)
{
	(void)state;
	assert_int_equal(why_set(NULL, -EIO, "%s", "x"), -EIO);
	assert_int_equal(why_prefix(NULL, -EIO, "%s", "x"), -EIO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cause_is_appended),
		cmocka_unit_test(a_prefix_goes_in_front),
		cmocka_unit_test(an_argument_may_be_the_reason_itself),
		cmocka_unit_test(a_long_reason_is_cut_visibly),
		cmocka_unit_test(nobody_has_to_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
