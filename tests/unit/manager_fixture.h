/*
 * manager_fixture.h - a real manager process with test code in the monitor's place.
 * The plan: web.socket (a unix stream socket) -> web.service (Type=notify or simple), and
 * job.service, which has commands before, after and at stop.
 */
#pragma once

#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/types.h>

#include "launcher/load/build.h"
#include "launcher/manager/control.h"
#include "launcher/monitor/msg.h"
#include "launcher/start/heritage.h"

enum {
	UNIT_WEB_SOCKET,
	UNIT_WEB,
	UNIT_JOB,
};

struct fixture {
	char dir[64];
	int plan, notebook, control, runtime, listener, notify, log;
	int sock; /* the monitor's end */
	pid_t pid; /* of the manager */
	uint32_t generation;
	/* Set before fixture_plan(); 0 means what is written here. */
	enum service_type type; /* of web.service */
	uint64_t timeout_usec; /* start and stop; 90 s */
	uint64_t restart_usec; /* 100 ms */
	void (*change)(
	    struct build *b, struct plan_unit *u); /* each service, before its commands */
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The plan and all that the monitor owns; then a manager. */
void fixture_plan(struct fixture *f);
void fixture_boot(struct fixture *f); /* until HELLO was read */
void fixture_settle(struct fixture *f);
/* plan, boot and settle in one. */
void fixture_up(struct fixture *f);

/* The next message, which must be of this type; fails after 5 s. */
struct msg fixture_expect(struct fixture *f, enum msg_type type);
/* True if nothing is said for so long. */
bool fixture_silent(struct fixture *f, int ms);
void fixture_say(struct fixture *f, const struct msg *m);
/* STARTED for a START; the process is this test's own pid, so that it may speak for it. */
struct msg_instance_id fixture_started(struct fixture *f, const struct msg *start);
void fixture_exited(
    struct fixture *f, uint32_t unit, struct msg_instance_id id, int code, int status);
void fixture_instance(struct fixture *f, uint32_t unit, struct msg_instance_id id, bool executed);

/* Up to a running web.service by way of traffic; returns its instance. */
struct msg_instance_id fixture_web_running(struct fixture *f);
/* A client of web.socket; returns its descriptor. */
int fixture_connect(struct fixture *f);
/* Takes one connection off the queue, as the server would. */
void fixture_accept(struct fixture *f);
/* A datagram to web.service's notify socket. */
void fixture_notify(struct fixture *f, const char *text);

/* A client of the control socket that says nothing yet. */
int fixture_client(struct fixture *f, uid_t uid);
/* Sends a request without waiting. Returns the client's descriptor. */
int fixture_ask(
    struct fixture *f, enum control_verb verb, const char *unit, uint32_t flags, uid_t uid);
/* Reads replies up to END: its error; text of all units in out (may be NULL). */
int fixture_answer(int fd, char *out, size_t size);
/* Both, as root or the launcher's user. */
int fixture_do(struct fixture *f, enum control_verb verb, const char *unit);
/* Waits until `show unit` has this line; fails after 5 s. */
void fixture_await(struct fixture *f, const char *unit, const char *line);

/* How the manager ended: its exit code, or -signal. Waits 5 s. */
int fixture_end(struct fixture *f);

#define MANAGER_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
