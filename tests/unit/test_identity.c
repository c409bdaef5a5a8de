/*
 * test_identity.c - launcher/enter/identity.h: rights are given up for good. As root, for real, each
 * case in a child; without root the cases that need it are skipped.
 */
#include "tests/unit/unit.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/procstatus.h"
#include "launcher/enter/identity.h"

#define SOME_ID 61234

/* Exit status 0 of a child is success; anything else says which check failed. */
static void
run(int (*body)(void))
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
nothing_is_left(void)
{
	static const gid_t groups[] = { SOME_ID + 1, SOME_ID + 2 };
	struct procstatus s;

	if (caps_bound(0) < 0 || ids_set_groups(SOME_ID, groups, 2) < 0 ||
	    ids_set_user(SOME_ID, false) < 0 || caps_keep(0) < 0)
		return 1;
	if (procstatus_read(0, &s, NULL) < 0)
		return 2;
	for (int i = 0; i < 4; i++)
		if (s.uid[i] != SOME_ID || s.gid[i] != SOME_ID)
			return 3;
	if (s.n_groups != 2 || s.groups[0] != SOME_ID + 1 || s.groups[1] != SOME_ID + 2)
		return 4;
	if (s.cap_bounding || s.cap_permitted || s.cap_effective || s.cap_inheritable ||
	    s.cap_ambient)
		return 5;
	if (setuid(0) == 0 || setgid(0) == 0 || setresuid(0, 0, 0) == 0)
		return 6;
	return 0;
}

static int
inheritable_and_ambient_do_not_survive(void)
{
	struct capsets sets;
	struct procstatus s;

	if (caps_get(&sets) < 0)
		return 1;
	sets.inheritable = CAP_BIT(CAP_NET_RAW);
	if (caps_set(&sets) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) < 0)
		return 2;
	if (ids_set_user(SOME_ID, false) < 0 || caps_keep(0) < 0 ||
	    procstatus_read(0, &s, NULL) < 0)
		return 3;
	return s.cap_inheritable || s.cap_ambient || s.cap_permitted ? 4 : 0;
}

/* What AmbientCapabilities= does: they outlive the user and an exec, and nothing else does. */
static int
ambient_capabilities_are_only_those(void)
{
	const uint64_t one = CAP_BIT(CAP_NET_RAW);
	struct procstatus s;

	if (caps_bound(one) < 0 || ids_set_user(SOME_ID, true) < 0 || caps_keep(one) < 0 ||
	    ids_set_user(SOME_ID, false) < 0 || procstatus_read(0, &s, NULL) < 0)
		return 1;
	if (s.cap_permitted != one || s.cap_effective != one || s.cap_inheritable != one ||
	    s.cap_ambient != one || s.cap_bounding != one)
		return 2;
	if (caps_keep(one | CAP_BIT(CAP_CHOWN)) == 0)
		return 3;
	return setuid(0) == 0 ? 4 : 0;
}

static int
kept_capabilities_are_only_those(void)
{
	const uint64_t one = CAP_BIT(CAP_SYS_CHROOT);
	const struct capsets sets = { one, one, 0 };
	struct capsets now;

	if (ids_set_user(SOME_ID, true) < 0 || caps_set(&sets) < 0 || caps_get(&now) < 0)
		return 1;
	if (now.permitted != one || now.effective != one || now.inheritable != 0)
		return 2;
	return setuid(0) == 0 ? 3 : 0;
}

static int
bounding_set_keeps_what_it_is_told(void)
{
	struct procstatus s;

	if (caps_bound(CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN)) < 0 ||
	    procstatus_read(0, &s, NULL) < 0)
		return 1;
	return s.cap_bounding == (CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN)) ? 0 : 2;
}

/* Without CAP_SETPCAP the set cannot be cut, and that is an error, not a shrug. */
static int
bounding_set_without_the_right_to(void)
{
	if (ids_set_user(SOME_ID, false) < 0)
		return 1;
	if (caps_bound(0) != -EPERM)
		return 2;
	return caps_bound(CAP_ALL) == 0 ? 0 : 3;
}

static int
groups_without_the_right_to(void)
{
	if (ids_set_user(SOME_ID, false) < 0)
		return 1;
	return ids_set_groups(0, NULL, 0) == -EPERM ? 0 : 2;
}

#define CASE(name) \
	static void test_##name(void **state) \
	{ \
		(void)state; \
		run(name); \
	}
CASE(nothing_is_left)
CASE(inheritable_and_ambient_do_not_survive)
CASE(kept_capabilities_are_only_those)
CASE(ambient_capabilities_are_only_those)
CASE(bounding_set_keeps_what_it_is_told)
CASE(bounding_set_without_the_right_to)
CASE(groups_without_the_right_to)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_inheritable_and_ambient_do_not_survive),
		cmocka_unit_test(test_kept_capabilities_are_only_those),
		cmocka_unit_test(test_ambient_capabilities_are_only_those),
		cmocka_unit_test(test_bounding_set_keeps_what_it_is_told),
		cmocka_unit_test(test_bounding_set_without_the_right_to),
		cmocka_unit_test(test_groups_without_the_right_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
