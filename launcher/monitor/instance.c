/*
 * instance.c - the table of what was started: fork, report, signal, reap.
 * Runs as: the monitor; after fork, the child as enter.h says.
 * Trusts:  the plan. A request's indices are checked against it here.
 * Logs:    what is not a manager's business: nothing.
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "launcher/enter/child.h"
#include "launcher/monitor/monitor.h"

/* Each service may have its main process and one control command at a time. */
#define INSTANCES_PER_SERVICE 2u
#define INSTANCES_MAX 65536u

int
instances_init(struct monitor *m, struct why *why)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		const struct plan_unit *u = plan_unit(m->plan, i);

		if (u->kind == UNIT_SERVICE)
			n += INSTANCES_PER_SERVICE;
		else if (u->socket.accept)
			n += (uint64_t)u->socket.max_connections * INSTANCES_PER_SERVICE;
	}
	m->n_instances = (uint32_t)(n > INSTANCES_MAX ? INSTANCES_MAX : n);
	m->instances = calloc(m->n_instances, sizeof(m->instances[0]));
	if (!m->instances && m->n_instances > 0)
		return why_set(why, -ENOMEM, "table of %u instances", m->n_instances);
	for (uint32_t i = 0; i < m->n_instances; i++)
		m->instances[i].status_fd = -EBADF;
	return 0;
}

static struct instance *
instance_take_free(struct monitor *m)
{
	for (uint32_t i = 0; i < m->n_instances; i++)
		if (m->instances[i].state == INSTANCE_FREE)
			return &m->instances[i];
	return NULL;
}

static bool
is_known(const struct monitor *m, pid_t pid)
{
	for (uint32_t i = 0; i < m->n_instances; i++)
		if (m->instances[i].state != INSTANCE_FREE && m->instances[i].pid == pid)
			return true;
	return pid == m->manager.pid;
}

/* Is pid, or anybody when pid is 0, a running process of the unit? */
static bool
unit_runs(const struct monitor *m, uint32_t unit, pid_t pid)
{
	for (uint32_t i = 0; i < m->n_instances; i++) {
		const struct instance *x = &m->instances[i];

		if (x->unit == unit && (pid == 0 || x->pid == pid) &&
		    (x->state == INSTANCE_EXECUTING || x->state == INSTANCE_RUNNING))
			return true;
	}
	return false;
}

/* In the child. */
static _Noreturn void
instance_child(const struct monitor *m, const struct plan_unit *u, const struct plan_command *c,
    const struct msg *request, const int *passed, int status_fd)
{
	static pid_t known[INSTANCES_MAX + 1]; /* pages that only a child touches */
	const bool named = request->slot == COMMAND_ADOPT || unit_runs(m, u->index, request->pid);
	struct child child = { .listen_fds = m->listen_fds,
		.notify_fds = m->notify_fds,
		.runtime_dir = m->runtime_dir,
		.connection = request->flags & MSG_START_CONNECTION ? passed[0] : -EBADF,
		.number = request->number,
		.known = known,
		.n_known = m->n_instances + 1,
		.enter = { .plan = m->plan,
		    .unit = u,
		    .command = c,
		    .slot = request->slot,
		    .stdio_fd = STDERR_FILENO,
		    .detached = true,
		    .watchdog_usec = request->watchdog_usec,
		    .main_pid = named ? request->pid : 0,
		    .result = request->result,
		    .code = request->code,
		    .status = request->status,
		    .nofile = &m->nofile,
		    .status_fd = status_fd } };

	for (uint32_t i = 0; request->slot == COMMAND_ADOPT && i < m->n_instances; i++)
		known[i] = m->instances[i].state != INSTANCE_FREE ? m->instances[i].pid : 0;
	known[m->n_instances] = m->manager.pid;
	child_run(&child);
}

/* The fork. Return: 0 and the instance in state EXECUTING, or -errno and it stays free. */
static int
instance_fork(struct monitor *m, struct instance *x, const struct plan_unit *u,
    const struct plan_command *c, const struct msg *request, const int *passed)
{
	int status[2] = { -EBADF, -EBADF };
	_cleanup_fd_ int read_end = -EBADF, write_end = -EBADF;
	pid_t pid;
	int r;

	if (pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	read_end = status[0];
	write_end = status[1];
	r = monitor_watch(m, read_end, WAKE_STATUS, (uint32_t)(x - m->instances));
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno; /* closing the pipe takes it out of epoll */
	if (pid == 0)
		instance_child(m, u, c, request, passed, fd_take(&write_end));
	x->state = INSTANCE_EXECUTING;
	x->pid = pid;
	x->status_fd = fd_take(&read_end);
	x->started_usec = clock_usec();
	return 0;
}

/* May this be started? Beside the lines of unit files there are a few slots of our own. */
static bool
may_start(const struct monitor *m, const struct msg *request)
{
	const struct plan_unit *u = plan_unit(m->plan, request->unit);

	if (!u || u->kind != UNIT_SERVICE)
		return false;
	if (request->flags & MSG_START_CONNECTION)
		return u->is_template && request->slot == COMMAND_START &&
		       plan_command(m->plan, u, request->slot, request->command);
	switch (request->slot) {
	case COMMAND_CLEAN:
	case COMMAND_CHECK:
		return true;
	case COMMAND_ADOPT:
		return u->service.type == SERVICE_FORKING || request->pid > 0;
	default:
		return plan_command(m->plan, u, request->slot, request->command) != NULL;
	}
}

/*
 * instance_start - answer one MSG_START.
 * Return: 0, also when the fork failed (the manager is told by MSG_STARTED); -EPROTO when the
 * request names nothing in the plan: then the manager is not to be trusted.
 */
int
instance_start(struct monitor *m, const struct msg *request, const int *fds, size_t n_fds)
{
	const struct plan_unit *u = plan_unit(m->plan, request->unit);
	const struct plan_command *c =
	    u ? plan_command(m->plan, u, request->slot, request->command) : NULL;
	struct instance *x = instance_take_free(m);
	int r;

	/* msg.c let a descriptor through only together with the flag */
	assert(n_fds == (request->flags & MSG_START_CONNECTION ? 1 : 0));
	if (!x || !u || !may_start(m, request))
		return -EPROTO;
	*x = (struct instance){ .generation = x->generation + 1 ? x->generation + 1 : 1,
		.unit = request->unit,
		.slot = request->slot,
		.command = request->command,
		.seq = request->seq,
		.status_fd = -EBADF };
	if (request->slot == COMMAND_CLEAN && unit_runs(m, request->unit, 0))
		r = -EBUSY; /* not under somebody's feet */
	else
		r = instance_fork(m, x, u, c, request, fds);
	if (r < 0) {
		x->state = INSTANCE_GONE; /* until told; owes no exit, there was no process */
		x->error = -r;
		x->owes_started = m->owing = true;
	}
	return 0;
}

int
instance_signal(struct monitor *m, const struct msg *request, struct why *why)
{
	const uint32_t i = request->instance.slot;
	const struct instance *x = i < m->n_instances ? &m->instances[i] : NULL;

	if (!x || x->generation != request->instance.generation)
		return why_set(
		    why, -EPROTO, "signal: no instance %u.%u", i, request->instance.generation);
	if (x->state != INSTANCE_EXECUTING && x->state != INSTANCE_RUNNING)
		return 0; /* it is gone already, and EXITED is on its way */
	/* Our own child, not reaped yet: the number cannot belong to anybody else. */
	if (request->flags & MSG_SIGNAL_GROUP && kill(-x->pid, request->signo) == 0)
		return 0;
	/* Alone, or not yet the leader of its own group (setsid comes before exec). */
	(void)kill(x->pid, request->signo); /* fails only if it is a zombie: EXITED follows */
	return 0;
}

/* What instance_find() found is what it says only if it is a child of ours, and new. */
static void
instance_adopt(const struct monitor *m, struct instance *x, pid_t pid)
{
	siginfo_t si;

	if (pid <= 0 || is_known(m, pid) ||
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0) {
		x->error = ESRCH;
		return;
	}
	x->pid = pid; /* the finder has exited, and will be reaped as nobody's */
}

void
instance_settle(struct monitor *m, uint32_t i)
{
	struct instance *x = &m->instances[i];
	struct enter_failure f = { .step = ENTER_FOUND }; /* with pid 0: none */
	ssize_t n;

	if (x->state != INSTANCE_EXECUTING)
		return;
	n = read(x->status_fd, &f, sizeof(f));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (x->slot == COMMAND_ADOPT && f.step == ENTER_FOUND)
		instance_adopt(m, x, f.error);
	else if (n == sizeof(f) && f.step < ENTER_STEP_END && f.error > 0) {
		x->step = (int32_t)f.step;
		x->error = f.error;
	}
	monitor_unwatch(m, &x->status_fd);
	x->state = INSTANCE_RUNNING;
	if (x->slot == COMMAND_ADOPT && x->error) { /* there is no process to this instance */
		x->state = INSTANCE_GONE;
		x->pid = 0;
	}
	x->owes_started = m->owing = true;
}

bool
instance_reaped(struct monitor *m, pid_t pid, int32_t code, int32_t status)
{
	for (uint32_t i = 0; i < m->n_instances; i++) {
		struct instance *x = &m->instances[i];

		if (x->pid != pid || x->state == INSTANCE_FREE || x->state == INSTANCE_GONE)
			continue;
		/* A child that failed to execute has written its reason before it exited. */
		instance_settle(m, i);
		if (x->pid != pid)
			return true; /* it had only looked for somebody: instance_adopt() */
		if (x->state == INSTANCE_EXECUTING) { /* killed before it could do either */
			monitor_unwatch(m, &x->status_fd);
			x->owes_started = m->owing = true;
		}
		x->state = INSTANCE_GONE;
		x->code = code;
		x->status = status;
		x->owes_exited = m->owing = true;
		return true;
	}
	return false;
}
