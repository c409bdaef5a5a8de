/*
 * exec.c - see exec.h.
 *
 * The road is that of unit files: the reader makes a plan of the options, sock_open() and enter.h
 * do the rest.
 */
#include "launcher/start/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/enter.h"
#include "launcher/enter/stdio.h"
#include "launcher/help.h"
#include "launcher/load/exec_plan.h"
#include "launcher/start/inherit.h"
#include "launcher/start/isolate.h"
#include "launcher/start/sock_open.h"

#define SHED_PAUSE_MSEC 100

struct exec_run {
	struct monitor monitor; /* for the plan, and for who reads the options */
	struct enter enter;
	struct enter_fd fds[ENTER_FDS_MAX];
};

static int
exec_say(int code, const char *message)
{
	log_error("exec: %s%s", message, code == EX_USAGE ? "; see --help" : "");
	return code;
}

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

/* One name goes to all; else one each, those too many are ignored and the rest has none. */
static void
name_descriptors(struct exec_run *x)
{
	const struct plan *p = x->monitor.plan;
	const struct plan_list *names = &plan_unit(p, EXEC_SOCKET)->socket.fd_names;
	struct ref at = names->head;

	for (uint32_t i = 0; i < x->enter.n_fds && names->n > 0; i++) {
		const struct plan_word *w = plan_at(p, at, sizeof(*w));

		x->fds[i].name = w ? plan_str(p, w->text) : "";
		if (w && names->n > 1)
			at = w->next;
	}
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

/* Until there is traffic on one of the descriptors. Return: its index. */
static uint32_t
wait_for_traffic(const struct exec_run *x)
{
	static struct pollfd polls[ENTER_FDS_MAX];

	for (;;) {
		for (uint32_t i = 0; i < x->enter.n_fds; i++)
			polls[i] = (struct pollfd){ .fd = x->fds[i].fd, .events = POLLIN };
		if (poll(polls, x->enter.n_fds, -1) < 0)
			continue; /* EINTR; what else poll(2) knows cannot happen here */
		for (uint32_t i = 0; i < x->enter.n_fds; i++)
			if (polls[i].revents)
				return i;
	}
}

/* --inetd comes into force here: until now 0 and 1 were the caller's, and the log's. */
static _Noreturn void
execute(struct exec_run *x)
{
	x->enter.inetd = x->enter.unit->exec.stdin_to.kind == STDIO_SOCKET;
	if (stdio_arrange(&x->enter) < 0)
		_exit(enter_step_exit_code(ENTER_STDIO));
	enter_exec(&x->enter);
}

/* -a: one process a connection. We have the user's rights by now, and stay. */
static void
accept_one(struct exec_run *x, uint32_t i)
{
	_cleanup_fd_ int fd = accept4(x->fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
	struct enter_fd one = { .name = x->fds[i].name };
	pid_t pid;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_warning("accept: %s; waiting", strerror(errno));
			(void)poll(NULL, 0, SHED_PAUSE_MSEC);
		}
		return; /* anything else is the peer's doing, or somebody was faster */
	}
	pid = fork();
	if (pid < 0) {
		log_warning("fork: %s; connection closed", strerror(errno));
		return;
	}
	if (pid > 0)
		return;
	one.fd = fd;
	x->enter.fds = &one;
	x->enter.n_fds = 1;
	execute(x);
}

static _Noreturn void
exec_serve(struct exec_run *x)
{
	const bool accepts = plan_unit(x->monitor.plan, EXEC_SOCKET)->socket.accept;

	if (accepts)
		(void)signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended: the kernel reaps */
	for (;;) {
		const uint32_t i = wait_for_traffic(x);

		if (!accepts)
			execute(x);
		accept_one(x, i);
	}
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
	const struct plan_unit *socket;
	int r = plan_isolate(&x->monitor, NULL, exec_plan_write, argv,
	    allow_root || geteuid() != 0 ? ALLOW_ROOT : ALLOW_NOTHING, why);

	if (r > 0)
		return r; /* said already */
	if (r < 0)
		return exec_say(EX_OSERR, why->text);
	if (take_inherited(x, why) < 0 || open_all(x, why) < 0)
		return exec_say(EX_UNAVAILABLE, why->text);
	x->enter.plan = x->monitor.plan;
	x->enter.unit = plan_unit(x->enter.plan, EXEC_SERVICE);
	socket = plan_unit(x->enter.plan, EXEC_SOCKET);
	if (x->enter.n_fds == 0)
		return exec_say(EX_USAGE, "no -l, and no descriptors were passed to us");
	if (x->enter.unit->exec.stdin_to.kind == STDIO_SOCKET && !socket->socket.accept &&
	    x->enter.n_fds != 1)
		return exec_say(EX_USAGE, "--inetd without -a takes one socket");
	name_descriptors(x);
	return 0;
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
	if (r != 0)
		return r;
	x.enter.command = plan_command(x.enter.plan, x.enter.unit, COMMAND_START, 0);
	x.enter.fds = x.fds;
	x.enter.stdio_fd = -EBADF;
	x.enter.status_fd = -EBADF;
	if (enter_become(&x.enter, &failure) < 0) {
		log_error("exec: %s: %s", enter_step_name(failure.step), strerror(failure.error));
		return enter_step_exit_code(failure.step);
	}
	exec_serve(&x);
}
