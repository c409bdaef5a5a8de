/*
 * link.c - the conversation with the manager, and its start.
 * Runs as: the monitor; the manager's child drops to the manager's user before it executes.
 * Trusts:  nothing that comes in: one wrong message, and this manager is killed and replaced.
 * Logs:    starts, deaths and misbehaviour of the manager.
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/enter/condition.h"
#include "launcher/enter/fds.h"
#include "launcher/enter/image.h"
#include "launcher/monitor/heritage.h"
#include "launcher/monitor/monitor.h"

/* A manager that lived this long failed for a reason of its own, not because it cannot start. */
#define MANAGER_SETTLED_USEC (UINT64_C(10) * USEC_PER_SEC)
#define MANAGER_RETRY_USEC (UINT64_C(100000))
#define MANAGER_RETRY_MAX_USEC (UINT64_C(10) * USEC_PER_SEC)
#define REQUESTS_PER_WAKE 64

/* In the child: what the manager inherits, by heritage.h. */
static _Noreturn void
manager_child(const struct monitor *m, int sock)
{
	static int fds[FDS_MAX];
	struct image image = { .fds = fds,
		.n_fds = HERITAGE_FIRST,
		.exe_fd = m->exe_fd,
		.argv = m->manager_argv,
		.change_user = m->change_user,
		.uid = m->manager_uid,
		.gid = m->manager_gid };

	fds[HERITAGE_STDIN] = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	fds[HERITAGE_STDOUT] = STDOUT_FILENO;
	fds[HERITAGE_LOG] = STDERR_FILENO;
	fds[HERITAGE_MONITOR] = sock;
	fds[HERITAGE_PLAN] = m->plan_fd;
	fds[HERITAGE_NOTEBOOK] = m->notebook_fd;
	fds[HERITAGE_CONTROL] = m->control_fd;
	fds[HERITAGE_RUNTIME] = m->runtime_fd;
	for (uint32_t i = 0; i < m->plan->n_listens; i++)
		fds[image.n_fds++] = m->listen_fds[i] >= 0		    ? m->listen_fds[i]
				     : m->listen_fds[i] == -CONDITIONS_FAIL ? m->notebook_fd
									    : m->plan_fd;
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->notify_fds[i] >= 0)
			fds[image.n_fds++] = m->notify_fds[i];
	image_exec(&image);
}

int
link_start_manager(struct monitor *m, struct why *why)
{
	struct manager *g = &m->manager;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	int pair[2];
	pid_t pid;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return why_set(why, -errno, "manager: socketpair");
	ours = pair[0];
	theirs = pair[1];
	r = monitor_watch(m, ours, WAKE_MANAGER, 0);
	if (r < 0)
		return why_set(why, r, "manager: epoll");
	pid = fork();
	if (pid < 0)
		return why_set(why, -errno, "manager: fork");
	if (pid == 0)
		manager_child(m, theirs);
	*g = (struct manager){ .pid = pid,
		.sock = fd_take(&ours),
		.state = MSG_STATE_NEW,
		.started_usec = clock_usec(),
		.failures = g->failures,
		.writable = true };
	return 0;
}

void
link_manager_died(struct monitor *m, int32_t code, int32_t status)
{
	struct manager *g = &m->manager;
	const uint64_t now = clock_usec();
	uint64_t wait = MANAGER_RETRY_USEC;
	const char *how = code == CLD_EXITED ? "exited with status" : "was killed by signal";

	monitor_unwatch(m, &g->sock);
	g->pid = 0;
	if (m->stopping || !m->ready) {
		/* Its last act was to stop every service; or it never came up, then nor do we. */
		m->exit_code = code == CLD_EXITED ? status : EXIT_FAILURE;
		m->leave = true;
		if (m->exit_code != 0)
			log_error("manager %s %d", how, status);
		return;
	}
	g->failures = now - g->started_usec < MANAGER_SETTLED_USEC ? g->failures + 1 : 1;
	for (unsigned i = 1; i < g->failures && wait < MANAGER_RETRY_MAX_USEC; i++)
		wait *= 2;
	g->restart_at_usec = g->failures == 1 ? now : now + wait;
	log_warning("manager %s %d; sockets and services stay as they are, another one takes over",
	    how, status);
}

/* A manager that breaks the protocol is broken or captured, one that hung up is of no use. */
static void
link_distrust(struct monitor *m, const char *reason)
{
	if (reason)
		log_error("manager sent what it may not: %s; killing it", reason);
	(void)kill(
	    m->manager.pid, SIGKILL); /* our own child, not reaped yet; SIGCHLD brings the rest */
	monitor_unwatch(m, &m->manager.sock);
}

static int
link_request(
    struct monitor *m, const struct msg *request, const int *fds, size_t n_fds, struct why *why)
{
	switch ((enum msg_type)request->type) {
	case MSG_HELLO:
		m->manager.state = MSG_STATE_UP;
		return 0;
	case MSG_START:
		if (instance_start(m, request, fds, n_fds) < 0)
			return why_set(why, -EPROTO,
			    "start: unit %u, slot %u, command %u: not in the plan,"
			    " or too many at once",
			    request->unit, request->slot, request->command);
		return 0;
	case MSG_SIGNAL:
		return instance_signal(m, request, why);
	default:
		return why_set(
		    why, -EPROTO, "type %u", request->type); /* msg_check() lets none pass */
	}
}

void
link_read(struct monitor *m)
{
	struct manager *g = &m->manager;

	for (int i = 0; i < REQUESTS_PER_WAKE && g->sock >= 0; i++) {
		struct why why = { "" };
		struct fdpass_msg got;
		struct msg request;
		char bytes[sizeof(request)];
		int fds[1], r;

		r = fdpass_recv(g->sock, bytes, sizeof(bytes), fds, ELEMENTSOF(fds), &got);
		if (r == -EAGAIN)
			return;
		if (r < 0) {
			const bool hung_up = r == -ESHUTDOWN || r == -ECONNRESET;

			link_distrust(m, hung_up ? NULL : strerror(-r));
			return;
		}
		r = msg_check(bytes, got.len, got.n_fds, g->state, &request, &why);
		if (r == 0)
			r = link_request(m, &request, fds, got.n_fds, &why);
		if (r < 0)
			link_distrust(m, why.text);
		for (size_t k = 0; k < got.n_fds; k++)
			fdpass_discard(fds[k]); /* the child has its copy */
	}
}

static void
link_want_write(struct monitor *m, bool want)
{
	struct epoll_event e = { .events = want ? EPOLLIN | EPOLLOUT : EPOLLIN,
		.data.u64 = (uint64_t)WAKE_MANAGER << 32 };

	m->manager.writable = !want;
	(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_MOD, m->manager.sock, &e); /* it is registered */
}

void
link_writable(struct monitor *m)
{
	if (m->manager.sock >= 0 && !m->manager.writable)
		link_want_write(m, false);
}

/* False when the socket is full or broken: then the rest waits. */
static bool
link_say(struct monitor *m, const struct msg *event)
{
	const int r = fdpass_send(m->manager.sock, event, sizeof(*event), NULL, 0);

	if (r == -EAGAIN)
		link_want_write(m, true);
	else if (r < 0)
		m->manager.writable = false; /* it is dying, and SIGCHLD is on its way */
	return r == 0;
}

/* One event about an instance: MSG_INSTANCE, MSG_STARTED or MSG_EXITED. */
static bool
say_of(struct monitor *m, const struct instance *x, enum msg_type type)
{
	struct msg e = msg_make(type);

	e.unit = x->unit;
	if (x->pid > 0) {
		e.instance.slot = (uint32_t)(x - m->instances);
		e.instance.generation = x->generation;
		e.pid = x->pid;
	}
	if (type == MSG_EXITED) {
		e.code = x->code;
		e.status = x->status;
		return link_say(m, &e);
	}
	e.seq = x->seq;
	e.started_usec = x->started_usec;
	if (type == MSG_STARTED) {
		e.error = x->error;
		e.step = x->error ? (uint32_t)x->step : 0;
	} else {
		e.slot = x->slot;
		e.command = x->command;
		e.flags = x->state == INSTANCE_EXECUTING ? 0 : MSG_INSTANCE_EXECUTED;
	}
	return link_say(m, &e);
}

/* What a new manager has to know before it may ask for anything. */
static bool
link_introduce(struct monitor *m)
{
	struct manager *g = &m->manager;
	struct msg settled = msg_make(MSG_SETTLED);

	for (; g->next_introduced < m->n_instances; g->next_introduced++) {
		const struct instance *x = &m->instances[g->next_introduced];

		if (x->state != INSTANCE_FREE && x->pid > 0 && !say_of(m, x, MSG_INSTANCE))
			return false;
	}
	g->told_settled = link_say(m, &settled);
	return g->told_settled;
}

static bool
flush_instance(struct monitor *m, struct instance *x)
{
	if (x->owes_started) {
		if (!say_of(m, x, MSG_STARTED))
			return false;
		x->owes_started = false;
	}
	if (x->owes_exited) {
		if (!say_of(m, x, MSG_EXITED))
			return false;
		x->owes_exited = false;
	}
	if (x->state == INSTANCE_GONE)
		x->state = INSTANCE_FREE;
	return true;
}

void
link_flush(struct monitor *m)
{
	struct manager *g = &m->manager;

	if (g->sock < 0 || g->state != MSG_STATE_UP || !g->writable)
		return;
	if (!g->told_settled && !link_introduce(m))
		return;
	for (uint32_t i = 0; m->owing && i < m->n_instances; i++)
		if (!flush_instance(m, &m->instances[i]))
			return;
	m->owing = false;
	if (m->stopping && !g->told_shutdown) {
		struct msg shutdown = msg_make(MSG_SHUTDOWN);

		g->told_shutdown = link_say(m, &shutdown);
	}
}
