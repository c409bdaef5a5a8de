/*
 * link.c - the conversation with the manager, and its start.
 * Runs as: the monitor; the manager's child drops to the manager's user before it executes.
 * Trusts:  nothing that comes in: one wrong message, and this manager is killed and replaced.
 * Logs:    starts, deaths and misbehaviour of the manager.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/monitor/monitor.h"

/* A manager that lived this long failed for a reason of its own, not because it cannot start. */
#define MANAGER_SETTLED_USEC (UINT64_C(10) * USEC_PER_SEC)
#define MANAGER_RETRY_USEC (UINT64_C(100000))
#define MANAGER_RETRY_MAX_USEC (UINT64_C(10) * USEC_PER_SEC)
#define REQUESTS_PER_WAKE 512 /* more than fit into the socket: all that was sent before */

int
link_start_manager(struct monitor *m)
{
	struct manager *g = &m->manager;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	r = monitor_watch(m, ours, WAKE_MANAGER, 0);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		image_exec(&m->image, theirs);
	*g = (struct manager){ .pid = pid,
		.sock = fd_take(&ours),
		.state = MSG_STATE_NEW,
		.started_usec = clock_usec(),
		.failures = g->failures,
		.next_introduced = 1,
		.writable = true };
	m->pids[0] = pid;
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
	g->pid = m->pids[0] = 0;
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
link_request(struct monitor *m, const struct msg *request, int *fd, struct why *why)
{
	switch ((enum msg_type)request->type) {
	case MSG_HELLO:
		m->manager.state = MSG_STATE_UP;
		return 0;
	case MSG_START:
		if (instance_start(m, request, fd) < 0)
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
		int fd = -EBADF, r;

		r = fdpass_recv(g->sock, bytes, sizeof(bytes), &fd, 1, &got);
		if (r == -EAGAIN)
			return;
		if (r < 0) {
			const bool hung_up = r == -ESHUTDOWN || r == -ECONNRESET;

			link_distrust(m, hung_up ? NULL : strerror(-r));
			return;
		}
		r = msg_check(bytes, got.len, got.n_fds, g->state, &request, &why);
		if (r == 0)
			r = link_request(m, &request, &fd, &why);
		if (r < 0)
			link_distrust(m, why.text);
		if (fd >= 0)
			fdpass_discard(fd); /* the child has its copy */
	}
}

void
link_want_write(struct monitor *m, bool want)
{
	struct epoll_event e = { .events = want ? EPOLLIN | EPOLLOUT : EPOLLIN,
		.data.u64 = (uint64_t)WAKE_MANAGER << 32 };

	m->manager.writable = !want;
	(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_MOD, m->manager.sock, &e); /* it was registered */
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
	const uint32_t i = (uint32_t)(x - m->instances);
	struct msg e = msg_make(type);

	e.unit = x->request.unit;
	e.pid = m->pids[i];
	if (e.pid > 0 || type == MSG_INSTANCE)
		e.instance = (struct msg_instance_id){ i, x->generation };
	if (type == MSG_EXITED) {
		e.code = x->code;
		e.status = x->status;
		return link_say(m, &e);
	}
	e.seq = x->request.seq;
	e.started_usec = x->started_usec;
	if (type == MSG_STARTED) {
		e.error = x->error;
		e.step = x->error ? (uint32_t)x->step : 0;
	} else {
		e.slot = x->request.slot;
		e.command = x->request.command;
		e.flags = x->status_fd >= 0 ? 0 : MSG_INSTANCE_EXECUTED;
	}
	return link_say(m, &e);
}

/* What a new manager has to know before it may ask for anything. */
static bool
link_introduce(struct monitor *m)
{
	struct manager *g = &m->manager;
	struct msg settled = msg_make(MSG_SETTLED);

	for (; g->next_introduced < m->n_used; g->next_introduced++) {
		const struct instance *x = &m->instances[g->next_introduced];

		if ((m->pids[g->next_introduced] > 0 || x->state == INSTANCE_ASKED) &&
		    !say_of(m, x, MSG_INSTANCE))
			return false;
	}
	g->told_settled = link_say(m, &settled);
	return g->told_settled;
}

static bool
say_owed(struct monitor *m, const struct instance *x, enum msg_type type, bool *owed)
{
	if (*owed && !say_of(m, x, type))
		return false;
	*owed = false;
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
	while (m->owing) {
		struct instance *x = &m->instances[m->owing];

		if (!say_owed(m, x, MSG_STARTED, &x->owes_started) ||
		    !say_owed(m, x, MSG_EXITED, &x->owes_exited))
			return;
		instance_told(m, x);
	}
	if (m->stopping && !g->told_shutdown) {
		struct msg shutdown = msg_make(MSG_SHUTDOWN);

		g->told_shutdown = link_say(m, &shutdown);
	}
}
