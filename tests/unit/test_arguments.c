/*
 * test_arguments.c - launcher/enter/arguments.h: what becomes of a command line's words, and what
 * the environment holds.
 */
#include "tests/unit/unit.h"

#include "common/num.h"
#include "launcher/enter/arguments.h"
#include "launcher/load/build.h"

static void
set(struct arguments *a, const char *name, const char *value)
{
	assert_int_equal(arguments_setenv(a, span_of(name), span_of(value)), 0);
}

static void
words_are_expanded_as_systemd_does(void **state)
{
	static const struct {
		const char *label, *word, *want[5];
	} cases[] = {
		{ "plain", "plain", { "plain" } },
		{ "empty word stays a word", "", { "" } },
		{ "variable alone is split", "$MANY", { "a", "b c", "d" } },
		{ "braces are not split", "${MANY}", { "a 'b c'  d" } },
		{ "braces inside a word", "x${ONE}y", { "x1y" } },
		{ "no braces inside a word: left alone", "x$ONE", { "x$ONE" } },
		{ "unset alone is no word at all", "$NONE", { NULL } },
		{ "unset in braces is an empty word", "${NONE}", { "" } },
		{ "double dollar", "$$ONE", { "$ONE" } },
		{ "open brace", "${ONE", { "${ONE" } },
		{ "not a name", "${1X}", { "${1X}" } },
		{ "dollar at the end", "cost$", { "cost$" } },
		{ "dollar alone", "$", { "$" } },
	};
	static struct arguments a;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		size_t n = 0;

		memset(&a, 0, sizeof(a));
		set(&a, "ONE", "1");
		set(&a, "MANY", "a 'b c'  d");
		assert_int_equal(arguments_add(&a, span_of(cases[i].word), true), 0);
		while (n < ELEMENTSOF(cases[i].want) && cases[i].want[n])
			n++;
		if (a.n_argv != n)
			fail_msg("%s: %u words", cases[i].label, a.n_argv);
		for (size_t k = 0; k < n; k++)
			if (strcmp(a.argv[k], cases[i].want[k]) != 0)
				fail_msg("%s: word %zu is '%s'", cases[i].label, k, a.argv[k]);
		assert_null(a.argv[n]);
	}
}

static void
later_variables_win_and_keep_their_place(void **state)
{
	static struct arguments a;

	(void)state;
	memset(&a, 0, sizeof(a));
	set(&a, "AB", "1");
	set(&a, "A", "2");
	set(&a, "AB", "3");
	assert_int_equal(a.n_env, 2);
	assert_string_equal(a.envp[0], "AB=3");
	assert_string_equal(a.envp[1], "A=2");
	assert_null(a.envp[2]);
	assert_null(arguments_getenv(&a, span_of("B")));
}

static void
what_does_not_fit_is_an_error(void **state)
{
	static struct arguments a;
	static char big[ARGUMENTS_TEXT_BYTES];

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(arguments_add(&a, span_of(big), false), 0);
	assert_int_equal(arguments_add(&a, span_of("x"), false), -E2BIG);
	memset(&a, 0, sizeof(a));
	for (int i = 0; i < ARGUMENTS_ARGV_MAX; i++)
		assert_int_equal(arguments_add(&a, span_of("x"), false), 0);
	assert_int_equal(arguments_add(&a, span_of("x"), false), -E2BIG);
}

/* A service with two descriptors: the whole protocol in one place. */
static void
protocol_variables(void **state)
{
	static struct arguments a;
	const struct enter_fd fds[] = { { 3, "web" }, { 4, "" } };
	const uint8_t id[16] = { 0xde, 0xad, [15] = 0x01 };
	struct enter e = { .fds = fds,
		.n_fds = 2,
		.notify_path = "/run/n",
		.watchdog_usec = 5,
		.main_pid = 7,
		.invocation_id = id };
	struct build b;
	const struct plan *p;
	struct plan_command *c;
	char pid[NUM_TEXT_MAX];
	int fd;

	(void)state;
	assert_int_equal(build_init(&b, NULL), 0);
	c = build_append(&b,
	    &build_unit(&b, UNIT_SERVICE, "x.service")->service.commands[COMMAND_START],
	    sizeof(*c));
	build_append_word(&b, &c->argv, "$ZERO");
	build_append_word(&b, &c->argv, "${LISTEN_FDS}");
	assert_int_equal(build_freeze(&b, &fd, NULL), 0);
	assert_int_equal(plan_map(fd, &p, NULL), 0);
	e.plan = p;
	e.unit = plan_unit(p, 0);
	e.command = plan_command(p, e.unit, COMMAND_START, 0);
	memset(&a, 0, sizeof(a));
	assert_int_equal(arguments_fill(&a, &e), 0);
	assert_string_equal(arguments_getenv(&a, span_of("LISTEN_FDS")), "2");
	assert_string_equal(arguments_getenv(&a, span_of("LISTEN_FDNAMES")), "web:");
	assert_string_equal(
	    arguments_getenv(&a, span_of("LISTEN_PID")), num_format(pid, (uint64_t)getpid()));
	assert_string_equal(arguments_getenv(&a, span_of("NOTIFY_SOCKET")), "/run/n");
	assert_string_equal(arguments_getenv(&a, span_of("WATCHDOG_USEC")), "5");
	assert_string_equal(arguments_getenv(&a, span_of("MAINPID")), "7");
	assert_string_equal(
	    arguments_getenv(&a, span_of("INVOCATION_ID")), "dead0000000000000000000000000001");
	assert_string_equal(a.argv[0], "$ZERO"); /* the program's own name is never expanded */
	assert_string_equal(a.argv[1], "2");
	e.inetd = true;
	memset(&a, 0, sizeof(a));
	assert_int_equal(arguments_fill(&a, &e), 0);
	assert_null(arguments_getenv(&a, span_of("LISTEN_FDS")));
	plan_unmap(p);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_expanded_as_systemd_does),
		cmocka_unit_test(later_variables_win_and_keep_their_place),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(protocol_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
