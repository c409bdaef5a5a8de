/*
 * test_env_file.c - launcher/enter/env_file.h: what a shell would read, without a shell.
 */
#include "tests/unit/unit.h"

#include "launcher/enter/env_file.h"

static int
collect(void *context, struct span name, struct span value)
{
	struct buf *b = context;

	return buf_printf(b, "%.*s=%.*s|", (int)name.len, name.ptr, (int)value.len, value.ptr);
}

static void
assignments(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "plain", "A=1\nB=2\n", "A=1|B=2|" },
		{ "no newline at the end", "A=1", "A=1|" },
		{ "CRLF", "A=1\r\nB=2\r\n", "A=1|B=2|" },
		{ "comments and blanks", "# x=1\n; y=2\n\n  A=1\n", "A=1|" },
		{ "value is cut at its end", "A=  1 2 \t\n", "A=1 2|" },
		{ "double quotes", "A=\"a b \"\n", "A=a b |" },
		{ "escapes in double quotes", "A=\"a\\\"b\\$c\\n\"\n", "A=a\"b$c\\n|" },
		{ "single quotes are literal", "A='a\\b\"'\n", "A=a\\b\"|" },
		{ "quote over lines", "A=\"a\nb\"\n", "A=a\nb|" },
		{ "continued line", "A=a\\\nb\nC=1\n", "A=ab|C=1|" },
		{ "backslash protects", "A=a\\ b\\\n", "A=a b|" },
		{ "empty", "A=\nB=\"\"\n", "A=|B=|" },
		{ "no expansion", "A=$HOME`id`\n", "A=$HOME`id`|" },
		{ "not a name: skipped", "1A=1\nexport B=2\n-=3\nC=4\n", "C=4|" },
		{ "no value at all: skipped", "A\nB=1\n", "B=1|" },
		{ "comment is continued", "# a\\\nA=1\nB=2\n", "B=2|" },
		{ "open quote takes the rest", "A=\"b\nC=1\n", "A=b\nC=1\n|" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char text[256], got[256];
		struct buf b;

		assert_int_equal(str_copy(text, sizeof(text), cases[i].text), 0);
		buf_init(&b, got, sizeof(got));
		assert_int_equal(env_file_parse(text, strlen(text), collect, &b), 0);
		if (strcmp(buf_cstr(&b), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].label, buf_cstr(&b));
	}
}

static int
refuse(void *context, struct span name, struct span value)
{
	(void)name;
	(void)value;
	return ++*(int *)context == 2 ? -E2BIG : 0;
}

static void
an_error_stops_at_once(void **state)
{
	char text[] = "A=1\nB=2\nC=3\n";
	int n = 0;

	(void)state;
	assert_int_equal(env_file_parse(text, sizeof(text) - 1, refuse, &n), -E2BIG);
	assert_int_equal(n, 2);
}

static void
nul_bytes_make_no_assignment(void **state)
{
	char text[] = "A=a\0b\nB=1\n", got[64];
	struct buf b;

	(void)state;
	buf_init(&b, got, sizeof(got));
	assert_int_equal(env_file_parse(text, sizeof(text) - 1, collect, &b), 0);
	assert_string_equal(buf_cstr(&b), "B=1|");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assignments),
		cmocka_unit_test(an_error_stops_at_once),
		cmocka_unit_test(nul_bytes_make_no_assignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
