/*
 * test_procstatus.c - common/procstatus.h: what the kernel says, and nothing made up.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/procstatus.h"

#define STATUS \
	"Name:\tmy server\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t7\nPPid:\t1\n" \
	"TracerPid:\t0\nUid:\t990\t991\t992\t993\nGid:\t980\t981\t982\t983\n" \
	"Groups:\t4 24 27 \nNStgid:\t7\nCapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n" \
	"CapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n" \
	"NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

static void
every_field_is_read(void **state)
{
	struct procstatus s;
	struct why why;

	(void)state;
	assert_int_equal(procstatus_parse(STATUS, strlen(STATUS), &s, &why), 0);
	assert_string_equal(s.name, "my server");
	assert_int_equal(s.ppid, 1);
	assert_int_equal(s.tracer, 0);
	assert_memory_equal(s.uid, ((uid_t[]){ 990, 991, 992, 993 }), sizeof(s.uid));
	assert_memory_equal(s.gid, ((gid_t[]){ 980, 981, 982, 983 }), sizeof(s.gid));
	assert_int_equal(s.n_groups, 3);
	assert_int_equal(s.groups[2], 27);
	assert_int_equal(s.cap_inheritable, 1);
	assert_int_equal(s.cap_permitted, 2);
	assert_int_equal(s.cap_effective, 4);
	assert_true(s.cap_bounding == UINT64_C(0x1ffffffffff));
	assert_int_equal(s.cap_ambient, 0);
	assert_true(s.no_new_privs);
	assert_int_equal(s.seccomp, 2);
}

/* Replaces a line by another, "" removes it. */
static const struct {
	const char *label, *line, *by;
} broken[] = {
	{ "no Uid", "Uid:\t990\t991\t992\t993\n", "" },
	{ "no CapAmb", "CapAmb:\t0000000000000000\n", "" },
	{ "no NoNewPrivs", "NoNewPrivs:\t1\n", "" },
	{ "three ids", "Uid:\t990\t991\t992\t993\n", "Uid:\t990\t991\t992\n" },
	{ "an id too large", "Uid:\t990\t991\t992\t993\n", "Uid:\t990\t991\t992\t4294967296\n" },
	{ "not hexadecimal", "CapEff:\t0000000000000004\n", "CapEff:\t000000000000000g\n" },
	{ "an empty set", "CapEff:\t0000000000000004\n", "CapEff:\n" },
	{ "a flag of 2", "NoNewPrivs:\t1\n", "NoNewPrivs:\t2\n" },
	{ "a group that is none", "Groups:\t4 24 27 \n", "Groups:\t4 x 27\n" },
	{ "twice", "Seccomp:\t2\n", "Seccomp:\t2\nSeccomp:\t0\n" },
	{ "a name too long", "Name:\tmy server\n",
	    "Name:\t0123456789012345678901234567890123456789012345678901234567890123\n" },
};

static void
an_odd_line_is_an_error_not_a_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(broken); i++) {
		char text[2048];
		const char *at = strstr(STATUS, broken[i].line);
		struct procstatus s;
		struct why why;

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - STATUS), STATUS,
		    broken[i].by, at + strlen(broken[i].line));
		if (procstatus_parse(text, strlen(text), &s, &why) != -EBADMSG)
			fail_msg("%s", broken[i].label);
	}
}

static void
a_cut_file_is_an_error(void **state)
{
	struct procstatus s;
	size_t ok = 0;

	(void)state;
	for (size_t n = 0; n <= strlen(STATUS); n++)
		ok += procstatus_parse(STATUS, n, &s, NULL) == 0;
	/* Only once the last line that we read, "Seccomp:\t2", is there. */
	assert_int_equal(ok, strlen("\nSeccomp_filters:\t1\n") + 1);
}

static void
more_groups_than_are_stored(void **state)
{
	char text[4096], *p = text;
	struct procstatus s;
	const char *at = strstr(STATUS, "4 24 27");

	(void)state;
	p += snprintf(p, 1024, "%.*s", (int)(at - STATUS), STATUS);
	for (int i = 0; i < 200; i++)
		p += snprintf(p, 16, "%d ", 1000 + i);
	(void)snprintf(p, 1024, "%s", at + strlen("4 24 27"));
	assert_int_equal(procstatus_parse(text, strlen(text), &s, NULL), 0);
	assert_int_equal(s.n_groups, 200);
	assert_int_equal(s.groups[PROCSTATUS_GROUPS_MAX - 1], 1000 + PROCSTATUS_GROUPS_MAX - 1);
}

static void
this_process_and_a_child_of_it(void **state)
{
	struct procstatus me, child;
	struct why why;
	int go[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(procstatus_read(0, &me, &why), 0);
	assert_int_equal(me.ppid, getppid());
	assert_int_equal(me.uid[0], getuid());
	assert_int_equal(me.uid[1], geteuid());
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		(void)!write(go[1], "x", 1);
		(void)pause();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(go[0], &c, 1), 1);
	assert_int_equal(procstatus_read(pid, &child, &why), 0);
	assert_int_equal(child.ppid, getpid());
	assert_true(child.no_new_privs);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(procstatus_read(pid, &child, &why), -ESRCH);
	(void)close(go[0]);
	(void)close(go[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(an_odd_line_is_an_error_not_a_zero),
		cmocka_unit_test(a_cut_file_is_an_error),
		cmocka_unit_test(more_groups_than_are_stored),
		cmocka_unit_test(this_process_and_a_child_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
