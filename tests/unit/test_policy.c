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

/* The table of systemd.service(5) at Restart=, row by row. */
static void
who_is_restarted(void **state)
{
	enum { NO, OK, FAIL, ABNORMAL, ABORT, WATCHDOG, ALWAYS };
	static const struct {
		const char *label;
		enum service_result result;
		int code, status;
		bool want[7]; /* by the order above */
	} cases[] = {
		{ "clean", RESULT_SUCCESS, CLD_EXITED, 0, { 0, 1, 0, 0, 0, 0, 1 } },
		{ "exit code", RESULT_EXIT_CODE, CLD_EXITED, 1, { 0, 0, 1, 0, 0, 0, 1 } },
		{ "signal", RESULT_SIGNAL, CLD_KILLED, SIGKILL, { 0, 0, 1, 1, 1, 0, 1 } },
		{ "core", RESULT_CORE_DUMP, CLD_DUMPED, SIGSEGV, { 0, 0, 1, 1, 1, 0, 1 } },
		{ "timeout", RESULT_TIMEOUT, CLD_KILLED, SIGKILL, { 0, 0, 1, 1, 0, 0, 1 } },
		{ "watchdog", RESULT_WATCHDOG, CLD_DUMPED, SIGABRT, { 0, 0, 1, 1, 0, 1, 1 } },
		{ "condition", RESULT_CONDITION, 0, 0, { 0 } },
		{ "start limit", RESULT_START_LIMIT, 0, 0, { 0 } },
	};
	static const enum service_restart words[] = { [NO] = RESTART_NO,
		[OK] = RESTART_ON_SUCCESS,
		[FAIL] = RESTART_ON_FAILURE,
		[ABNORMAL] = RESTART_ON_ABNORMAL,
		[ABORT] = RESTART_ON_ABORT,
		[WATCHDOG] = RESTART_ON_WATCHDOG,
		[ALWAYS] = RESTART_ALWAYS };

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		for (size_t w = 0; w < ELEMENTSOF(words); w++) {
			const struct plan_unit u = { .kind = UNIT_SERVICE,
				.service.restart = words[w] };

			if (policy_restart(&u, cases[i].result, cases[i].code, cases[i].status) !=
			    cases[i].want[w])
				fail_msg("%s, %zu", cases[i].label, w);
		}
}

static void
statuses_decide_over_restarts(void **state)
{
	struct plan_unit u = { .kind = UNIT_SERVICE, .service.restart = RESTART_ALWAYS };

	(void)state;
	u.service.restart_prevent.exits[3] = UINT64_C(1) << 63; /* 255 */
	u.service.restart_prevent.signals = UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << 63;
	assert_false(policy_restart(&u, RESULT_EXIT_CODE, CLD_EXITED, 255));
	assert_false(policy_restart(&u, RESULT_SUCCESS, CLD_KILLED, SIGTERM));
	assert_false(policy_restart(&u, RESULT_SIGNAL, CLD_KILLED, 64)); /* SIGRTMAX */
	assert_true(policy_restart(&u, RESULT_SIGNAL, CLD_KILLED, 1));
	assert_true(policy_restart(&u, RESULT_SIGNAL, CLD_KILLED, 63));
	assert_true(policy_restart(&u, RESULT_EXIT_CODE, CLD_EXITED, SIGTERM)); /* 15, no signal */
	u.service.restart = RESTART_NO;
	u.service.restart_force.exits[0] = 2;
	assert_true(policy_restart(&u, RESULT_EXIT_CODE, CLD_EXITED, 1));
	u.service.success.exits[1] = UINT64_C(1) << 11; /* 75 */
	assert_int_equal(policy_result(&u, NULL, true, CLD_EXITED, 75), RESULT_SUCCESS);
	assert_int_equal(policy_result(&u, NULL, true, CLD_EXITED, 11), RESULT_EXIT_CODE);
}

static void
who_is_killed(void **state)
{
	static const struct {
		enum kill_mode mode;
		bool main_term, group_term, group_kill;
	} cases[] = {
		{ KILL_CONTROL_GROUP, true, true, true },
		{ KILL_MIXED, true, false, true },
		{ KILL_PROCESS, true, false, false },
		{ KILL_NONE, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct plan_unit u = { .kind = UNIT_SERVICE,
			.service = { .kill_mode = cases[i].mode, .send_sigkill = true } };

		assert_int_equal(policy_kills(&u, true, PHASE_TERM), cases[i].main_term);
		assert_int_equal(policy_kills_group(&u, PHASE_TERM), cases[i].group_term);
		assert_int_equal(policy_kills_group(&u, PHASE_KILL), cases[i].group_kill);
		assert_true(policy_kills(&u, false, PHASE_TERM)); /* a control command */
		assert_true(policy_kills(&u, true, PHASE_KILL));
		u.service.send_sigkill = false;
		assert_false(policy_kills(&u, true, PHASE_KILL));
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
		cmocka_unit_test(who_is_restarted),
		cmocka_unit_test(statuses_decide_over_restarts),
		cmocka_unit_test(who_is_killed),
		cmocka_unit_test(limit_counts_in_windows),
		cmocka_unit_test(pauses_grow_and_stay_bearable),
		cmocka_unit_test(timeouts_belong_to_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
