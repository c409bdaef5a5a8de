/*
 * test_name.c - launcher/unit/name.h: unit names and their parts.
 */
#include "tests/unit/unit.h"

#include "launcher/unit/name.h"

static void
names_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *prefix, *instance;
		bool template, instantiated;
		enum unit_kind kind;
	} cases[] = {
		{ "web.socket", "web", "", false, false, UNIT_SOCKET },
		{ "a-b.c.service", "a-b.c", "", false, false, UNIT_SERVICE },
		{ "echo@.service", "echo", "", true, false, UNIT_SERVICE },
		{ "echo@1-2:3.service", "echo", "1-2:3", false, true, UNIT_SERVICE },
		{ "a@b@c.service", "a", "b@c", false, true, UNIT_SERVICE },
		{ "dev-sda\\x2d1.mount", "dev-sda\\x2d1", "", false, false, UNIT_KIND_END },
		{ "network.target", "network", "", false, false, UNIT_KIND_END },
	};
	struct unit_name n;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		assert_int_equal(unit_name_parse(cases[i].text, &n), 0);
		assert_true(span_equal(unit_name_prefix(&n), cases[i].prefix));
		assert_true(span_equal(unit_name_instance(&n), cases[i].instance));
		assert_int_equal(unit_name_is_template(&n), cases[i].template);
		assert_int_equal(unit_name_is_instance(&n), cases[i].instantiated);
		assert_int_equal(n.kind, cases[i].kind);
	}
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const cases[] = { "", ".service", "web", "web.", "web.conf", "@.service",
		"@x.service", "a b.service", "a/b.service", "\xc3\xa4.service" };
	char longest[300];
	struct unit_name n;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (unit_name_parse(cases[i], &n) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i]);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + 247, ".service", 9);
	assert_int_equal(unit_name_parse(longest, &n), 0);
	longest[247] = 'a';
	memcpy(longest + 248, ".service", 9);
	assert_int_equal(unit_name_parse(longest, &n), -EINVAL);
}

static void
names_are_put_together(void **state)
{
	struct unit_name n;

	(void)state;
	assert_int_equal(unit_name_make(span_of("a"), span_of("b"), "service", &n), 0);
	assert_string_equal(n.id, "a@b.service");
	assert_int_equal(unit_name_make(span_of("a"), (struct span){ 0 }, "socket", &n), 0);
	assert_string_equal(n.id, "a.socket");
	assert_int_equal(unit_name_make(span_of(""), span_of("b"), "service", &n), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(names_are_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
