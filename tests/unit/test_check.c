/*
 * test_check.c - launcher/ctl/check.h: what `sallyport check` prints, to the letter.
 */
#include "tests/unit/units.h"

#include <sys/wait.h>

#include "launcher/ctl/check.h"

static void
findings_read_as_a_compilers(void **state)
{
	struct units u;
	char want[1024];
	_cleanup_buf_ struct buf out;

	(void)state;
	units_init(&u);
	buf_init_heap(&out, 1 << 20);
	units_write(&u, "x.service",
	    "[Unit]\nDocumentation=man:x\n[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
	assert_int_equal(units_load_one(&u, "x.service"), -EINVAL);
	check_findings(&u.diag, &out);
	(void)snprintf(want, sizeof(want),
	    "%s/x.service:2: noted: Unit.Documentation=man:x: is for people\n"
	    "%s/x.service:4: enforced: Service.ExecStart=/bin/true\n"
	    "%s/x.service:5: refused: Service.PrivateTmp=yes: ",
	    u.dir, u.dir, u.dir);
	assert_true(str_starts(buf_cstr(&out), want));
	units_done(&u);
}

static void
plan_reads_as_a_unit_file(void **state)
{
	struct units u;
	_cleanup_buf_ struct buf out;

	(void)state;
	units_init(&u);
	buf_init_heap(&out, 1 << 20);
	units_write(&u, "x.socket", "[Socket]\nListenStream=@b\nListenStream=21502\n");
	units_write(
	    &u, "x.service", "[Service]\nExecStart=/bin/true a\nEnvironment=A=1 \"B=2 3\"\n");
	assert_int_equal(units_load_one(&u, "x.socket"), 0);
	check_plan(u.plan, &out);
	assert_non_null(strstr(buf_cstr(&out), "\n# x.socket, opened at start\n"));
	assert_non_null(strstr(buf_cstr(&out), "ListenStream=@b\nListenStream=[::]:21502\n"));
	assert_non_null(strstr(buf_cstr(&out), "Service=x.service\n"));
	assert_non_null(strstr(buf_cstr(&out), "\n# x.service, started on demand\n"));
	assert_non_null(strstr(buf_cstr(&out), "Environment=A=1\nEnvironment=B=2 3\n"));
	assert_non_null(strstr(buf_cstr(&out), "Sockets=x.socket\n"));
	units_done(&u);
}

/* The verb itself, in a child whose output is read. */
static int
run_check(const char *const *argv, int argc, char *out, size_t size)
{
	FILE *f;
	size_t n;
	int status;
	pid_t pid;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)dup2(fds[1], STDERR_FILENO);
		_exit(check_main(argc, (char **)(uintptr_t)argv));
	}
	(void)close(fds[1]);
	f = fdopen(fds[0], "r");
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	(void)fclose(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
exit_code_says_what_the_findings_say(void **state)
{
	struct units u;
	char out[65536];
	const char *good[] = { "check", "--allow-root-services", "--unit-path", NULL, "x.service",
		NULL };
	const char *json[] = { "check", "--json", "--unit-path", NULL, "--unenforced", "PrivateTmp",
		"--allow-root-services", "y.service", NULL };
	const char *bad[] = { "check", "--allow-root-services", "--unit-path", NULL, "y.service",
		NULL };
	const char *none[] = { "check", NULL };

	(void)state;
	units_init(&u);
	good[3] = json[3] = bad[3] = u.dir;
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "y.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
	assert_int_equal(run_check(good, 5, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "# x.service, started at once"));
	assert_int_equal(run_check(bad, 5, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "refused: Service.PrivateTmp"));
	assert_int_equal(run_check(json, 8, out, sizeof(out)), 0);
	assert_true(str_starts(out, "{\"version\":1,\"ok\":true,\"findings\":[{\"level\":"));
	assert_int_equal(run_check(none, 1, out, sizeof(out)), 64);
	assert_non_null(strstr(out, "usage: sallyport check"));
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_read_as_a_compilers),
		cmocka_unit_test(plan_reads_as_a_unit_file),
		cmocka_unit_test(exit_code_says_what_the_findings_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
