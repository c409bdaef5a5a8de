/*
 * test_token.c - launcher/load/token.h against systemd.syntax(7).
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "launcher/load/token.h"

/* All tokens as text: "[Section]", "line:key=value", "line!what". */
static char *
dump(const char *text, size_t len)
{
	struct buf out;
	struct tokens t;
	struct token k;

	buf_init_heap(&out, 1 << 20);
	tokens_init(&t, (struct span){ text, len });
	for (tokens_next(&t, &k); k.kind != TOKEN_END; tokens_next(&t, &k))
		switch (k.kind) {
		case TOKEN_SECTION:
			(void)buf_printf(&out, "[%s] ", k.key);
			break;
		case TOKEN_ASSIGN:
			(void)buf_printf(&out, "%u:%s=%s ", k.line, k.key, k.value);
			break;
		default:
			(void)buf_printf(&out, "%u!%s ", k.line, k.value);
		}
	tokens_done(&t);
	assert_false(out.failed);
	return out.data ? out.data : strdup("");
}

static void
syntax_cases(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "plain", "[Unit]\nA=1\n", "[Unit] 2:A=1 " },
		{ "blanks everywhere", " [Unit]  \n  A = 1 2 \t\n", "[Unit] 2:A=1 2 " },
		{ "no newline at the end", "A=1", "1:A=1 " },
		{ "comments and empty lines", "# c\n\n ; d\nA=1\n#B=2\n", "4:A=1 " },
		{ "a hash inside a value is not a comment", "A=1 # 2\n", "1:A=1 # 2 " },
		{ "continuation becomes a blank", "A=1\\\n2\n", "1:A=1 2 " },
		{ "continuation keeps leading blanks", "A=1\\\n\t2\n", "1:A=1 \t2 " },
		{ "comment inside a continuation", "A=1\\\n# no\n;no\n2\nB=3\n", "1:A=1 2 5:B=3 " },
		{ "a comment is not continued", "# c\\\nA=1\n", "2:A=1 " },
		{ "escaped backslash does not continue", "A=1\\\\\nB=2\n", "1:A=1\\\\ 2:B=2 " },
		{ "three backslashes do", "A=1\\\\\\\n2\n", "1:A=1\\\\ 2 " },
		{ "continuation at the end of the file", "A=1\\", "1:A=1 " },
		{ "empty value", "A=\nB= \n", "1:A= 2:B= " },
		{ "equals in the value", "A=b=c\n", "1:A=b=c " },
		{ "carriage returns", "[U]\r\nA=1\r\nB=2\\\r\n3\r\n", "[U] 2:A=1 3:B=2 3 " },
		{ "byte order mark", "\xef\xbb\xbf[U]\nA=1\n", "[U] 2:A=1 " },
		{ "no equals", "A\nB=1\n", "1!no '=' 2:B=1 " },
		{ "no name", "=1\n", "1!no name before '=' " },
		{ "open section header", "[Unit\n", "1!a section header has no name or no ']' " },
		{ "empty section header", "[]\n", "1!a section header has no name or no ']' " },
		{ "not UTF-8", "A=\xff\nB=1\n", "1!not valid UTF-8 2:B=1 " },
		{ "overlong UTF-8", "A=\xc0\xaf\n", "1!not valid UTF-8 " },
		{ "cut UTF-8", "A=\xe2\x82\n", "1!not valid UTF-8 " },
		{ "UTF-8", "A=\xe2\x82\xac\n", "1:A=\xe2\x82\xac " },
		{ "nothing", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_free_ char *got = dump(cases[i].text, strlen(cases[i].text));

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got \"%s\"", cases[i].label, got);
	}
}

static void
nul_byte_spoils_its_line_only(void **state)
{
	static const char text[] = "A=1\0evil\nB=2\n";
	_cleanup_free_ char *got = dump(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(got, "1!a NUL byte 2:B=2 ");
}

static void
line_that_is_too_long_spoils_itself_only(void **state)
{
	_cleanup_free_ char *text = malloc(3 * TOKEN_LINE_BYTES_MAX);
	_cleanup_free_ char *got = NULL;
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	while (n < 2 * TOKEN_LINE_BYTES_MAX) /* by continuation, each line of it short */
		n += (size_t)snprintf(text + n, 16, "0123456789\\\n");
	n += (size_t)snprintf(text + n, 16, "end\nB=2\n");
	got = dump(text, n);
	assert_non_null(strstr(got, "1!the line is too long "));
	assert_true(str_ends(got, ":B=2 "));
	assert_null(strstr(got, "end"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_cases),
		cmocka_unit_test(nul_byte_spoils_its_line_only),
		cmocka_unit_test(line_that_is_too_long_spoils_itself_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
