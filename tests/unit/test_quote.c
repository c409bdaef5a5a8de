/*
 * test_quote.c - launcher/load/quote.h: words as systemd.syntax(7) splits them.
 */
#include "tests/unit/unit.h"

#include "launcher/load/quote.h"

static void
word_cases(void **state)
{
	static const struct {
		const char *label, *text, *want; /* words, each in <> */
	} cases[] = {
		{ "blanks", " a  b\tc ", "<a><b><c>" },
		{ "double quotes", "a \"b c\" d", "<a><b c><d>" },
		{ "single quotes", "'b c' d", "<b c><d>" },
		{ "quotes inside a word", "a\"b c\"d", "<ab cd>" },
		{ "empty words", "\"\" ''", "<><>" },
		{ "the other quote is plain", "\"it's\" 'a\"b'", "<it's><a\"b>" },
		{ "C escapes", "\\a\\b\\f\\n\\r\\t\\v", "<\a\b\f\n\r\t\v>" },
		{ "blank by escape", "a\\sb", "<a b>" },
		{ "escaped quotes", "\\\"a\\'", "<\"a'>" },
		{ "backslash", "\\\\", "<\\>" },
		{ "hex and octal", "\\x41\\102", "<AB>" },
		{ "unicode", "\\u20ac\\U0001f600", "<\xe2\x82\xac\xf0\x9f\x98\x80>" },
		{ "escapes inside single quotes", "'\\x41'", "<A>" },
		{ "nothing", "  ", "" },
	};
	char storage[64], words[128];
	struct buf word, all;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *p = cases[i].text;
		unsigned notes = 0;
		int r;

		buf_init(&word, storage, sizeof(storage));
		buf_init(&all, words, sizeof(words));
		while ((r = word_next(&p, &word, &notes)) > 0)
			(void)buf_printf(&all, "<%s>", buf_cstr(&word));
		if (r < 0 || notes != 0 || strcmp(words, cases[i].want) != 0)
			fail_msg("%s: %d, notes %u, \"%s\"", cases[i].label, r, notes, words);
	}
}

static void
unknown_escape_is_kept_and_noted(void **state)
{
	static const char *const cases[] = { "\\q", "\\x4", "\\xzz", "\\x00", "\\000", "\\400",
		"\\u12", "\\ud800", "\\U00110000", "\\" };
	char storage[64];
	struct buf word;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *p = cases[i];
		unsigned notes = 0;

		buf_init(&word, storage, sizeof(storage));
		assert_int_equal(word_next(&p, &word, &notes), 1);
		assert_string_equal(storage, cases[i]);
		assert_int_equal(notes, WORD_BAD_ESCAPE);
	}
}

static void
open_quote_and_long_word_are_errors(void **state)
{
	char storage[8];
	struct buf word;
	const char *p = "\"abc", *q = "0123456789";

	(void)state;
	buf_init(&word, storage, sizeof(storage));
	assert_int_equal(word_next(&p, &word, NULL), -EINVAL);
	assert_int_equal(word_next(&q, &word, NULL), -ENOBUFS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_cases),
		cmocka_unit_test(unknown_escape_is_kept_and_noted),
		cmocka_unit_test(open_quote_and_long_word_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
