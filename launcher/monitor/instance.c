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
#include <sys/random.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/num.h"
#include "launcher/enter/condition.h"
#include "launcher/enter/connection.h"
#include "launcher/enter/directories.h"
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

/* The descriptors of a service: its socket units in the plan's order, each in file order. */
static uint32_t
collect_fds(const struct monitor *m, const struct plan_unit *u, struct enter_fd *fds)
{
	uint32_t n = 0;

	PLAN_FOREACH (m->plan, u->service.sockets, struct plan_index, x) {
		const struct plan_unit *s = plan_unit(m->plan, x->index);

		PLAN_FOREACH (m->plan, s->socket.listens, struct plan_listen, l) {
			if (n == ENTER_FDS_MAX)
				return n; /* the loader refuses such a plan */
			fds[n++] = (struct enter_fd){ .fd = m->listen_fds[l->index],
				.name = plan_str(m->plan, s->socket.fd_name) };
		}
	}
	return n;
}

/* NOTIFY_SOCKET is for those who may use it: systemd.service(5), NotifyAccess=. */
static const char *
notify_path(const struct monitor *m, const struct plan_unit *u, uint32_t slot)
{
	static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char index[NUM_TEXT_MAX];
	struct buf b;

	if (m->notify_fds[u->index] < 0 ||
	    (slot != COMMAND_START && u->service.notify_access == NOTIFY_ACCESS_MAIN))
		return NULL;
	buf_init(&b, path, sizeof(path));
	(void)buf_puts(&b, m->runtime_dir);
	(void)buf_puts(&b, "/notify/");
	(void)buf_puts(&b, num_format(index, u->index));
	return path; /* it fitted when it was bound */
}

/* In the child. */
static _Noreturn void
instance_child(const struct monitor *m, const struct plan_unit *u, const struct plan_command *c,
    const struct msg *request, const int *passed, int status_fd)
{
	static struct enter_fd fds[ENTER_FDS_MAX]; /* pages that only a child touches */
	uint8_t id[16];
	struct enter e = {
		.plan = m->plan,
		.unit = u,
		.command = c,
		.slot = request->slot,
		.fds = fds,
		.stdio_fd = STDERR_FILENO,
		.detached = true,
		.notify_path = notify_path(m, u, request->slot),
		.watchdog_usec = request->watchdog_usec,
		.main_pid = request->pid,
		.nofile = &m->nofile,
		.status_fd = status_fd,
	};

	if (request->slot == COMMAND_CHECK)
		_exit(unit_conditions_met(m->plan, u));
	if (request->slot == COMMAND_CLEAN)
		_exit(directories_remove(&e) < 0 ? enter_step_exit_code(ENTER_DIRECTORIES) : 0);
	if (request->flags & MSG_START_CONNECTION)
		connection_enter(&e, fds, passed[0], request->number);
	else if (request->slot == COMMAND_START)
		e.n_fds = collect_fds(m, u, fds);
	if (getrandom(id, sizeof(id), GRND_NONBLOCK) == sizeof(id))
		e.invocation_id = id;
	enter_run(&e);
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

/* No fork: a process that is there already becomes an instance. */
static int
instance_adopt(struct monitor *m, struct instance *x, const struct plan_unit *u, pid_t named)
{
	const int r = instance_find_orphan(m, u, named, &x->pid);

	if (r < 0)
		return r;
	x->state = INSTANCE_RUNNING;
	x->started_usec = clock_usec();
	x->owes_started = m->owing = true;
	return 0;
}

/* What the manager may ask for though no unit file has a line for it. */
static bool
is_extra(const struct plan_unit *u, const struct msg *request)
{
	return request->slot == COMMAND_CLEAN || request->slot == COMMAND_CHECK ||
	       (request->slot == COMMAND_ADOPT &&
		   (u->service.type == SERVICE_FORKING || request->pid > 0));
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
	uint32_t generation;
	int r;

	/* msg.c let a descriptor through only together with the flag */
	assert(n_fds == (request->flags & MSG_START_CONNECTION ? 1 : 0));
	if (!x || (!c && !(u && u->kind == UNIT_SERVICE && is_extra(u, request))))
		return -EPROTO;
	generation = x->generation + 1 ? x->generation + 1 : 1;
	*x = (struct instance){ .generation = generation,
		.unit = request->unit,
		.slot = request->slot,
		.command = request->command,
		.seq = request->seq,
		.status_fd = -EBADF };
	r = request->slot == COMMAND_ADOPT ? instance_adopt(m, x, u, request->pid)
					   : instance_fork(m, x, u, c, request, fds);
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
	if (request->scope == MSG_SIGNAL_GROUP && kill(-x->pid, request->signo) == 0)
		return 0;
	/* Alone, or not yet the leader of its own group (setsid comes before exec). */
	(void)kill(x->pid, request->signo); /* fails only if it is a zombie: EXITED follows */
	return 0;
}

void
instance_settle(struct monitor *m, uint32_t i)
{
	struct instance *x = &m->instances[i];
	struct enter_failure f;
	ssize_t n;

	if (x->state != INSTANCE_EXECUTING)
		return;
	n = read(x->status_fd, &f, sizeof(f));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(f) && f.step < ENTER_STEP_END && f.error > 0) {
		x->step = (int32_t)f.step;
		x->error = f.error;
	}
	fd_closep(&x->status_fd); /* leaves epoll with it */
	x->state = INSTANCE_RUNNING;
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
		if (x->state == INSTANCE_EXECUTING) { /* killed before it could do either */
			fd_closep(&x->status_fd);
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
