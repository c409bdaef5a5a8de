/*
 * test_manager.c - launcher/manager as a process, confined as ever, with test code as the monitor.
 */
#include "tests/unit/manager_fixture.h"

#include <string.h>
#include <sys/wait.h>

static void
traffic_starts_the_service_once(void **state)
{
	struct fixture *f = *state;
	struct msg start;
	int client;

	fixture_plan(f);
	fixture_boot(f);
	client = fixture_connect(f);
	assert_true(fixture_silent(f, 50)); /* not before SETTLED */
	fixture_settle(f);
	start = fixture_expect(f, MSG_START);
	assert_int_equal(start.unit, UNIT_WEB);
	assert_int_equal(start.slot, COMMAND_START);
	(void)fixture_started(f, &start);
	fixture_await(f, "web.service", "ActiveState=active");
	fixture_await(f, "web.socket", "SubState=running");
	assert_true(fixture_silent(f, 50)); /* the connection still waits, and is the server's */
	(void)close(client);
}

static void
clean_end_makes_the_socket_listen_again(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg start;

	fixture_up(f);
	id = fixture_web_running(f);
	fixture_exited(f, UNIT_WEB, id, CLD_EXITED, 0);
	fixture_await(f, "web.socket", "SubState=listening");
	fixture_await(f, "web.service", "ActiveState=inactive");
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	assert_int_equal(start.unit, UNIT_WEB);
}

static void
crash_is_restarted_after_the_delay(void **state)
{
	struct fixture *f = *state;
	struct msg start;

	f->restart_usec = 300000;
	fixture_up(f);
	fixture_exited(f, UNIT_WEB, fixture_web_running(f), CLD_KILLED, SIGSEGV);
	fixture_await(f, "web.service", "SubState=auto-restart");
	fixture_await(f, "web.service", "Result=signal");
	assert_true(fixture_silent(f, 100));
	start = fixture_expect(f, MSG_START);
	(void)fixture_started(f, &start);
	fixture_await(f, "web.service", "SubState=running");
	fixture_await(f, "web.service", "NRestarts=1");
}

static void
notify_service_is_up_when_it_says_so(void **state)
{
	struct fixture *f = *state;
	struct msg start;

	f->type = SERVICE_NOTIFY;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	(void)fixture_started(f, &start);
	fixture_await(f, "web.service", "SubState=start");
	fixture_notify(f, "STATUS=warming up");
	fixture_await(f, "web.service", "StatusText=warming up");
	fixture_await(f, "web.service", "SubState=start");
	fixture_notify(f, "READY=1\nSTATUS=serving");
	fixture_await(f, "web.service", "SubState=running");
	fixture_await(f, "web.service", "StatusText=serving");
}

/* A quick server says READY=1 before the monitor has noticed that it executed. */
static void
ready_before_started_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct msg start;

	f->type = SERVICE_NOTIFY;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	fixture_notify(f, "READY=1");
	assert_true(fixture_silent(f, 50));
	(void)fixture_started(f, &start);
	fixture_await(f, "web.service", "SubState=running");
}

static void
last_words_count_before_the_death(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg start;

	f->type = SERVICE_NOTIFY;
	f->restart_usec = 60000000;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	assert_int_equal(kill(f->pid, SIGSTOP), 0); /* so that it finds both at once */
	id = fixture_started(f, &start);
	fixture_notify(f, "READY=1\nSTATUS=disk full\nERRNO=28");
	fixture_exited(f, UNIT_WEB, id, CLD_EXITED, 1);
	assert_int_equal(kill(f->pid, SIGCONT), 0);
	/* Had READY come too late, the result would be the same but never have been active. */
	fixture_await(f, "web.service", "SubState=auto-restart");
	fixture_await(f, "web.service", "StatusErrno=28");
	fixture_await(f, "web.service", "StatusText=disk full");
}

static void
stranger_on_the_notify_socket_is_not_heard(void **state)
{
	struct fixture *f = *state;
	struct msg start, m = msg_make(MSG_STARTED);

	f->type = SERVICE_NOTIFY;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	m.seq = start.seq;
	m.unit = UNIT_WEB;
	m.instance = (struct msg_instance_id){ 1, 1 };
	m.pid = 1; /* not us */
	fixture_say(f, &m);
	fixture_notify(f, "READY=1\nSTATUS=I am not it");
	fixture_await(f, "web.service", "MainPID=1");
	fixture_await(f, "web.service", "SubState=start");
	fixture_await(f, "web.service", "StatusText=");
}

static void
clean_end_without_ready_is_a_failure(void **state)
{
	struct fixture *f = *state;
	struct msg start;

	f->type = SERVICE_NOTIFY;
	f->restart_usec = 60000000;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	fixture_exited(f, UNIT_WEB, fixture_started(f, &start), CLD_EXITED, 0);
	fixture_await(f, "web.service", "Result=protocol");
}

static void
stop_asks_then_kills(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg sig;
	int operator;

	f->timeout_usec = 200000;
	fixture_up(f);
	id = fixture_web_running(f);
	operator= fixture_ask(f, CONTROL_STOP, "web.service", 0, getuid());
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_int_equal(sig.signo, SIGTERM);
	assert_int_equal(sig.flags, MSG_SIGNAL_GROUP);
	assert_memory_equal(&sig.instance, &id, sizeof(id));
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_int_equal(sig.signo, SIGCONT);
	fixture_await(f, "web.service", "SubState=stop-sigterm");
	sig = fixture_expect(f, MSG_SIGNAL); /* it did not listen */
	assert_int_equal(sig.signo, SIGKILL);
	fixture_exited(f, UNIT_WEB, id, CLD_KILLED, SIGKILL);
	assert_int_equal(fixture_answer(operator, NULL, 0), 0);
	fixture_await(f, "web.service", "ActiveState=failed");
	fixture_await(f, "web.service", "Result=timeout");
	assert_true(fixture_silent(f, 200)); /* and is not restarted: it was to stop */
	assert_int_equal(fixture_do(f, CONTROL_RESET_FAILED, "web.service"), 0);
	fixture_await(f, "web.service", "ActiveState=inactive");
}

/* Who it is becomes known only by STARTED: the signal waits for that. */
static void
stop_reaches_what_was_just_asked_for(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg start, sig;
	int operator;

	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	operator= fixture_ask(f, CONTROL_STOP, "web.service", 0, getuid());
	fixture_await(f, "web.service", "SubState=stop-sigterm");
	id = fixture_started(f, &start);
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_int_equal(sig.signo, SIGTERM);
	assert_memory_equal(&sig.instance, &id, sizeof(id));
	fixture_exited(f, UNIT_WEB, id, CLD_KILLED, SIGTERM);
	assert_int_equal(fixture_answer(operator, NULL, 0), 0);
}

static void
start_that_takes_too_long_is_stopped(void **state)
{
	struct fixture *f = *state;
	struct msg start, sig;
	int operator;

	f->type = SERVICE_NOTIFY;
	f->timeout_usec = 150000;
	fixture_up(f);
	operator= fixture_ask(f, CONTROL_START, "web.service", 0, getuid());
	start = fixture_expect(f, MSG_START);
	(void)fixture_started(f, &start);
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_int_equal(sig.signo, SIGTERM);
	fixture_exited(f, UNIT_WEB, sig.instance, CLD_KILLED, SIGTERM);
	assert_int_equal(fixture_answer(operator, NULL, 0), EIO);
	fixture_await(f, "web.service", "Result=timeout");
}

static void
image_that_cannot_be_executed_fails_the_start(void **state)
{
	struct fixture *f = *state;
	struct msg start, m = msg_make(MSG_STARTED);
	int operator;

	f->restart_usec = 60000000;
	fixture_up(f);
	operator= fixture_ask(f, CONTROL_START, "web.service", 0, getuid());
	start = fixture_expect(f, MSG_START);
	m.seq = start.seq;
	m.unit = UNIT_WEB;
	m.instance = (struct msg_instance_id){ 3, 3 };
	m.pid = getpid();
	m.error = ENOENT;
	fixture_say(f, &m);
	fixture_exited(f, UNIT_WEB, m.instance, CLD_EXITED, 203);
	assert_int_equal(fixture_answer(operator, NULL, 0), EIO);
	fixture_await(f, "web.service", "Result=exit-code");
	fixture_await(f, "web.service", "ExecMainStatus=203");
}

static void
fork_that_failed_fails_the_start(void **state)
{
	struct fixture *f = *state;
	struct msg start, m = msg_make(MSG_STARTED);
	int operator;

	f->restart_usec = 60000000;
	fixture_up(f);
	operator= fixture_ask(f, CONTROL_START, "web.service", 0, getuid());
	start = fixture_expect(f, MSG_START);
	m.seq = start.seq;
	m.unit = UNIT_WEB;
	m.error = EAGAIN;
	fixture_say(f, &m);
	assert_int_equal(fixture_answer(operator, NULL, 0), EIO);
	fixture_await(f, "web.service", "Result=resources");
}

/* One command after the other; returns the instance of this one. */
static struct msg_instance_id
job_runs(struct fixture *f, uint32_t slot, uint32_t command)
{
	const struct msg start = fixture_expect(f, MSG_START);

	assert_int_equal(start.unit, UNIT_JOB);
	assert_int_equal(start.slot, slot);
	assert_int_equal(start.command, command);
	return fixture_started(f, &start);
}

static void
commands_run_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id main;
	int operator;

	fixture_up(f);
	operator= fixture_ask(f, CONTROL_START, "job.service", 0, getuid());
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_START_PRE, 0), CLD_EXITED, 0);
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_START_PRE, 1), CLD_EXITED, 0);
	main = job_runs(f, COMMAND_START, 0);
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_START_POST, 0), CLD_EXITED, 0);
	assert_int_equal(fixture_answer(operator, NULL, 0), 0);
	fixture_await(f, "job.service", "SubState=running");
	operator= fixture_ask(f, CONTROL_STOP, "job.service", 0, getuid());
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_STOP, 0), CLD_EXITED, 0);
	assert_int_equal(fixture_expect(f, MSG_SIGNAL).signo, SIGTERM);
	assert_int_equal(fixture_expect(f, MSG_SIGNAL).signo, SIGCONT);
	fixture_exited(f, UNIT_JOB, main, CLD_KILLED, SIGTERM);
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_STOP_POST, 0), CLD_EXITED, 0);
	assert_int_equal(fixture_answer(operator, NULL, 0), 0);
	fixture_await(f, "job.service", "Result=success");
}

static void
failed_command_before_the_start_ends_it(void **state)
{
	struct fixture *f = *state;
	int operator;

	f->restart_usec = 60000000;
	fixture_up(f);
	operator= fixture_ask(f, CONTROL_START, "job.service", 0, getuid());
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_START_PRE, 0), CLD_EXITED, 3);
	fixture_exited(f, UNIT_JOB, job_runs(f, COMMAND_STOP_POST, 0), CLD_EXITED, 0);
	assert_int_equal(fixture_answer(operator, NULL, 0), EIO);
	fixture_await(f, "job.service", "Result=exit-code");
}

static void
service_that_leaves_its_traffic_is_not_started_for_ever(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	fixture_up(f);
	(void)fixture_connect(f);
	while (!fixture_silent(f, 300)) {
		const struct msg start = fixture_expect(f, MSG_START);

		fixture_exited(f, UNIT_WEB, fixture_started(f, &start), CLD_EXITED, 0);
		if (++n > 100)
			fail_msg("started for ever");
	}
	assert_int_equal(n, 15);
	fixture_await(f, "web.socket", "SubState=listening");
	(void)fixture_expect(f, MSG_START); /* and comes back by itself */
}

static void
shutdown_stops_all_and_leaves(void **state)
{
	struct fixture *f = *state;
	const struct msg shutdown = msg_make(MSG_SHUTDOWN);
	struct msg sig;

	fixture_up(f);
	(void)fixture_web_running(f);
	fixture_say(f, &shutdown);
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_int_equal(sig.signo, SIGTERM);
	(void)fixture_expect(f, MSG_SIGNAL);
	(void)fixture_connect(f);
	assert_true(fixture_silent(f, 50));
	fixture_exited(f, UNIT_WEB, sig.instance, CLD_KILLED, SIGTERM);
	assert_int_equal(fixture_end(f), 0);
}

static void
only_the_owner_changes_things(void **state)
{
	struct fixture *f = *state;
	char text[CONTROL_PACKET_MAX * 3];

	if (getuid() != 0)
		skip(); /* takes root to be somebody else */
	fixture_up(f);
	assert_int_equal(
	    fixture_answer(fixture_ask(f, CONTROL_START, "web.service", 0, 12345), NULL, 0), EPERM);
	assert_true(fixture_silent(f, 50));
	assert_int_equal(
	    fixture_answer(fixture_ask(f, CONTROL_SHOW, "", 0, 12345), text, sizeof(text)), 0);
	assert_non_null(strstr(text, "Id=web.socket\n"));
	assert_non_null(strstr(text, "Id=job.service\n"));
	assert_int_equal(fixture_do(f, CONTROL_START, "nothing.service"), ENOENT);
	assert_int_equal(fixture_do(f, CONTROL_KILL, "web.service"), ESRCH);
}

static void
strangers_cannot_lock_the_owner_out(void **state)
{
	struct fixture *f = *state;
	int fds[40];

	if (getuid() != 0)
		skip(); /* takes root to be somebody else */
	fixture_up(f);
	fixture_await(f, "web.socket", "SubState=listening");
	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		fds[i] = fixture_client(f, 12345);
	fixture_await(f, "web.socket", "SubState=listening");
	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		(void)close(fds[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGER_TEST(traffic_starts_the_service_once),
		MANAGER_TEST(clean_end_makes_the_socket_listen_again),
		MANAGER_TEST(crash_is_restarted_after_the_delay),
		MANAGER_TEST(notify_service_is_up_when_it_says_so),
		MANAGER_TEST(ready_before_started_is_not_lost),
		MANAGER_TEST(last_words_count_before_the_death),
		MANAGER_TEST(stranger_on_the_notify_socket_is_not_heard),
		MANAGER_TEST(clean_end_without_ready_is_a_failure),
		MANAGER_TEST(stop_asks_then_kills),
		MANAGER_TEST(stop_reaches_what_was_just_asked_for),
		MANAGER_TEST(start_that_takes_too_long_is_stopped),
		MANAGER_TEST(image_that_cannot_be_executed_fails_the_start),
		MANAGER_TEST(fork_that_failed_fails_the_start),
		MANAGER_TEST(commands_run_in_their_order),
		MANAGER_TEST(failed_command_before_the_start_ends_it),
		MANAGER_TEST(service_that_leaves_its_traffic_is_not_started_for_ever),
		MANAGER_TEST(shutdown_stops_all_and_leaves),
		MANAGER_TEST(only_the_owner_changes_things),
		MANAGER_TEST(strangers_cannot_lock_the_owner_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
