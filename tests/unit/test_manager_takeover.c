/*
 * test_manager_takeover.c - launcher/manager/takeover.h: what a manager makes of what it finds, and when it
 * gives up. As a process, with test code as the monitor.
 */
#include "tests/unit/manager_fixture.h"

#include <sysexits.h>

static void
successor_knows_what_runs(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg sig;

	f->type = SERVICE_NOTIFY;
	fixture_up(f);
	id = fixture_web_running(f);
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(fixture_end(f), -SIGKILL);
	fixture_boot(f);
	fixture_instance(f, UNIT_WEB, id, true);
	fixture_settle(f);
	fixture_await(f, "web.service", "SubState=running");
	fixture_await(f, "web.service", "StatusText=serving");
	fixture_await(f, "web.socket", "SubState=running");
	assert_true(fixture_silent(f, 50)); /* nothing is started twice */
	assert_int_equal(
	    fixture_answer(
		fixture_ask(f, CONTROL_STOP, "web.service", CONTROL_NO_BLOCK, getuid()), NULL, 0),
	    0);
	sig = fixture_expect(f, MSG_SIGNAL);
	assert_memory_equal(&sig.instance, &id, sizeof(id));
}

static void
successor_finishes_a_start(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id;
	struct msg start;

	f->type = SERVICE_NOTIFY;
	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	id = fixture_started(f, &start);
	fixture_await(f, "web.service", "SubState=start");
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(fixture_end(f), -SIGKILL);
	fixture_notify(f, "READY=1"); /* said while nobody listens */
	fixture_boot(f);
	fixture_instance(f, UNIT_WEB, id, true);
	fixture_settle(f);
	fixture_await(f, "web.service", "SubState=running");
}

/* STARTED of a request that its predecessor made. */
static void
successor_hears_that_the_image_was_executed(void **state)
{
	struct fixture *f = *state;
	struct msg_instance_id id = { 9, 9 };
	struct msg start, m = msg_make(MSG_STARTED);

	fixture_up(f);
	(void)fixture_connect(f);
	start = fixture_expect(f, MSG_START);
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(fixture_end(f), -SIGKILL);
	fixture_boot(f);
	fixture_instance(f, UNIT_WEB, id, false);
	fixture_settle(f);
	fixture_await(f, "web.service", "SubState=start");
	m.seq = start.seq;
	m.unit = UNIT_WEB;
	m.instance = id;
	m.pid = getpid();
	fixture_say(f, &m);
	fixture_await(f, "web.service", "SubState=running");
}

/* Its predecessor's request never arrived, or its end was told to the predecessor. */
static void
successor_starts_again_what_was_lost(void **state)
{
	struct fixture *f = *state;

	fixture_up(f);
	(void)fixture_web_running(f);
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(fixture_end(f), -SIGKILL);
	fixture_boot(f);
	fixture_settle(f);
	assert_int_equal(fixture_expect(f, MSG_START).unit, UNIT_WEB);
}

static void
notebook_full_of_rubbish_is_as_if_empty(void **state)
{
	struct fixture *f = *state;
	char rubbish[3 * HERITAGE_NOTEBOOK_UNIT_BYTES];

	fixture_plan(f);
	for (size_t i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = (char)(i * 7 + 1);
	assert_int_equal(pwrite(f->notebook, rubbish, sizeof(rubbish), 0), sizeof(rubbish));
	fixture_boot(f);
	fixture_instance(f, UNIT_WEB, (struct msg_instance_id){ 2, 2 }, true);
	fixture_settle(f);
	fixture_await(f, "web.service", "SubState=running");
	fixture_await(f, "job.service", "SubState=dead");
}

static void
monitor_that_breaks_the_rules_ends_the_manager(void **state)
{
	struct fixture *f = *state;
	struct msg m = msg_make(MSG_EXITED);

	fixture_up(f);
	m.unit = UNIT_WEB;
	m.instance = (struct msg_instance_id){ 1, 1 };
	m.pid = 1;
	m.code = CLD_STOPPED;
	fixture_say(f, &m);
	assert_int_equal(fixture_end(f), EX_PROTOCOL);
}

static void
monitor_that_names_a_socket_as_a_service_ends_the_manager(void **state)
{
	struct fixture *f = *state;

	fixture_up(f);
	fixture_exited(f, UNIT_WEB_SOCKET, (struct msg_instance_id){ 1, 1 }, CLD_EXITED, 0);
	assert_int_equal(fixture_end(f), EX_PROTOCOL);
}

static void
monitor_that_names_a_slot_beyond_all_ends_the_manager(void **state)
{
	struct fixture *f = *state;

	fixture_plan(f);
	fixture_boot(f);
	fixture_instance(f, UNIT_WEB, (struct msg_instance_id){ UINT32_MAX, 1 }, true);
	assert_int_equal(fixture_end(f), EX_PROTOCOL);
}

static void
manager_ends_with_the_monitor(void **state)
{
	struct fixture *f = *state;

	fixture_up(f);
	fd_closep(&f->sock);
	assert_int_equal(fixture_end(f), EX_IOERR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGER_TEST(successor_knows_what_runs),
		MANAGER_TEST(successor_finishes_a_start),
		MANAGER_TEST(successor_hears_that_the_image_was_executed),
		MANAGER_TEST(successor_starts_again_what_was_lost),
		MANAGER_TEST(notebook_full_of_rubbish_is_as_if_empty),
		MANAGER_TEST(monitor_that_breaks_the_rules_ends_the_manager),
		MANAGER_TEST(monitor_that_names_a_socket_as_a_service_ends_the_manager),
		MANAGER_TEST(monitor_that_names_a_slot_beyond_all_ends_the_manager),
		MANAGER_TEST(manager_ends_with_the_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
