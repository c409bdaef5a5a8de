/*
 * fuzz_msg_manager.c - the manager's state machines fed with whatever a monitor, a service and an
 * operator might do, in any order: no assertion fails, and what it asks for is always well-formed.
 *
 * Input: records of an opcode and bytes. The manager is the real one without its process: its
 * descriptors are numbers of this process, its requests are read back and checked here.
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/load/build.h"
#include "launcher/manager/control_server.h"
#include "launcher/manager/job.h"
#include "launcher/manager/link.h"
#include "launcher/manager/service.h"
#include "launcher/manager/socket.h"
#include "launcher/manager/takeover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_SERVICES 3
#define N_ASKED 64

static int monitor_end = -EBADF, notify_end = -EBADF, plan_fd = -EBADF;

/* What was asked for and not yet answered: the fuzzer plays a monitor that keeps to the rules. */
static struct {
	struct msg start;
	struct msg_instance_id id;
	bool started, used;
} asked[N_ASKED];
static uint32_t generation;

static int
make_plan(void)
{
	struct build b;
	int fd;

	assert(build_init(&b, NULL) == 0);
	for (uint32_t i = 0; i < N_SERVICES; i++) {
		static const char *const ids[] = { "a.service", "b.service", "c.service" };
		struct plan_unit *u = build_unit(&b, UNIT_SERVICE, ids[i]);

		u->wanted = i == 0;
		u->service.type = i == 0 ? SERVICE_SIMPLE : SERVICE_NOTIFY;
		u->service.notify_access = i == 1 ? NOTIFY_ACCESS_ALL : NOTIFY_ACCESS_NONE;
		u->service.timeout_start_usec = u->service.timeout_stop_usec = USEC_PER_SEC;
		u->service.kill_signal = u->service.restart_kill_signal = SIGTERM;
		u->service.final_kill_signal = SIGKILL;
		u->service.send_sigkill = i != 1;
		u->service.watchdog_signal = SIGABRT;
		u->service.watchdog_usec = i == 1 ? USEC_PER_SEC : 0;
		u->service.restart = i == 0 ? RESTART_ALWAYS : RESTART_ON_ABNORMAL;
		if (i == 2) { /* everything that a start and an end can have */
			u->service.type = SERVICE_FORKING;
			u->service.pid_file = build_str(&b, "/run/pid");
			(void)build_append(&b, &u->conditions, sizeof(struct plan_condition));
			build_append_word(&b, &u->exec.directories[DIRECTORY_RUNTIME].paths, "c");
		}
		for (uint32_t slot = 0; slot < COMMAND_SLOT_END; slot++)
			if (slot == COMMAND_START || i == 2) {
				struct plan_command *c =
				    build_append(&b, &u->service.commands[slot], sizeof(*c));

				c->path = build_str(&b, "/bin/x");
			}
	}
	assert(build_freeze(&b, &fd, NULL) == 0);
	return fd;
}

/* Descriptors where heritage.h wants them: before anybody else opens one. */
__attribute__((constructor)) static void
make_descriptors(void)
{
	int pair[2], notes[2];

	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	assert(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, notes) == 0);
	monitor_end = fcntl(pair[0], F_DUPFD, 64);
	notify_end = fcntl(notes[0], F_DUPFD, 64);
	plan_fd = fcntl(make_plan(), F_DUPFD, 64);
	assert(dup2(pair[1], HERITAGE_MONITOR) == HERITAGE_MONITOR);
	assert(dup2(notes[1], HERITAGE_FIRST) == HERITAGE_FIRST);
}

static void
manager_begin(struct manager *m)
{
	int notebook = memfd_create("notebook", MFD_CLOEXEC);

	*m = (struct manager){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	m->changed_tail = &m->changed;
	assert(plan_map(plan_fd, &m->plan, NULL) == 0);
	assert(ftruncate(notebook, N_SERVICES * HERITAGE_NOTEBOOK_UNIT_BYTES) == 0);
	assert(notebook_open(&m->notebook, notebook, N_SERVICES, NULL) == 0);
	(void)close(notebook);
	takeover_count(m);
	assert(timers_init(&m->timers, 3 * m->n_notes + CONTROL_CLIENTS) == 0 && link_init(m) == 0);
	assert(takeover_build(m, NULL) == 0);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		m->clients[i].watch.fd = -EBADF;
	memset(asked, 0, sizeof(asked));
}

static void
manager_end(struct manager *m)
{
	char bytes[sizeof(struct msg)];
	struct fdpass_msg got;

	link_done(m);
	takeover_done(m);
	notebook_done(&m->notebook);
	timers_done(&m->timers);
	(void)close(m->epoll);
	plan_unmap(m->plan);
	while (fdpass_recv(monitor_end, bytes, sizeof(bytes), NULL, 0, &got) == 0)
		continue;
	while (fdpass_recv(HERITAGE_FIRST, bytes, sizeof(bytes), NULL, 0, &got) != -EAGAIN)
		continue;
}

/* Everything the manager says must pass the monitor's check and name what is there. */
static void
read_requests(const struct manager *m)
{
	char bytes[sizeof(struct msg)];
	struct fdpass_msg got;
	struct msg q;

	while (fdpass_recv(monitor_end, bytes, sizeof(bytes), NULL, 0, &got) == 0) {
		size_t i = 0;

		assert(msg_check(bytes, got.len, got.n_fds, MSG_STATE_UP, &q, NULL) == 0);
		if (q.type == MSG_SIGNAL)
			continue;
		assert(q.slot == COMMAND_CHECK || q.slot == COMMAND_CLEAN ||
		       q.slot == COMMAND_ADOPT ||
		       plan_command(m->plan, plan_unit(m->plan, q.unit), q.slot, q.command));
		while (i < N_ASKED && asked[i].used)
			i++;
		if (i < N_ASKED) {
			asked[i].start = q;
			asked[i].used = true;
			asked[i].started = false;
		}
	}
}

/* The monitor answers the n-th open request: started, or its process ended. */
static void
answer(struct manager *m, uint8_t n, uint8_t how)
{
	struct msg e = msg_make(MSG_STARTED);
	const size_t i = n % N_ASKED;

	if (!asked[i].used)
		return;
	e.unit = asked[i].start.unit;
	if (!asked[i].started) {
		e.seq = asked[i].start.seq;
		e.error = how & 1 ? ENOENT : 0;
		if (how & 2) {
			e.error = EAGAIN;
			asked[i].used = false;
		} else {
			asked[i].id = (struct msg_instance_id){ (uint32_t)i, ++generation };
			e.instance = asked[i].id;
			e.pid = 1000 + (int)i;
			asked[i].started = true;
		}
	} else {
		e.type = MSG_EXITED;
		e.instance = asked[i].id;
		e.pid = 1000 + (int)i;
		e.code = how & 1 ? CLD_KILLED : CLD_EXITED;
		e.status = how & 1 ? SIGTERM : how & 2;
		asked[i].used = false;
	}
	link_take(m, &e);
}

static void
fire_timer(struct manager *m)
{
	struct timer *t = timers_due(&m->timers, USEC_INFINITY - 1);

	if (t)
		t->fire(m, t->owner);
}

static void
say_something(struct manager *m, const uint8_t *text, size_t len)
{
	(void)!send(notify_end, text, len, MSG_DONTWAIT);
	service_notify_drain(m, &m->units[1].service);
}

/* A message of the fuzzer's own making, let through by the check alone. */
static void
raw_message(struct manager *m, const uint8_t *bytes, size_t len)
{
	struct msg e;

	if (msg_check(bytes, len, 0, m->link.state, &e, NULL) == 0)
		link_take(m, &e);
}

static size_t
step(struct manager *m, const uint8_t *data, size_t size)
{
	const uint8_t op = data[0] & 7, a = size > 1 ? data[1] : 0, b = size > 2 ? data[2] : 0;
	const size_t len = size > 2 ? (size - 2 < a ? size - 2 : a) : 0;

	switch (op) {
	case 0:
		job_request(m, &m->units[a % N_SERVICES], (enum job_kind)(1 + b % JOB_RELOAD));
		return 3;
	case 1:
	case 2:
		answer(m, a, b);
		return 3;
	case 3:
		fire_timer(m);
		return 1;
	case 4:
		say_something(m, data + 2, len);
		return 2 + len;
	case 5:
		raw_message(
		    m, data + 1, size - 1 < sizeof(struct msg) ? size - 1 : sizeof(struct msg));
		return 1 + sizeof(struct msg);
	case 6:
		service_event(
		    m, &m->units[a % N_SERVICES].service, b & 1 ? EVENT_READY : EVENT_STOPPING);
		return 3;
	default:
		link_signal(m, &m->units[a % N_SERVICES].service.main, 1 + b % 64, b & 1);
		return 3;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manager m;
	const struct msg settled = msg_make(MSG_SETTLED);
	bool learnt = false;

	log_setup("fuzz", LOG_FORMAT_TEXT, (enum log_level)0);
	manager_begin(&m);
	for (size_t i = 0; i < size && !m.leave;) {
		if (!learnt && data[i] & 0x80) { /* instances first, if any */
			link_take(&m, &settled);
			learnt = true;
			i++;
		} else if (!learnt) {
			raw_message(&m, data + i,
			    size - i < sizeof(struct msg) ? size - i : sizeof(struct msg));
			i += sizeof(struct msg);
		} else {
			i += step(&m, data + i, size - i);
		}
		if (learnt)
			settle(&m);
		read_requests(&m);
	}
	manager_end(&m);
	return 0;
}
