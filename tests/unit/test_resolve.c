/*
 * test_resolve.c - launcher/load/resolve.h against this machine's own databases.
 */
#include "tests/unit/unit.h"

#include <pwd.h>
#include <string.h>
#include <sys/wait.h>

#include "launcher/load/resolve.h"

static struct resolved who;
static struct why why;

static void
known_names_and_numbers(void **state)
{
	char room[4096];
	struct passwd storage, *p;

	(void)state;
	assert_int_equal(getpwnam_r("daemon", &storage, room, sizeof(room), &p), 0);
	if (!p)
		skip();
	assert_int_equal(resolve_names("daemon", NULL, &who, &why), 0);
	assert_int_equal(who.uid, p->pw_uid);
	assert_int_equal(who.gid, p->pw_gid);
	assert_string_equal(who.name, "daemon");
	assert_string_equal(who.home, p->pw_dir);
	assert_string_equal(who.shell, ""); /* nologin is none worth telling */
	assert_true(who.n_groups >= 1);
	assert_int_equal(who.groups[0], p->pw_gid);
	assert_int_equal(resolve_names("1", NULL, &who, &why), 0);
	assert_string_equal(who.name, "daemon");
	assert_int_equal(resolve_names("0", NULL, &who, &why), 0);
	assert_int_equal(who.uid, 0);
	assert_string_equal(who.home, "/root");
	assert_int_equal(resolve_names("daemon", "0", &who, &why), 0);
	assert_int_equal(who.gid, 0);
	assert_int_equal(resolve_names(NULL, "daemon", &who, &why), 0);
	assert_int_equal(who.gid, p->pw_gid);
	assert_int_equal(who.n_groups, 0);
}

static void
unknown_names_are_named(void **state)
{
	(void)state;
	assert_int_equal(resolve_names("no-such-user", NULL, &who, &why), -ESRCH);
	assert_non_null(strstr(why.text, "no user \"no-such-user\""));
	assert_int_equal(resolve_names("daemon", "no-such-group", &who, &why), -ESRCH);
	assert_non_null(strstr(why.text, "no group \"no-such-group\""));
}

static void
number_without_an_entry_needs_a_group(void **state)
{
	(void)state;
	assert_int_equal(resolve_names("3999999999", NULL, &who, &why), -ESRCH);
	assert_non_null(strstr(why.text, "Group="));
	assert_int_equal(resolve_names("3999999999", "3999999998", &who, &why), 0);
	assert_int_equal(who.uid, 3999999999);
	assert_int_equal(who.gid, 3999999998);
	assert_int_equal(resolve_names("4294967295", "1", &who, &why), -ESRCH); /* (uid_t)-1 */
}

static void
no_child_is_left(void **state)
{
	(void)state;
	assert_int_equal(resolve_names("root", NULL, &who, &why), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names_and_numbers),
		cmocka_unit_test(unknown_names_are_named),
		cmocka_unit_test(number_without_an_entry_needs_a_group),
		cmocka_unit_test(no_child_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
