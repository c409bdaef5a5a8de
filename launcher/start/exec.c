/*
 * exec.c - see exec.h.
 *
 * The road is that of unit files: the options become a plan, sock_open() and enter.h do the rest.
 */
#include "launcher/start/exec.h"

#include <fcntl.h>
#include <getopt.h>
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

/* Options without a letter. */
enum { O_SEQPACKET = 256, O_INETD, O_FDNAME, O_ROOT };

struct exec_run {
	struct exec_options options;
	struct monitor monitor; /* for the plan, and for who reads the options */
	struct enter enter;
	struct enter_fd fds[ENTER_FDS_MAX];
};

static int
exec_say(int code, const char *message, const char *argument)
{
	log_error("exec: %s%s%s%s", message, argument ? ": " : "", argument ? argument : "",
	    code == EX_USAGE ? "; see --help" : "");
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
	const struct exec_options *o = &x->options;

	for (uint32_t i = 0; i < x->enter.n_fds && o->n_fd_names > 0; i++)
		if (o->n_fd_names == 1)
			x->fds[i].name = o->fd_names[0];
		else
			x->fds[i].name = i < o->n_fd_names ? o->fd_names[i] : "";
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
	x->enter.inetd = x->options.inetd;
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
	if (x->options.accept)
		(void)signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended: the kernel reaps */
	for (;;) {
		const uint32_t i = wait_for_traffic(x);

		if (!x->options.accept)
			execute(x);
		accept_one(x, i);
	}
}

static int
add(const char *list[EXEC_LIST_MAX], size_t *n, const char *text)
{
	if (*n == EXEC_LIST_MAX)
		return exec_say(EX_USAGE, "given too often", text);
	list[(*n)++] = text;
	return 0;
}

/* Cuts the argument itself up; it lives as long as we do. */
static int
add_names(struct exec_options *o, char *names)
{
	int r = 0;

	for (char *next; names && r == 0; names = next) {
		next = strchr(names, ':');
		if (next)
			*next++ = '\0';
		r = add(o->fd_names, &o->n_fd_names, names);
	}
	return r;
}

/* One option. Return: 0 to go on, or an exit code. */
static int
take_option(struct exec_options *o, int c)
{
	switch (c) {
	case 'l':
		return add(o->listens, &o->n_listens, optarg);
	case 'E':
		return add(o->variables, &o->n_variables, optarg);
	case 'u':
		o->user = optarg;
		return 0;
	case 'd':
	case O_SEQPACKET:
		if (o->kind != LISTEN_STREAM)
			return exec_say(
			    EX_USAGE, "--datagram and --seqpacket are one choice", NULL);
		o->kind = c == 'd' ? LISTEN_DGRAM : LISTEN_SEQPACKET;
		return 0;
	case 'a':
		o->accept = true;
		return 0;
	case O_INETD:
		o->inetd = true;
		return 0;
	case O_FDNAME:
		return add_names(o, optarg);
	case O_ROOT:
		o->allow_root = true;
		return 0;
	default:
		return EX_USAGE; /* getopt has said why */
	}
}

/* Return: 0 to go on, or an exit code with *ret_done set. */
static int
exec_parse(struct exec_options *o, int argc, char **argv, bool *ret_done)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "user", required_argument, NULL, 'u' },
		{ "datagram", no_argument, NULL, 'd' },
		{ "seqpacket", no_argument, NULL, O_SEQPACKET },
		{ "accept", no_argument, NULL, 'a' },
		{ "inetd", no_argument, NULL, O_INETD },
		{ "fdname", required_argument, NULL, O_FDNAME },
		{ "setenv", required_argument, NULL, 'E' },
		{ "allow-root-services", no_argument, NULL, O_ROOT },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, r;

	*ret_done = true;
	while ((c = getopt_long(argc, argv, "+l:u:daE:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(help_exec, stdout); /* a closed stdout is the reader's choice */
			return 0;
		}
		r = take_option(o, c);
		if (r != 0)
			return r;
	}
	if (optind == argc)
		return exec_say(EX_USAGE, "no COMMAND given", NULL);
	if (o->accept && o->kind == LISTEN_DGRAM)
		return exec_say(EX_USAGE, "datagram sockets do not accept connections", NULL);
	o->command = argv + optind;
	*ret_done = false;
	return 0;
}

/* The plan, and the sockets. Return: 0 or an exit code. */
static int
prepare_exec(struct exec_run *x, struct why *why)
{
	const struct exec_options *o = &x->options;
	int r;

	if (geteuid() == 0 && !o->user && !o->allow_root)
		return exec_say(EX_NOPERM,
		    "called as root without -u: COMMAND would be root; "
		    "not without --allow-root-services",
		    NULL);
	r = plan_isolate(
	    &x->monitor, NULL, exec_plan_write, &x->options, o->allow_root || geteuid() != 0, why);
	if (r > 0)
		return r; /* said already */
	if (r < 0)
		return exec_say(EX_OSERR, why->text, NULL);
	if (take_inherited(x, why) < 0 || open_all(x, why) < 0)
		return exec_say(EX_UNAVAILABLE, why->text, NULL);
	if (x->enter.n_fds == 0)
		return exec_say(EX_USAGE, "no -l, and no descriptors were passed to us", NULL);
	if (o->inetd && !o->accept && x->enter.n_fds != 1)
		return exec_say(EX_USAGE, "--inetd without -a takes one socket", NULL);
	name_descriptors(x);
	return 0;
}

int
exec_main(int argc, char **argv)
{
	static struct exec_run x; /* large, and lives as long as we do */
	struct enter_failure failure;
	struct why why = { "" };
	bool done;
	int r = exec_parse(&x.options, argc, argv, &done);

	if (!done)
		r = prepare_exec(&x, &why);
	if (done || r != 0)
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
	exec_serve(&x);
}
