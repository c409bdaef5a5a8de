/*
 * test_json.c - common/json.h: commas, escapes, and bytes that are not UTF-8.
 */
#include "tests/unit/unit.h"

#include "common/json.h"

static void
nesting_and_commas(void **state)
{
	_cleanup_buf_ struct buf out;
	struct json j;

	(void)state;
	buf_init_heap(&out, 4096);
	json_init(&j, &out);
	json_open_object(&j, NULL);
	json_str(&j, "unit", "web.service");
	json_open_array(&j, "fds");
	json_u64(&j, NULL, 3);
	json_u64(&j, NULL, UINT64_MAX);
	json_open_object(&j, NULL);
	json_close(&j);
	json_close(&j);
	json_i64(&j, "low", INT64_MIN);
	json_bool(&j, "yes", true);
	json_bool(&j, "no", false);
	json_null(&j, "none");
	json_str(&j, "absent", NULL);
	json_close(&j);
	assert_false(out.failed);
	assert_string_equal(buf_cstr(&out),
	    "{\"unit\":\"web.service\",\"fds\":[3,18446744073709551615,{}],"
	    "\"low\":-9223372036854775808,\"yes\":true,\"no\":false,\"none\":null,\"absent\":"
	    "null}");
}

static const struct {
	const char *label, *in, *want;
} strings[] = {
	{ "plain", "abc", "\"abc\"" },
	{ "empty", "", "\"\"" },
	{ "quote and backslash", "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "controls", "\n\r\t", "\"\\u000a\\u000d\\u0009\"" },
	{ "other controls", "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
	{ "two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa",
	    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa\"" },
	{ "a lone continuation byte", "a\x80z", "\"a\xef\xbf\xbdz\"" },
	{ "cut in the middle of a character", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "overlong slash", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "overlong, three bytes", "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "past U+10FFFF", "\xf4\x90\x80\x80",
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "not a first byte at all", "\xff", "\"\xef\xbf\xbd\"" },
};

static void
strings_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(strings); i++) {
		char storage[256];
		struct buf out;
		struct json j;

		buf_init(&out, storage, sizeof(storage));
		json_init(&j, &out);
		json_str(&j, NULL, strings[i].in);
		if (out.failed || strcmp(buf_cstr(&out), strings[i].want) != 0)
			fail_msg("%s: %s", strings[i].label, buf_cstr(&out));
	}
}

static void
a_span_may_hold_any_byte(void **state)
{
	char storage[64];
	struct buf out;
	struct json j;

	(void)state;
	buf_init(&out, storage, sizeof(storage));
	json_init(&j, &out);
	json_open_object(&j, NULL);
	json_span(&j, "k\n", (struct span){ "a\0b", 3 });
	json_close(&j);
	assert_string_equal(buf_cstr(&out), "{\"k\\u000a\":\"a\\u0000b\"}");
}

static void
what_does_not_fit_is_seen(void **state)
{
	char storage[8];
	struct buf out;
	struct json j;

	(void)state;
	buf_init(&out, storage, sizeof(storage));
	json_init(&j, &out);
	json_str(&j, NULL, "0123456789");
	assert_true(out.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(a_span_may_hold_any_byte),
		cmocka_unit_test(what_does_not_fit_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
