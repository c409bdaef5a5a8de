/*
 * test_control.c - launcher/manager/control.h: what passes as a request and as a reply.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "launcher/manager/control.h"

static void
requests(void **state)
{
	static const struct {
		const char *label;
		struct control_request q;
		int want;
	} cases[] = {
		{ "show all", { CONTROL_VERSION, CONTROL_SHOW, 0, 0, 0, "" }, 0 },
		{ "show one", { CONTROL_VERSION, CONTROL_SHOW, 0, 0, 0, "a@b-c.service" }, 0 },
		{ "start", { CONTROL_VERSION, CONTROL_START, CONTROL_NO_BLOCK, 0, 0, "a" }, 0 },
		{ "kill", { CONTROL_VERSION, CONTROL_KILL, 0, 9, CONTROL_WHOM_MAIN, "a" }, 0 },
		{ "another version", { CONTROL_VERSION + 1, CONTROL_SHOW, 0, 0, 0, "" }, -EPROTO },
		{ "unknown verb", { CONTROL_VERSION, CONTROL_VERB_END, 0, 0, 0, "a" }, -EPROTO },
		{ "verb 2^32-1", { CONTROL_VERSION, UINT32_MAX, 0, 0, 0, "a" }, -EPROTO },
		{ "flag a verb does not have", { CONTROL_VERSION, CONTROL_SHOW, 1, 0, 0, "a" },
		    -EPROTO },
		{ "unknown flag", { CONTROL_VERSION, CONTROL_START, 2, 0, 0, "a" }, -EPROTO },
		{ "start all", { CONTROL_VERSION, CONTROL_START, 0, 0, 0, "" }, -EPROTO },
		{ "signal with show", { CONTROL_VERSION, CONTROL_SHOW, 0, 1, 0, "a" }, -EPROTO },
		{ "kill with 0", { CONTROL_VERSION, CONTROL_KILL, 0, 0, 0, "a" }, -EPROTO },
		{ "kill with 65", { CONTROL_VERSION, CONTROL_KILL, 0, 65, 0, "a" }, -EPROTO },
		{ "kill whom", { CONTROL_VERSION, CONTROL_KILL, 0, 9, 3, "a" }, -EPROTO },
		{ "a path", { CONTROL_VERSION, CONTROL_SHOW, 0, 0, 0, "../a" }, -EPROTO },
		{ "a blank", { CONTROL_VERSION, CONTROL_SHOW, 0, 0, 0, "a b" }, -EPROTO },
		{ "more behind the NUL", { CONTROL_VERSION, CONTROL_SHOW, 0, 0, 0, "a\0b" },
		    -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct control_request got;

		if (control_check(&cases[i].q, sizeof(cases[i].q), &got, NULL) != cases[i].want)
			fail_msg("%s", cases[i].label);
	}
}

static void
name_without_an_end_is_refused(void **state)
{
	struct control_request q = { .version = CONTROL_VERSION }, got;

	(void)state;
	memset(q.unit, 'a', sizeof(q.unit));
	assert_int_equal(control_check(&q, sizeof(q), &got, NULL), -EPROTO);
	q.unit[sizeof(q.unit) - 1] = '\0';
	assert_int_equal(control_check(&q, sizeof(q), &got, NULL), 0);
	assert_int_equal(control_check(&q, sizeof(q) - 1, &got, NULL), -EPROTO);
}

static void
verbs_that_change_something(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < CONTROL_VERB_END; v++)
		assert_int_equal(control_changes(v), v != CONTROL_SHOW);
	assert_false(control_changes(CONTROL_VERB_END));
	assert_string_equal(control_verb_name(CONTROL_RESET_FAILED), "reset-failed");
	assert_string_equal(control_verb_name(CONTROL_VERB_END), "?");
}

static void
replies(void **state)
{
	static const struct {
		const char *label;
		struct control_reply_head h;
		size_t len;
		int want;
	} cases[] = {
		{ "end", { CONTROL_VERSION, CONTROL_REPLY_END, 2, 4 }, 4, 0 },
		{ "unit", { CONTROL_VERSION, CONTROL_REPLY_UNIT, 0, 4 }, 4, 0 },
		{ "unit with an error", { CONTROL_VERSION, CONTROL_REPLY_UNIT, 2, 4 }, 4, -EPROTO },
		{ "longer than it says", { CONTROL_VERSION, CONTROL_REPLY_END, 0, 3 }, 4, -EPROTO },
		{ "shorter", { CONTROL_VERSION, CONTROL_REPLY_END, 0, 5 }, 4, -EPROTO },
		{ "negative errno", { CONTROL_VERSION, CONTROL_REPLY_END, -2, 4 }, 4, -EPROTO },
		{ "unknown kind", { CONTROL_VERSION, 2, 0, 4 }, 4, -EPROTO },
		{ "another version", { 9, CONTROL_REPLY_END, 0, 4 }, 4, -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char bytes[sizeof(cases[i].h) + 4] = { 0 };
		struct control_reply_head got;
		const char *text = NULL;

		memcpy(bytes, &cases[i].h, sizeof(cases[i].h));
		if (control_check_reply(bytes, sizeof(cases[i].h) + cases[i].len, &got, &text,
			NULL) != cases[i].want)
			fail_msg("%s", cases[i].label);
		if (cases[i].want == 0)
			assert_ptr_equal(text, bytes + sizeof(cases[i].h));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(name_without_an_end_is_refused),
		cmocka_unit_test(verbs_that_change_something),
		cmocka_unit_test(replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
