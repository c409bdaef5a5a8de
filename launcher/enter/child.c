/*
 * child.c - see child.h.
 */
#include "launcher/enter/child.h"

#include <sys/prctl.h>
#include <sys/random.h>

#include "common/num.h"
#include "launcher/enter/condition.h"
#include "launcher/enter/connection.h"
#include "launcher/enter/directories.h"
#include "launcher/enter/fds.h"
#include "launcher/enter/orphan.h"

static struct enter_fd fds[ENTER_FDS_MAX]; /* pages that only a child touches */

/* Not where a condition kept it from being opened, nor while it is stopped and so closed. */
static bool
is_open(int fd, const struct plan_listen *l)
{
	int listens = 1;
	socklen_t len = sizeof(listens);

	if (fd >= 0 && l->kind == LISTEN_STREAM)
		(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	return fd >= 0 && listens;
}

/* The descriptors of a service: its socket units in the plan's order, each in file order. */
static void
collect_fds(struct child *c)
{
	const struct plan *p = c->enter.plan;

	PLAN_FOREACH (p, c->enter.unit->service.sockets, struct plan_index, x) {
		const struct plan_unit *s = plan_unit(p, x->index);

		PLAN_FOREACH (p, s->socket.listens, struct plan_listen, l) {
			if (!is_open(c->listen_fds[l->index], l))
				continue;
			if (c->enter.n_fds == ENTER_FDS_MAX)
				return; /* the loader refuses such a plan */
			fds[c->enter.n_fds++] = (struct enter_fd){
				.fd = c->listen_fds[l->index],
				.name = plan_str(p, s->socket.fd_name),
			};
		}
	}
}

/* NOTIFY_SOCKET is for those who may use it: systemd.service(5), NotifyAccess=. */
static const char *
notify_path(const struct child *c)
{
	static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const struct plan_unit *u = c->enter.unit;
	char index[NUM_TEXT_MAX];
	struct buf b;

	if (c->notify_fds[u->index] < 0 ||
	    (c->enter.slot != COMMAND_START && u->service.notify_access == NOTIFY_ACCESS_MAIN))
		return NULL;
	buf_init(&b, path, sizeof(path));
	(void)buf_puts(&b, c->runtime_dir);
	(void)buf_puts(&b, "/notify/");
	(void)buf_puts(&b, num_format(index, u->index));
	return path; /* it fitted when it was bound */
}

/* Which orphan is the main process? The monitor reads the answer from the status pipe. */
static _Noreturn void
child_find(const struct child *c)
{
	struct enter_failure f = { .step = ENTER_FOUND };
	const int r = orphan_find(&c->enter, c->known, c->n_known, &f.error);

	if (r < 0)
		f = (struct enter_failure){ .step = ENTER_EXEC, .error = -r };
	(void)!write(c->enter.status_fd, &f, sizeof(f)); /* nothing written reads as "none" */
	_exit(0);
}

/* What is only known, or made, here. */
static void
child_fill(struct child *c)
{
	static uint8_t id[16];
	struct enter *e = &c->enter;

	e->fds = fds;
	e->notify_path = notify_path(c);
	if (c->connection >= 0)
		connection_enter(e, fds, c->connection, c->number);
	else if (e->slot == COMMAND_START)
		collect_fds(c);
	if (getrandom(id, sizeof(id), GRND_NONBLOCK) == sizeof(id))
		e->invocation_id = id;
}

/* A spawner. All that is open from here on: 0 to 2, the log, the socket. */
static _Noreturn void
child_spawn(struct child *c)
{
	const int kept[] = { c->enter.stdio_fd, c->connection };
	int r = fds_arrange(kept, ELEMENTSOF(kept), ENTER_FDS_FIRST, &c->enter.status_fd);

	c->enter.stdio_fd = ENTER_FDS_FIRST;
	c->connection = ENTER_FDS_FIRST + 1;
	c->enter.slot = COMMAND_START;
	c->enter.command = plan_command(c->enter.plan, c->enter.unit, COMMAND_START, 0);
	if (r < 0 || setsid() < 0)
		_exit(EXIT_FAILURE);
	enter_become_or_exit(&c->enter);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    geteuid() == 0)
		_exit(EXIT_FAILURE);
	c->enter.status_fd = fd_close(c->enter.status_fd); /* as if it had executed */
	c->spawn_serve(c);
	_exit(0);
}

void
child_run(struct child *c)
{
	struct enter *e = &c->enter;

	if (e->slot == COMMAND_ADOPT)
		child_find(c);
	if (e->slot == COMMAND_CHECK)
		_exit(unit_conditions_met(e->plan, e->unit));
	if (e->slot == COMMAND_CLEAN)
		_exit(directories_remove(e) < 0 ? enter_step_exit_code(ENTER_DIRECTORIES) : 0);
	if (e->slot == COMMAND_SPAWN)
		child_spawn(c);
	child_fill(c);
	enter_become_or_exit(e);
	enter_exec(e);
}

void
child_go_on(struct child *c)
{
	child_fill(c);
	enter_again(&c->enter);
}
