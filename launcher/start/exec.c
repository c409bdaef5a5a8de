/*
 * exec.c - see exec.h.
 *
 * There are no unit files here, but the road is the same: the options are written into a plan, and
 * sock_open() and enter.h do the rest, so that there is one place that binds and one that drops.
 */
#include "launcher/start/exec.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/num.h"
#include "launcher/enter/enter.h"
#include "launcher/enter/stdio.h"
#include "launcher/start/inherit.h"
#include "launcher/start/sock_open.h"
#include "launcher/unit/addr.h"
#include "launcher/unit/build.h"
#include "launcher/unit/resolve.h"

#define SHED_PAUSE_MSEC 100

struct exec_run {
	struct build build;
	const struct plan *plan;
	const struct plan_unit *socket, *service;
	struct plan_unit *new_socket, *new_service; /* while the plan is being written */
	struct enter enter;
	struct enter_fd fds[ENTER_FDS_MAX];
	enum listen_kind kind;
	const char *user, *fd_names;
	bool accept, inetd, allow_root;
};

static const char exec_help[] =
    "Usage: sallyport exec -l ADDRESS... [OPTION]... -- COMMAND [ARGUMENT]...\n"
    "Bind, become USER, wait for traffic, execute COMMAND. Nothing of the launcher stays.\n"
    "\n"
    "  -l, --listen ADDRESS       PORT, IP:PORT, [IPv6]:PORT, /path or @name (repeatable)\n"
    "  -u, --user USER[:GROUP]    who COMMAND runs as; needed when called as root\n"
    "  -d, --datagram             datagram sockets\n"
    "      --seqpacket            sequential-packet sockets\n"
    "  -a, --accept               accept, and execute COMMAND for each connection\n"
    "      --inetd                pass the socket as standard input and output\n"
    "      --fdname NAME[:NAME]   names for the descriptors\n"
    "  -E, --setenv VAR[=VALUE]   set a variable, or pass it on (repeatable)\n"
    "      --allow-root-services  called as root without -u: let COMMAND run as root\n"
    "  -h, --help\n"
    "\n"
    "Descriptors that this process was itself activated with are passed on first.\n"
    "See sallyport(8) and systemd-socket-activate(1).\n";

static int
usage(const char *message, const char *argument)
{
	log_error(
	    "exec: %s%s%s; see --help", message, argument ? ": " : "", argument ? argument : "");
	return EX_USAGE;
}

/* The addresses are parsed when all options are known: -d may follow -l. */
static int
add_listener(struct exec_run *x, const char *text, struct why *why)
{
	struct plan_listen *l;
	struct addr a;
	const int r = addr_parse(text, &a, why);

	if (r < 0)
		return r;
	if (x->build.plan->n_listens == PLAN_LISTENS_MAX)
		return why_set(why, -E2BIG, "%s: too many addresses", text);
	l = build_append(&x->build, &x->new_socket->socket.listens, sizeof(*l));
	l->index = x->build.plan->n_listens;
	l->unit = x->new_socket->index;
	l->kind = x->kind;
	l->addr.storage = a.u.storage;
	l->addr_len = a.len;
	l->any_family = a.any_family;
	l->text = build_str(&x->build, text);
	x->build.plan->listens[x->build.plan->n_listens++] = x->new_socket->socket.listens.tail;
	return 0;
}

/* -E VAR=VALUE, or -E VAR: then the value is ours, and without one there is none. */
static void
add_variable(struct exec_run *x, const char *text)
{
	char entry[8192];
	const char *value = getenv(text);
	struct buf b;

	buf_init(&b, entry, sizeof(entry));
	if (strchr(text, '='))
		build_append_word(&x->build, &x->new_service->exec.environment, text);
	else if (value && buf_printf(&b, "%s=%s", text, value) == 0)
		build_append_word(&x->build, &x->new_service->exec.environment, entry);
}

static int
set_user(struct exec_run *x, struct why *why)
{
	static struct resolved who; /* large */
	struct plan_exec *e = &x->new_service->exec;
	char user[256];
	const char *group;
	struct ref r;
	int error;

	if (!x->user) {
		add_variable(x, "USER");
		add_variable(x, "HOME");
		return 0;
	}
	group = strchr(x->user, ':');
	if (str_copy(user, sizeof(user), x->user) < 0)
		return why_set(why, -ENAMETOOLONG, "user");
	if (group)
		user[group++ - x->user] = '\0';
	error = resolve_names(user, group, &who, why);
	if (error < 0)
		return error;
	if ((who.uid == 0 || who.gid == 0) && !x->allow_root)
		return why_set(
		    why, -EPERM, "%s is root: not without --allow-root-services", x->user);
	e->has_user = true;
	e->uid = who.uid;
	e->gid = who.gid;
	e->n_groups = who.n_groups;
	memcpy(build_alloc(&x->build, who.n_groups * sizeof(gid_t) + 1, &r), who.groups,
	    who.n_groups * sizeof(gid_t));
	e->groups = r;
	e->user_name = build_str(&x->build, who.name);
	e->home = build_str(&x->build, who.home[0] ? who.home : NULL);
	e->shell = build_str(&x->build, who.shell[0] ? who.shell : NULL);
	return 0;
}

/* Where execvp(3) would find it; a name that is nowhere is left to fail at exec. */
static struct ref
find_command(struct exec_run *x, const char *name)
{
	const char *p = getenv("PATH");
	char path[4096];

	if (!p || !*p || strchr(name, '/'))
		return build_str(&x->build, name);
	while (*p) {
		const char *end = strchrnul(p, ':');

		if (snprintf(path, sizeof(path), "%.*s/%s", (int)(end - p), p, name) <
			(int)sizeof(path) &&
		    access(path, X_OK) == 0)
			return build_str(&x->build, path);
		p = *end ? end + 1 : end;
	}
	return build_str(&x->build, name);
}

static void
set_command(struct exec_run *x, char **argv)
{
	struct plan_command *c =
	    build_append(&x->build, &x->new_service->service.commands[COMMAND_START], sizeof(*c));

	c->path = find_command(x, argv[0]);
	c->flags = COMMAND_NO_ENV_EXPAND;
	for (; *argv; argv++)
		build_append_word(&x->build, &c->argv, *argv);
}

static int
begin_plan(struct exec_run *x, struct why *why)
{
	const int r = build_init(&x->build, why);
	mode_t mask;

	if (r < 0)
		return r;
	x->new_socket = build_unit(&x->build, UNIT_SOCKET, "exec.socket");
	x->new_service = build_unit(&x->build, UNIT_SERVICE, "exec.service");
	mask = umask(0); /* only asked for: the command gets it as it was */
	(void)umask(mask);
	x->new_socket->socket.mode = 0666 & ~mask;
	x->new_socket->socket.directory_mode = 0755;
	x->new_socket->socket.backlog = UINT32_MAX;
	x->new_socket->socket.uid = (uid_t)-1;
	x->new_socket->socket.gid = (gid_t)-1;
	add_variable(x, "TERM");
	add_variable(x, "PATH");
	return 0;
}

static int
finish_plan(struct exec_run *x, char **argv, struct why *why)
{
	_cleanup_fd_ int fd = -EBADF;
	const bool stays_root = geteuid() == 0 && !x->user;
	int r;

	if (stays_root && !x->allow_root)
		return why_set(why, -EPERM,
		    "called as root without -u: COMMAND would be root; "
		    "not without --allow-root-services");
	x->new_service->exec.no_new_privs = !stays_root;
	x->new_service->exec.cap_bounding = stays_root ? UINT64_MAX : 0;
	r = set_user(x, why);
	if (r < 0)
		return r;
	set_command(x, argv);
	r = build_freeze(&x->build, &fd, why);
	if (r == 0)
		r = plan_map(fd, &x->plan, why);
	if (r < 0)
		return r;
	x->socket = plan_unit(x->plan, 0);
	x->service = plan_unit(x->plan, 1);
	return 0;
}

/* Descriptors that we were given ourselves (sd_listen_fds(3)) come first. */
static int
take_inherited(struct exec_run *x, struct why *why)
{
	static struct inherit inherited; /* large */
	const int r = inherit_init(&inherited, why);

	for (uint32_t i = 0; r == 0 && i < inherited.n; i++)
		x->fds[x->enter.n_fds++].fd = inherited.fds[i];
	return r;
}

/* One name for all, or one for each. */
static int
name_descriptors(struct exec_run *x, char *names, struct why *why)
{
	uint32_t n = 1;

	if (!names)
		return 0;
	for (char *p = names; *p; p++)
		n += *p == ':';
	if (n != 1 && n != x->enter.n_fds)
		return why_set(
		    why, -EINVAL, "--fdname: %u names for %u descriptors", n, x->enter.n_fds);
	for (uint32_t i = 0; i < x->enter.n_fds; i++) {
		x->fds[i].name = names;
		if (n == 1)
			continue;
		names = strchrnul(names, ':');
		if (*names)
			*names++ = '\0';
	}
	return 0;
}

static int
open_all(struct exec_run *x, struct why *why)
{
	for (uint32_t i = 0; i < x->plan->n_listens; i++) {
		struct why warn;
		int fd;
		const int r =
		    x->enter.n_fds == ENTER_FDS_MAX
			? why_set(why, -E2BIG, "too many descriptors")
			: sock_open(x->plan, x->socket, plan_listen(x->plan, i), &fd, &warn, why);

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
	x->enter.inetd = x->inetd;
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
serve(struct exec_run *x)
{
	if (x->accept)
		(void)signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended: the kernel reaps */
	for (;;) {
		const uint32_t i = wait_for_traffic(x);

		if (!x->accept)
			execute(x);
		accept_one(x, i);
	}
}

/* One pass over the options for all but the addresses, which need to know the type. */
static int
parse_options(struct exec_run *x, int argc, char **argv, bool *ret_done, struct why *why)
{
	enum { O_SEQPACKET = 256, O_INETD, O_FDNAME, O_ROOT };
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
	int c;

	*ret_done = true;
	for (int pass = 0; pass < 2; pass++) {
		optind = 1;
		while ((c = getopt_long(argc, argv, "+l:u:daE:h", options, NULL)) != -1) {
			if (c == 'l' && pass == 1 && add_listener(x, optarg, why) < 0)
				return usage("-l", why->text);
			if (pass == 1)
				continue;
			switch (c) {
			case 'l':
				break;
			case 'u':
				x->user = optarg;
				break;
			case 'd':
			case O_SEQPACKET:
				if (x->kind != LISTEN_STREAM)
					return usage(
					    "--datagram and --seqpacket are one choice", NULL);
				x->kind = c == 'd' ? LISTEN_DGRAM : LISTEN_SEQPACKET;
				break;
			case 'a':
				x->accept = true;
				break;
			case O_INETD:
				x->inetd = true;
				break;
			case O_FDNAME:
				x->fd_names = optarg;
				break;
			case 'E':
				add_variable(x, optarg);
				break;
			case O_ROOT:
				x->allow_root = true;
				break;
			case 'h':
				(void)fputs(exec_help, stdout);
				return 0;
			default:
				return EX_USAGE;
			}
		}
	}
	if (optind == argc)
		return usage("no COMMAND given", NULL);
	if (x->accept && x->kind == LISTEN_DGRAM)
		return usage("datagram sockets do not accept connections", NULL);
	*ret_done = false;
	return 0;
}

static int
fatal(const struct why *why, int code)
{
	log_error("exec: %s", why->text);
	return code;
}

int
exec_main(int argc, char **argv)
{
	static struct exec_run x; /* large, and lives as long as we do */
	struct enter_failure failure;
	struct why why = { "" };
	bool done;
	int r;

	if (begin_plan(&x, &why) < 0)
		return fatal(&why, EX_OSERR);
	r = parse_options(&x, argc, argv, &done, &why);
	if (done)
		return r;
	r = finish_plan(&x, argv + optind, &why);
	if (r < 0)
		return fatal(&why, r == -EPERM ? EX_NOPERM : r == -ESRCH ? EX_NOUSER : EX_OSERR);
	if (take_inherited(&x, &why) < 0 || open_all(&x, &why) < 0)
		return fatal(&why, EX_UNAVAILABLE);
	if (x.enter.n_fds == 0)
		return usage("no -l, and no descriptors were passed to us", NULL);
	if (x.inetd && !x.accept && x.enter.n_fds != 1)
		return usage("--inetd without -a takes one socket", NULL);
	if (name_descriptors(&x, (char *)(uintptr_t)x.fd_names, &why) < 0)
		return fatal(&why, EX_USAGE);
	x.enter.plan = x.plan;
	x.enter.unit = x.service;
	x.enter.command = plan_command(x.plan, x.service, COMMAND_START, 0);
	x.enter.fds = x.fds;
	x.enter.stdio_fd = -EBADF;
	x.enter.status_fd = -EBADF;
	if (enter_become(&x.enter, &failure) < 0) {
		log_error("exec: %s: %s", enter_step_name(failure.step), strerror(failure.error));
		return enter_step_exit_code(failure.step);
	}
	serve(&x);
}
