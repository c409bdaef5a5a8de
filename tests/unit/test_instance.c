/*
 * test_instance.c - launcher/monitor/instance.c: whom the monitor believes to be an instance. The
 * test is the monitor; the one service's user is its own.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "launcher/load/build.h"
#include "launcher/monitor/monitor.h"

static struct monitor m;
static struct why why;

static const struct plan *
make_plan(void)
{
	const struct plan *p;
	struct build b;
	struct plan_unit *u;
	int fd = -EBADF;

	assert_int_equal(build_init(&b, &why), 0);
	u = build_unit(&b, UNIT_SERVICE, "echo@.service");
	u->is_template = u->spawns = true;
	u->exec.has_user = true;
	u->exec.uid = getuid();
	u = build_unit(&b, UNIT_SERVICE, "other.service");
	u->exec.has_user = true;
	u->exec.uid = getuid();
	assert_int_equal(build_freeze(&b, &fd, &why), 0);
	build_done(&b);
	assert_int_equal(plan_map(fd, &p, &why), 0);
	assert_int_equal(close(fd), 0);
	return p;
}

static int
begin(void **state)
{
	(void)state;
	m = (struct monitor){ .plan = make_plan(), .n_instances = 8, .n_used = 1 };
	m.instances = calloc(m.n_instances, sizeof(m.instances[0]));
	m.pids = calloc(m.n_instances, sizeof(m.pids[0]));
	m.manager.sock = -EBADF;
	m.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_true(m.instances && m.pids && m.epoll_fd >= 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	plan_unmap(m.plan);
	free(m.instances);
	free(m.pids);
	(void)fd_close(m.epoll_fd);
	return 0;
}

/* START of an instance that somebody else forks. Return: what its status socket's far end is. */
static int
ask(bool with_credentials)
{
	struct msg q = msg_make(MSG_START);
	int pair[2], on = with_credentials;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	q.slot = COMMAND_START;
	q.flags = MSG_START_SPAWNED;
	assert_int_equal(instance_start(&m, &q, &pair[0]), 0);
	assert_int_equal(pair[0], -EBADF); /* it has it */
	assert_int_equal(m.instances[m.n_used - 1].state, INSTANCE_ASKED);
	return pair[1];
}

static enum instance_state
settled(void)
{
	instance_settle(&m, m.n_used - 1);
	return m.instances[m.n_used - 1].state;
}

static void
say_here(int fd)
{
	const struct enter_failure f = { .step = ENTER_FOUND, .error = 1 /* not who it is */ };

	assert_int_equal(write(fd, &f, sizeof(f)), sizeof(f));
}

/* A child that says it is there, as this user, and waits for its end. */
static pid_t
child_here(int fd, uid_t uid)
{
	const pid_t pid = fork();

	if (pid == 0) {
		if (uid != getuid() && setresuid(uid, uid, uid) < 0)
			_exit(1);
		say_here(fd);
		(void)pause();
		_exit(0);
	}
	for (char byte; recv(m.instances[m.n_used - 1].status_fd, &byte, 1, MSG_PEEK) < 0;)
		assert_int_equal(errno, EINTR);
	return pid;
}

static void
bury(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
child_that_says_so_is_an_instance(void **state)
{
	int fd = ask(true);
	const pid_t pid = child_here(fd, getuid());

	(void)state;
	assert_int_equal(settled(), INSTANCE_EXECUTING);
	assert_int_equal(m.pids[1], pid);
	assert_int_equal(m.n_asked, 0);
	fd_closep(&fd); /* the child has a copy: it has not executed */
	assert_int_equal(settled(), INSTANCE_EXECUTING);
	bury(pid);
	assert_int_equal(settled(), INSTANCE_RUNNING);
	assert_true(m.instances[1].owes_started && m.instances[1].error == 0);
}

static void
one_that_ended_already_is_known_by_its_last_words(void **state)
{
	int fd = ask(true);
	const pid_t pid = child_here(fd, getuid());

	(void)state;
	bury(pid);
	fd_closep(&fd);
	assert_true(instance_reaped(&m, pid, CLD_KILLED, SIGKILL));
	assert_int_equal(m.pids[1], pid);
	assert_true(m.instances[1].owes_started && m.instances[1].owes_exited);
	assert_int_equal(m.instances[1].error, 0);
	assert_false(instance_reaped(&m, pid, CLD_KILLED, SIGKILL)); /* once */
}

static void
who_is_no_child_is_none(void **state)
{
	int fd = ask(true);

	(void)state;
	say_here(fd); /* the monitor itself */
	assert_int_equal(settled(), INSTANCE_GONE);
	assert_int_equal(m.pids[1], 0);
	assert_int_equal(m.instances[1].error, ECHILD);
	fd_closep(&fd);
}

static void
who_is_of_another_user_is_none(void **state)
{
	int fd;
	pid_t pid;

	(void)state;
	if (getuid() != 0)
		skip();
	fd = ask(true);
	pid = child_here(fd, 12345);
	assert_int_equal(settled(), INSTANCE_GONE);
	assert_int_equal(m.pids[1], 0);
	bury(pid);
	fd_closep(&fd);
}

static void
who_is_known_already_is_none(void **state)
{
	int fd = ask(true), again;
	const pid_t pid = child_here(fd, getuid());

	(void)state;
	assert_int_equal(settled(), INSTANCE_EXECUTING);
	bury(pid);
	again = ask(true);
	m.pids[0] = child_here(again, getuid()); /* the manager */
	assert_int_equal(settled(), INSTANCE_GONE);
	bury(m.pids[0]);
	fd_closep(&fd);
	fd_closep(&again);
}

static void
without_the_kernels_word_there_is_none(void **state)
{
	int fd = ask(false);
	const pid_t pid = child_here(fd, getuid());

	(void)state;
	assert_int_equal(settled(), INSTANCE_GONE);
	bury(pid);
	fd_closep(&fd);
}

static void
other_messages_and_silence_are_no_instance(void **state)
{
	const struct enter_failure wrong = { .step = ENTER_EXEC, .error = ENOENT };
	int fd = ask(true);

	(void)state;
	assert_int_equal(settled(), INSTANCE_ASKED); /* nothing yet */
	assert_int_equal(write(fd, &wrong, sizeof(wrong)), sizeof(wrong));
	assert_int_equal(settled(), INSTANCE_GONE);
	fd_closep(&fd);
	fd = ask(true);
	assert_int_equal(write(fd, "xyz", 3), 3);
	assert_int_equal(settled(), INSTANCE_GONE);
	fd_closep(&fd);
	fd = ask(true);
	fd_closep(&fd);
	assert_int_equal(settled(), INSTANCE_GONE);
	assert_int_equal(m.n_asked, 0);
}

static void
signalled_before_it_spoke_it_never_will(void **state)
{
	const struct enter_failure here = { .step = ENTER_FOUND };
	struct msg q = msg_make(MSG_SIGNAL);
	int fd = ask(true);

	(void)state;
	q.instance = (struct msg_instance_id){ 1, m.instances[1].generation };
	q.signo = SIGKILL;
	assert_int_equal(instance_signal(&m, &q, &why), 0);
	assert_int_equal(send(fd, &here, sizeof(here), MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(settled(), INSTANCE_GONE);
	fd_closep(&fd);
}

static void
only_a_template_that_may_has_a_spawner(void **state)
{
	struct msg q = msg_make(MSG_START);
	int fd = -EBADF;

	(void)state;
	q.unit = 1;
	q.slot = COMMAND_SPAWN;
	q.flags = MSG_START_CONNECTION;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	q.slot = COMMAND_START;
	q.flags = MSG_START_SPAWNED;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	q.unit = 0;
	q.slot = COMMAND_SPAWN;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	q.flags = 0;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	q.slot = COMMAND_STOP;
	q.flags = MSG_START_SPAWNED;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	q.slot = COMMAND_START;
	q.flags = MSG_START_SPAWNED | MSG_START_CONNECTION;
	assert_int_equal(instance_start(&m, &q, &fd), -EPROTO);
	assert_int_equal(m.n_used, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(child_that_says_so_is_an_instance, begin, end),
		cmocka_unit_test_setup_teardown(
		    one_that_ended_already_is_known_by_its_last_words, begin, end),
		cmocka_unit_test_setup_teardown(who_is_no_child_is_none, begin, end),
		cmocka_unit_test_setup_teardown(who_is_of_another_user_is_none, begin, end),
		cmocka_unit_test_setup_teardown(who_is_known_already_is_none, begin, end),
		cmocka_unit_test_setup_teardown(without_the_kernels_word_there_is_none, begin, end),
		cmocka_unit_test_setup_teardown(
		    other_messages_and_silence_are_no_instance, begin, end),
		cmocka_unit_test_setup_teardown(
		    signalled_before_it_spoke_it_never_will, begin, end),
		cmocka_unit_test_setup_teardown(only_a_template_that_may_has_a_spawner, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
