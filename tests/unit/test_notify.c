/*
 * test_notify.c - launcher/manager/notify.h: what is taken from a datagram, left out, or dropped.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "launcher/manager/notify.h"

#define LIT(text) (text), sizeof(text) - 1

static void
keys_of_a_datagram(void **state)
{
	static const struct {
		const char *label, *text;
		size_t len;
		unsigned keys;
	} cases[] = {
		{ "ready", LIT("READY=1"), NOTIFY_READY },
		{ "ready with a newline", LIT("READY=1\n"), NOTIFY_READY },
		{ "ready with the C string's NUL", LIT("READY=1\0"), NOTIFY_READY },
		{ "ready=0 means nothing", LIT("READY=0"), 0 },
		{ "ready with a blank means nothing", LIT("READY=1 "), 0 },
		{ "unknown keys are left out", LIT("X_FOO=1\nREADY=1\nfoo\n=\n"), NOTIFY_READY },
		{ "keys are case-sensitive", LIT("ready=1"), 0 },
		{ "stopping and status", LIT("STOPPING=1\nSTATUS=bye"),
		    NOTIFY_STOPPING | NOTIFY_STATUS },
		{ "main pid", LIT("MAINPID=4711\nREADY=1"), NOTIFY_MAINPID | NOTIFY_READY },
		{ "pid 0", LIT("MAINPID=0"), 0 },
		{ "pid 1 is never a service", LIT("MAINPID=1"), 0 },
		{ "negative pid", LIT("MAINPID=-5"), 0 },
		{ "pid over 31 bits", LIT("MAINPID=4294967297"), 0 },
		{ "errno", LIT("ERRNO=2"), NOTIFY_ERRNO },
		{ "errno out of range", LIT("ERRNO=99999"), 0 },
		{ "watchdog", LIT("WATCHDOG=1"), NOTIFY_WATCHDOG },
		{ "watchdog trigger", LIT("WATCHDOG=trigger"),
		    NOTIFY_WATCHDOG | NOTIFY_WATCHDOG_TRIGGER },
		{ "reload", LIT("RELOADING=1\nMONOTONIC_USEC=5"),
		    NOTIFY_RELOADING | NOTIFY_MONOTONIC },
		{ "descriptor name", LIT("FDSTORE=1\nFDNAME=a-b"), NOTIFY_FDSTORE | NOTIFY_FDNAME },
		{ "descriptor name with a colon", LIT("FDSTORE=1\nFDNAME=a:b"), NOTIFY_FDSTORE },
		{ "status in UTF-8", LIT("STATUS=gr\xc3\xbc\xc3\x9f"), NOTIFY_STATUS },
		{ "status in Latin-1", LIT("STATUS=gr\xfc\xdf"), 0 },
		{ "status, overlong slash", LIT("STATUS=\xc0\xaf"), 0 },
		{ "status, a surrogate", LIT("STATUS=\xed\xa0\x80"), 0 },
		{ "status, beyond U+10FFFF", LIT("STATUS=\xf4\x90\x80\x80"), 0 },
		{ "status, cut character", LIT("STATUS=\xe2\x82"), 0 },
		{ "status that would move a cursor", LIT("STATUS=\x1b[2J"), 0 },
		{ "empty status clears", LIT("STATUS="), NOTIFY_STATUS },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct notify n;

		if (notify_parse(cases[i].text, cases[i].len, 0, &n, NULL) < 0)
			fail_msg("dropped: %s", cases[i].label);
		if (n.keys != cases[i].keys)
			fail_msg("%s: keys %#x", cases[i].label, n.keys);
	}
}

static void
values_are_taken(void **state)
{
	static const char text[] = "MAINPID=4711\nSTATUS=up = and running\nERRNO=13\n"
				   "EXTEND_TIMEOUT_USEC=5000000\nWATCHDOG_USEC=7";
	struct notify n;

	(void)state;
	assert_int_equal(notify_parse(text, strlen(text), 0, &n, NULL), 0);
	assert_int_equal(n.main_pid, 4711);
	assert_int_equal(n.error, 13);
	assert_int_equal(n.extend_usec, 5000000);
	assert_int_equal(n.watchdog_usec, 7);
	assert_true(span_equal(n.status, "up = and running"));
}

static void
whole_datagrams_that_are_dropped(void **state)
{
	static char huge[NOTIFY_BYTES_MAX + 2];
	static const struct {
		const char *label, *text;
		size_t len, n_fds;
	} cases[] = {
		{ "empty", "", 0, 0 },
		{ "only a NUL", LIT("\0"), 0 },
		{ "a NUL inside", LIT("READY=1\0STATUS=x"), 0 },
		{ "two NULs at the end", LIT("READY=1\0\0"), 0 },
		{ "too long", huge, sizeof(huge), 0 },
		{ "barrier without a descriptor", LIT("BARRIER=1"), 0 },
		{ "barrier with two", LIT("BARRIER=1"), 2 },
		{ "barrier beside another key", LIT("BARRIER=1\nREADY=1"), 1 },
	};
	struct notify n;

	(void)state;
	memset(huge, 'x', sizeof(huge));
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct why why = { "" };

		if (notify_parse(cases[i].text, cases[i].len, cases[i].n_fds, &n, &why) != -EBADMSG)
			fail_msg("taken: %s", cases[i].label);
		assert_true(why.text[0] != '\0');
	}
	assert_int_equal(notify_parse(LIT("BARRIER=1"), 1, &n, NULL), 0);
	assert_int_equal(n.keys, NOTIFY_BARRIER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_a_datagram),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(whole_datagrams_that_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
