/*
 * test_fds.c - launcher/enter/fds.h: whatever the numbers were, the right file ends in each place.
 * Every case runs in a child, since it rearranges the whole process.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "launcher/enter/fds.h"

/* Three files that can be told apart, on the numbers a case asks for. */
static ino_t
file_on(int fd)
{
	const int made = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat st;

	if (made < 0 || fstat(made, &st) < 0 || (made != fd && dup2(made, fd) < 0))
		_exit(2);
	if (made != fd)
		(void)close(made);
	return st.st_ino;
}

static bool
is_file(int fd, ino_t want)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == want;
}

/* In the child: exit code 0 when all is as it should be, else a number that says what is not. */
static int
arrange_case(const int from[3], int keep_from)
{
	ino_t ino[3], kept = 0;
	int keep = keep_from;

	(void)close_range(3, ~0u, 0);
	for (int i = 0; i < 3; i++)
		ino[i] = file_on(from[i]);
	if (keep_from >= 0)
		kept = file_on(keep_from);
	(void)file_on(200); /* must be gone afterwards */
	if (fds_arrange(from, 3, 3, keep_from >= 0 ? &keep : NULL) < 0)
		return 10;
	for (int i = 0; i < 3; i++)
		if (!is_file(3 + i, ino[i]) || fcntl(3 + i, F_GETFD) != 0)
			return 20 + i;
	if (keep_from >= 0 && (!is_file(keep, kept) || fcntl(keep, F_GETFD) != FD_CLOEXEC))
		return 30;
	for (int fd = 3; fd < 300; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && fd > 5 && fd != keep)
			return 40;
	return 0;
}

static void
every_order_and_overlap(void **state)
{
	static const struct {
		const char *label;
		int from[3], keep;
	} cases[] = {
		{ "in place already", { 3, 4, 5 }, -1 },
		{ "rotated", { 4, 5, 3 }, -1 },
		{ "reversed", { 5, 4, 3 }, 6 },
		{ "far away", { 50, 51, 52 }, 53 },
		{ "the kept one sits in a target place", { 50, 51, 52 }, 4 },
		{ "half in the way", { 5, 100, 3 }, 6 },
		{ "the kept one is where it will be", { 7, 8, 9 }, 6 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		int status = 0;
		const pid_t pid = fork();

		if (pid == 0)
			_exit(arrange_case(cases[i].from, cases[i].keep));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%s: status %x", cases[i].label, (unsigned)status);
	}
}

static void
the_same_one_twice(void **state)
{
	int status = 0;
	const pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		const int twice[2] = { 9, 9 };
		const ino_t ino = file_on(9);

		_exit(fds_arrange(twice, 2, 3, NULL) == 0 && is_file(3, ino) && is_file(4, ino)
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
nonblock_is_set_and_cleared(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fds_nonblock(p[0], true), 0);
	assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fds_nonblock(p[0], false), 0);
	assert_false(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fds_nonblock(-1, true), -EBADF);
	(void)close(p[0]);
	(void)close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_and_overlap),
		cmocka_unit_test(the_same_one_twice),
		cmocka_unit_test(nonblock_is_set_and_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
