/*
 * instance.c - the table of what was started: fork, report, signal, reap.
 * Runs as: the monitor; after fork, the child as enter.h says.
 * Trusts:  the plan. A request's indices are checked against it here.
 * Logs:    what is not a manager's business: nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "launcher/monitor/monitor.h"

/* NULL when the table is full. */
static struct instance *
instance_take_free(struct monitor *m)
{
	struct instance *x = &m->instances[m->free ? m->free : m->n_used];

	if (m->free)
		m->free = x->next;
	else if (m->n_used < m->n_instances)
		m->n_used++;
	else
		return NULL;
	return x;
}

/* What is owed is told by link.c, when the manager can hear it. */
static void
instance_owe(struct monitor *m, struct instance *x, bool *what)
{
	if (!x->owes_started && !x->owes_exited) {
		x->next = m->owing;
		m->owing = (uint32_t)(x - m->instances);
	}
	*what = true;
}

void
instance_told(struct monitor *m, struct instance *x)
{
	m->owing = x->next; /* it was the first */
	if (x->state != INSTANCE_GONE)
		return;
	x->state = INSTANCE_FREE;
	m->pids[x - m->instances] = 0;
	x->next = m->free;
	m->free = (uint32_t)(x - m->instances);
}

/* Whose process is this? NULL: nobody's, or one that was reaped. */
static struct instance *
instance_of(const struct monitor *m, pid_t pid)
{
	for (uint32_t i = 0; i < m->n_used; i++)
		if (m->pids[i] == pid && m->instances[i].state != INSTANCE_GONE)
			return &m->instances[i];
	return NULL;
}

/* Is it a child of ours, and nobody's yet? */
static bool
pid_is_new(const struct monitor *m, pid_t pid)
{
	siginfo_t si;

	return pid > 0 && !instance_of(m, pid) &&
	       (pid == m->reaped ||
		   waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0);
}

/* Is pid, or anybody when pid is 0, a running process of the unit? */
static bool
unit_runs(const struct monitor *m, uint32_t unit, pid_t pid)
{
	for (uint32_t i = 0; i < m->n_used; i++) {
		const struct instance *x = &m->instances[i];

		if (x->request.unit == unit && (pid == 0 || m->pids[i] == pid) &&
		    x->state != INSTANCE_FREE && x->state != INSTANCE_GONE)
			return true;
	}
	return false;
}

/* In the child. */
static _Noreturn void
instance_child(const struct monitor *m, const struct instance *x, int connection, int status_fd)
{
	const struct msg *q = &x->request;
	struct child c = m->child;

	c.connection = connection;
	c.number = q->number;
	c.enter.unit = plan_unit(m->plan, q->unit);
	c.enter.command = plan_command(m->plan, c.enter.unit, q->slot, q->command);
	c.enter.slot = q->slot;
	c.enter.watchdog_usec = q->watchdog_usec;
	c.enter.result = q->result;
	c.enter.code = q->code;
	c.enter.status = q->status;
	if (q->slot == COMMAND_ADOPT || (q->pid > 0 && unit_runs(m, q->unit, q->pid)))
		c.enter.main_pid = q->pid;
	c.enter.status_fd = status_fd;
	c.known = m->pids;
	c.n_known = m->n_used;
	child_run(&c);
}

/* The fork. Return: 0 and the instance is in state EXECUTING, or -errno and there is no process. */
static int
instance_fork(struct monitor *m, struct instance *x, int connection)
{
	const uint32_t i = (uint32_t)(x - m->instances);
	_cleanup_fd_ int write_end = -EBADF;
	int status[2], r;
	pid_t pid;

	if (x->request.slot == COMMAND_CLEAN && unit_runs(m, x->request.unit, 0))
		return -EBUSY; /* not under somebody's feet */
	if (pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	x->status_fd = status[0];
	write_end = status[1];
	r = monitor_watch(m, x->status_fd, WAKE_STATUS, i);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		instance_child(m, x, connection, fd_take(&write_end));
	x->state = INSTANCE_EXECUTING;
	m->pids[i] = pid;
	return 0;
}

/* Somebody else forks it; fd is the socket by which it will say that it is there. */
static int
instance_await(struct monitor *m, struct instance *x, int *fd)
{
	const int r = monitor_watch(m, *fd, WAKE_STATUS, (uint32_t)(x - m->instances));

	if (r < 0)
		return r;
	x->status_fd = fd_take(fd);
	x->state = INSTANCE_ASKED;
	m->n_asked++;
	return 0;
}

/* There is no process, and never was. */
static void
instance_fail(struct monitor *m, struct instance *x, int error)
{
	monitor_unwatch(m, &x->status_fd);
	x->state = INSTANCE_GONE; /* until told; owes no exit */
	x->error = error;
	instance_owe(m, x, &x->owes_started);
}

/* May this be started? Beside the lines of unit files there are a few slots of our own. */
static bool
may_start(const struct monitor *m, const struct msg *request)
{
	const struct plan_unit *u = plan_unit(m->plan, request->unit);

	if (!u || u->kind != UNIT_SERVICE)
		return false;
	if (request->slot == COMMAND_SPAWN)
		return u->spawns && request->flags == MSG_START_CONNECTION;
	if (request->flags & MSG_START_SPAWNED)
		return u->spawns && request->flags == MSG_START_SPAWNED &&
		       request->slot == COMMAND_START && request->command == 0;
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
instance_start(struct monitor *m, const struct msg *request, int *fd)
{
	struct instance *x = may_start(m, request) ? instance_take_free(m) : NULL;
	int r;

	if (!x)
		return -EPROTO;
	*x = (struct instance){ .generation = x->generation + 1 ? x->generation + 1 : 1,
		.request = *request,
		.started_usec = clock_usec(),
		.status_fd = -EBADF };
	r = request->flags & MSG_START_SPAWNED ? instance_await(m, x, fd)
					       : instance_fork(m, x, *fd);
	if (r < 0)
		instance_fail(m, x, -r);
	return 0;
}

int
instance_signal(struct monitor *m, const struct msg *request, struct why *why)
{
	const uint32_t i = request->instance.slot;
	const struct instance *x = i < m->n_used ? &m->instances[i] : NULL;

	if (!x || x->generation != request->instance.generation)
		return why_set(
		    why, -EPROTO, "signal: no instance %u.%u", i, request->instance.generation);
	if (x->state == INSTANCE_ASKED) /* who cannot say that it is there does not execute */
		(void)shutdown(x->status_fd, SHUT_RDWR);
	if (x->state != INSTANCE_EXECUTING && x->state != INSTANCE_RUNNING)
		return 0; /* it is gone already, and EXITED is on its way */
	/* Our own child, not reaped yet: the number cannot belong to anybody else. */
	if (request->flags & MSG_SIGNAL_GROUP && kill(-m->pids[i], request->signo) == 0)
		return 0;
	/* Alone, or not yet the leader of its own group (setsid comes before exec). */
	(void)kill(m->pids[i], request->signo); /* fails only if it is a zombie: EXITED follows */
	return 0;
}

/* What orphan_find() found is what it says only if it is a child of ours, and new. */
static void
instance_adopt(const struct monitor *m, struct instance *x, pid_t pid)
{
	if (pid_is_new(m, pid))
		m->pids[x - m->instances] = pid; /* its finder is reaped as nobody's */
	else
		x->error = ESRCH;
}

/* A spawner's child says that it is there, before it does anything else. Who it is, is the kernel's
 * word; whose it is, its user must be. Return: 0, -EAGAIN, or -errno: there will be none. */
static int
instance_meet(struct monitor *m, struct instance *x)
{
	struct enter_failure f = { 0 };
	struct fdpass_msg got;
	int r = fdpass_recv(x->status_fd, &f, sizeof(f), NULL, 0, &got);

	if (r == -EAGAIN)
		return r;
	if (r == 0 &&
	    (got.len != sizeof(f) || f.step != ENTER_FOUND || !pid_is_new(m, got.cred.pid) ||
		got.cred.uid != plan_unit(m->plan, x->request.unit)->exec.uid))
		r = -EPROTO;
	m->n_asked--;
	if (r < 0)
		return r;
	m->pids[x - m->instances] = got.cred.pid;
	x->state = INSTANCE_EXECUTING;
	return 0;
}

void
instance_settle(struct monitor *m, uint32_t i)
{
	struct instance *x = &m->instances[i];
	struct enter_failure f = { .step = ENTER_FOUND }; /* with pid 0: none */
	ssize_t n;
	int r;

	if (x->state == INSTANCE_ASKED) {
		r = instance_meet(m, x);
		if (r < 0 && r != -EAGAIN)
			instance_fail(m, x, ECHILD);
	}
	if (x->state != INSTANCE_EXECUTING)
		return;
	if (x->request.flags &
	    MSG_START_SPAWNED) /* the manager made it: it need not be non-blocking */
		n = recv(x->status_fd, &f, sizeof(f), MSG_DONTWAIT);
	else
		n = read(x->status_fd, &f, sizeof(f));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (x->request.slot == COMMAND_ADOPT && f.step == ENTER_FOUND)
		instance_adopt(m, x, f.error);
	else if (n == sizeof(f) && f.step < ENTER_STEP_END && f.error > 0) {
		x->step = (int32_t)f.step;
		x->error = f.error;
	}
	monitor_unwatch(m, &x->status_fd);
	x->state = INSTANCE_RUNNING;
	if (x->request.slot == COMMAND_ADOPT &&
	    x->error) { /* there is no process to this instance */
		x->state = INSTANCE_GONE;
		m->pids[i] = 0;
	}
	instance_owe(m, x, &x->owes_started);
}

/* Somebody ended of whom nothing is known, or not yet: what was said of it is still to be read. */
static struct instance *
instance_of_stranger(struct monitor *m, pid_t pid)
{
	m->reaped = pid;
	link_read(m);
	for (uint32_t i = 0; m->n_asked > 0 && i < m->n_used; i++)
		if (m->instances[i].state == INSTANCE_ASKED)
			instance_settle(m, i);
	m->reaped = 0;
	return instance_of(m, pid);
}

bool
instance_reaped(struct monitor *m, pid_t pid, int32_t code, int32_t status)
{
	struct instance *x = instance_of(m, pid);
	uint32_t i;

	if (!x)
		x = instance_of_stranger(m, pid);
	if (!x)
		return false;
	/* A child that failed to execute has written its reason before it exited. */
	i = (uint32_t)(x - m->instances);
	instance_settle(m, i);
	if (m->pids[i] != pid)
		return true; /* it had only looked for somebody: instance_adopt() */
	if (x->state == INSTANCE_EXECUTING) { /* before or just after it executed */
		monitor_unwatch(m, &x->status_fd);
		instance_owe(m, x, &x->owes_started);
	}
	x->state = INSTANCE_GONE;
	x->code = code;
	x->status = status;
	instance_owe(m, x, &x->owes_exited);
	return true;
}
