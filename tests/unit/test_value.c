/*
 * test_value.c - launcher/load/value.h: booleans, modes, time spans, sizes, signals, paths.
 */
#include "tests/unit/unit.h"

#include <signal.h>

#include "common/clock.h"
#include "launcher/load/value.h"

static void
time_spans(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t usec;
	} cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1000000 },
		{ "1s", 0, 1000000 },
		{ "2 min", 0, 120000000 },
		{ "1min 30s", 0, 90000000 },
		{ "1min30s", 0, 90000000 },
		{ "1.5s", 0, 1500000 },
		{ "1.5 h", 0, UINT64_C(5400000000) },
		{ "100ms", 0, 100000 },
		{ "5us", 0, 5 },
		{ "5\xc2\xb5s", 0, 5 },
		{ ".5", 0, 500000 },
		{ "1d", 0, UINT64_C(86400000000) },
		{ "1 week", 0, UINT64_C(604800000000) },
		{ "2m", 0, 120000000 },
		{ "1M", 0, UINT64_C(2629800000000) },
		{ "1y", 0, UINT64_C(31557600000000) },
		{ "infinity", 0, USEC_INFINITY },
		{ "3 4", 0, 7000000 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1 parsec", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ "infinity s", -EINVAL, 0 },
		{ "18446744073709551615y", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "584555y", -ERANGE, 0 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const int r = value_usec(cases[i].text, &v);

		if (r != cases[i].r || (r == 0 && v != cases[i].usec))
			fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)v);
	}
}

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "16K", 0, 16384 },
		{ "1.5M", 0, 1572864 },
		{ "2G", 0, UINT64_C(2) << 30 },
		{ "8B", 0, 8 },
		{ "1 M", 0, 1 << 20 },
		{ "15E", 0, UINT64_C(15) << 60 },
		{ "16E", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1k", -EINVAL, 0 },
		{ "1G 1M", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const int r = value_size(cases[i].text, &v);

		if (r != cases[i].r || (r == 0 && v != cases[i].bytes))
			fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)v);
	}
}

static void
booleans_and_modes(void **state)
{
	bool b;
	mode_t m;

	(void)state;
	assert_int_equal(value_bool("True", &b), 0);
	assert_true(b);
	assert_int_equal(value_bool("OFF", &b), 0);
	assert_false(b);
	assert_int_equal(value_bool("", &b), -EINVAL);
	assert_int_equal(value_bool("2", &b), -EINVAL);
	assert_int_equal(value_mode("777", &m), 0);
	assert_int_equal(m, 0777);
	assert_int_equal(value_mode("0600", &m), 0);
	assert_int_equal(m, 0600);
	assert_int_equal(value_mode("888", &m), -EINVAL);
	assert_int_equal(value_mode("17777", &m), -ERANGE);
	assert_int_equal(value_mode("rwx", &m), -EINVAL);
}

static void
signals(void **state)
{
	(void)state;
	assert_int_equal(value_signal("SIGTERM"), SIGTERM);
	assert_int_equal(value_signal("INT"), SIGINT);
	assert_int_equal(value_signal("9"), SIGKILL);
	assert_int_equal(value_signal("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(value_signal("SIGNONE"), -EINVAL);
	assert_int_equal(value_signal("0"), -EINVAL);
	assert_int_equal(value_signal("65"), -EINVAL);
	assert_int_equal(value_signal(""), -EINVAL);
}

static void
names_and_paths(void **state)
{
	static const char *const paths[][2] = { { "/", "/" }, { "//", "/" }, { "/.", "/" },
		{ "/a/..b/c", "/a/..b/c" }, { "//a/./b//c/", "/a/b/c" }, { "/a/.", "/a" },
		{ "/.a", "/.a" }, { "a", NULL }, { "/a/../b", NULL }, { "/a/..", NULL },
		{ "/..", NULL }, { "", NULL } };

	(void)state;
	assert_true(value_is_env_name("_A1", 3));
	assert_false(value_is_env_name("1A", 2));
	assert_false(value_is_env_name("", 0));
	assert_false(value_is_env_name("A-B", 3));
	for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
		char storage[64];
		struct buf b;

		buf_init(&b, storage, sizeof(storage));
		(void)buf_puts(&b, paths[i][0]);
		if (value_path(&b) != (paths[i][1] != NULL) ||
		    (paths[i][1] && strcmp(storage, paths[i][1]) != 0))
			fail_msg("%s: %s", paths[i][0], storage);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_spans),
		cmocka_unit_test(sizes),
		cmocka_unit_test(booleans_and_modes),
		cmocka_unit_test(signals),
		cmocka_unit_test(names_and_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
