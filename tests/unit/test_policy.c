/*
 * test_policy.c - launcher/manager/policy.h.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "launcher/manager/policy.h"

static void
how_an_end_counts(void **state)
{
	static const struct {
		const char *label;
		bool main;
		uint32_t flags;
		int code, status;
		enum service_result want;
	} cases[] = {
		{ "exit 0", true, 0, CLD_EXITED, 0, RESULT_SUCCESS },
		{ "exit 1", true, 0, CLD_EXITED, 1, RESULT_EXIT_CODE },
		{ "exit 1 of a command with -", false, COMMAND_IGNORE_FAILURE, CLD_EXITED, 1,
		    RESULT_SUCCESS },
		{ "TERM of a main process", true, 0, CLD_KILLED, SIGTERM, RESULT_SUCCESS },
		{ "PIPE of a main process", true, 0, CLD_KILLED, SIGPIPE, RESULT_SUCCESS },
		{ "TERM of a command", false, 0, CLD_KILLED, SIGTERM, RESULT_SIGNAL },
		{ "KILL", true, 0, CLD_KILLED, SIGKILL, RESULT_SIGNAL },
		{ "core", true, 0, CLD_DUMPED, SIGSEGV, RESULT_CORE_DUMP },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		static const struct plan_unit u = { .kind = UNIT_SERVICE };
		const struct plan_command c = { .flags = cases[i].flags };

		if (policy_result(&u, &c, cases[i].main, cases[i].code, cases[i].status) !=
		    cases[i].want)
			fail_msg("%s", cases[i].label);
	}
}

static void
limit_counts_in_windows(void **state)
{
	uint64_t begin = 0;
	uint32_t n = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(policy_limit(&begin, &n, 1000, 100, 5));
	assert_false(policy_limit(&begin, &n, 1099, 100, 5));
	assert_true(policy_limit(&begin, &n, 1100, 100, 5));
	assert_int_equal(n, 1);
	assert_true(policy_limit(&begin, &n, 500, 100, 5)); /* a clock from before: a new window */
	for (int i = 0; i < 100; i++)
		assert_true(policy_limit(&begin, &n, 500, 0, 5) &&
			    policy_limit(&begin, &n, 500, 100, 0)); /* either switches it off */
}

static void
pauses_grow_and_stay_bearable(void **state)
{
	(void)state;
	assert_int_equal(policy_pause_usec(1), USEC_PER_SEC);
	assert_int_equal(policy_pause_usec(2), 2 * USEC_PER_SEC);
	assert_int_equal(policy_pause_usec(6), 32 * USEC_PER_SEC);
	assert_int_equal(policy_pause_usec(7), 60 * USEC_PER_SEC);
	assert_int_equal(policy_pause_usec(UINT32_MAX), 60 * USEC_PER_SEC);
}

static void
timeouts_belong_to_states(void **state)
{
	const struct plan_unit u = { .kind = UNIT_SERVICE,
		.service = { .timeout_start_usec = 5, .timeout_stop_usec = 0 } };

	(void)state;
	assert_int_equal(policy_timeout_usec(&u, STATE_START), 5);
	assert_true(policy_timeout_usec(&u, STATE_RUNNING) == USEC_INFINITY);
	assert_true(policy_timeout_usec(&u, STATE_STOP_SIGTERM) == USEC_INFINITY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_an_end_counts),
		cmocka_unit_test(limit_counts_in_windows),
		cmocka_unit_test(pauses_grow_and_stay_bearable),
		cmocka_unit_test(timeouts_belong_to_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
