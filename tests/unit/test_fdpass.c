/*
 * test_fdpass.c - common/fdpass.h: descriptors arrive whole, close-on-exec, and never leak.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fdpass.h"

struct pair {
	int a, b;
};

static unsigned
count_open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static struct pair
pair_open(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static void
pair_close(struct pair *p)
{
	fd_closep(&p->a);
	fd_closep(&p->b);
}

static bool
same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static void
a_message_and_its_descriptors(void **state)
{
	struct pair p = pair_open();
	const unsigned before = count_open_fds();
	int pipes[2], got[4] = { -EBADF, -EBADF, -EBADF, -EBADF };
	char text[16] = "";
	struct fdpass_msg m;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(fdpass_send(p.a, "hello", 5, pipes, 2), 0);
	assert_int_equal(fdpass_recv(p.b, text, sizeof(text), got, 4, &m), 0);
	assert_int_equal(m.len, 5);
	assert_int_equal(m.n_fds, 2);
	assert_int_equal(m.cred.pid, 0);
	assert_string_equal(text, "hello");
	for (int i = 0; i < 2; i++) {
		assert_true(same_file(pipes[i], got[i]));
		assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
		(void)close(pipes[i]);
		(void)close(got[i]);
	}
	assert_int_equal(count_open_fds(), before);
	pair_close(&p);
}

static void
credentials_come_when_asked_for(void **state)
{
	struct pair p = pair_open();
	struct fdpass_msg m;
	const int on = 1;
	char c;

	(void)state;
	assert_int_equal(setsockopt(p.b, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(fdpass_send(p.a, "x", 1, NULL, 0), 0);
	assert_int_equal(fdpass_recv(p.b, &c, 1, NULL, 0, &m), 0);
	assert_int_equal(m.cred.pid, getpid());
	assert_int_equal(m.cred.uid, getuid());
	pair_close(&p);
}

static void
descriptors_nobody_asked_for_are_closed(void **state)
{
	struct pair p = pair_open();
	const unsigned before = count_open_fds();
	int got[2] = { -EBADF, -EBADF };
	struct fdpass_msg m;
	char c;

	(void)state;
	assert_int_equal(fdpass_send(p.a, "x", 1, (const int[]){ 0, 1, 2 }, 3), 0);
	assert_int_equal(fdpass_recv(p.b, &c, 1, got, 2, &m), -E2BIG);
	assert_int_equal(fdpass_send(p.a, "x", 1, (const int[]){ 0 }, 1), 0);
	assert_int_equal(fdpass_recv(p.b, &c, 1, NULL, 0, &m), -E2BIG);
	assert_int_equal(count_open_fds(), before);
	pair_close(&p);
}

static void
a_message_too_long_is_consumed_and_its_descriptors_closed(void **state)
{
	struct pair p = pair_open();
	const unsigned before = count_open_fds();
	int got[2];
	struct fdpass_msg m;
	char c;

	(void)state;
	assert_int_equal(fdpass_send(p.a, "long", 4, (const int[]){ 0, 1 }, 2), 0);
	assert_int_equal(fdpass_send(p.a, "y", 1, NULL, 0), 0);
	assert_int_equal(fdpass_recv(p.b, &c, 1, got, 2, &m), -EMSGSIZE);
	assert_int_equal(count_open_fds(), before);
	assert_int_equal(fdpass_recv(p.b, &c, 1, got, 2, &m), 0);
	assert_int_equal(c, 'y');
	pair_close(&p);
}

static void
the_most_that_a_message_can_carry(void **state)
{
	struct pair p = pair_open();
	const unsigned before = count_open_fds();
	int many[FDPASS_MAX + 1], got[FDPASS_MAX];
	struct fdpass_msg m;
	char c;

	(void)state;
	for (int i = 0; i < FDPASS_MAX + 1; i++)
		many[i] = STDIN_FILENO;
	assert_int_equal(fdpass_send(p.a, "x", 1, many, FDPASS_MAX + 1), -E2BIG);
	assert_int_equal(fdpass_send(p.a, "x", 1, many, FDPASS_MAX), 0);
	assert_int_equal(fdpass_recv(p.b, &c, 1, got, FDPASS_MAX, &m), 0);
	assert_int_equal(m.n_fds, FDPASS_MAX);
	for (size_t i = 0; i < m.n_fds; i++)
		(void)close(got[i]);
	assert_int_equal(count_open_fds(), before);
	pair_close(&p);
}

static void
nothing_there_and_nobody_there(void **state)
{
	struct pair p = pair_open();
	struct fdpass_msg m;
	char c;

	(void)state;
	assert_int_equal(fdpass_recv(p.b, &c, 1, NULL, 0, &m), -EAGAIN);
	fd_closep(&p.a);
	assert_int_equal(fdpass_recv(p.b, &c, 1, NULL, 0, &m), -ESHUTDOWN);
	assert_int_equal(fdpass_send(p.b, "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
	pair_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_and_its_descriptors),
		cmocka_unit_test(credentials_come_when_asked_for),
		cmocka_unit_test(descriptors_nobody_asked_for_are_closed),
		cmocka_unit_test(a_message_too_long_is_consumed_and_its_descriptors_closed),
		cmocka_unit_test(the_most_that_a_message_can_carry),
		cmocka_unit_test(nothing_there_and_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
