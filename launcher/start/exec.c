/*
 * exec.c - see exec.h.
 *
 * The road is that of unit files: the reader makes a plan of the options, sock_open() and enter.h
 * do the rest.
 */
#include "launcher/start/exec.h"

#include <fcntl.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/enter.h"
#include "launcher/help.h"
#include "launcher/load/exec_plan.h"
#include "launcher/start/inherit.h"
#include "launcher/start/isolate.h"
#include "launcher/start/sock_open.h"
#include "launcher/user/wait.h"

struct exec_run {
	struct monitor monitor; /* for the plan, and for who reads the options */
	struct enter enter;
	struct enter_fd fds[ENTER_FDS_MAX];
};

/* Descriptors that we were given ourselves (sd_listen_fds(3)) come first. */
static int
take_inherited(struct exec_run *x, struct why *why)
{
	struct inherit inherited;
	const int r = inherit_init(&inherited, why);

	for (uint32_t i = 0; r == 0 && i < inherited.n; i++)
		x->fds[x->enter.n_fds++].fd = inherited.fds[i];
	return r;
}

static int
open_all(struct exec_run *x, struct why *why)
{
	const struct plan *p = x->monitor.plan;

	for (uint32_t i = 0; i < p->n_listens; i++) {
		struct why warn;
		int fd, r;

		if (x->enter.n_fds == ENTER_FDS_MAX)
			return why_set(why, -E2BIG, "too many descriptors");
		r = sock_open(p, plan_unit(p, EXEC_SOCKET), plan_listen(p, i), &fd, &warn, why);
		if (r < 0)
			return r;
		x->fds[x->enter.n_fds++].fd = fd;
	}
	return 0;
}

/* The two options that are not only the reader's. Return: true when help is all that is wanted. */
static bool
scan_options(int argc, char **argv, bool *ret_allow_root)
{
	int c;

	opterr = 0; /* the reader says what is wrong */
	while ((c = getopt_long(argc, argv, EXEC_LETTERS, exec_long_options, NULL)) != -1) {
		if (c == 'h')
			return true;
		if (c == EXEC_ALLOW_ROOT)
			*ret_allow_root = true;
	}
	return false;
}

/* The plan, and the sockets. Return: 0 or an exit code. */
static int
prepare_exec(struct exec_run *x, char **argv, bool allow_root, struct why *why)
{
	int r = plan_isolate(&x->monitor, NULL, exec_plan_write, argv,
	    allow_root || geteuid() != 0 ? ALLOW_ROOT : ALLOW_NOTHING, why);

	if (r != 0)
		return r < 0 ? EX_OSERR : r; /* of a positive one the reader has said why */
	return take_inherited(x, why) < 0 || open_all(x, why) < 0 ? EX_UNAVAILABLE : 0;
}

int
exec_main(int argc, char **argv)
{
	static struct exec_run x; /* large, and lives as long as we do */
	struct enter_failure failure;
	struct why why = { "" };
	bool allow_root = false;
	int r;

	if (scan_options(argc, argv, &allow_root)) {
		(void)fputs(help_exec, stdout); /* a closed stdout is the reader's choice */
		return 0;
	}
	r = prepare_exec(&x, argv, allow_root, &why);
	if (why.text[0])
		log_error("exec: %s", why.text);
	if (r != 0)
		return r;
	x.enter.plan = x.monitor.plan;
	x.enter.unit = plan_unit(x.enter.plan, EXEC_SERVICE);
	x.enter.command = plan_command(x.enter.plan, x.enter.unit, COMMAND_START, 0);
	x.enter.fds = x.fds;
	x.enter.stdio_fd = -EBADF;
	x.enter.status_fd = -EBADF;
	if (enter_become(&x.enter, &failure) < 0) {
		log_error("exec: %s: %s", enter_step_name(failure.step), strerror(failure.error));
		return enter_step_exit_code(failure.step);
	}
	return exec_wait(&x.enter, x.fds, &plan_unit(x.enter.plan, EXEC_SOCKET)->socket);
}
