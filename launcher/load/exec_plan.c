/*
 * exec_plan.c - see exec_plan.h.
 */
#include "launcher/load/exec_plan.h"

#include <sys/stat.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/load/addr.h"
#include "launcher/load/build.h"
#include "launcher/load/caller.h"
#include "launcher/load/resolve.h"

#define EXEC_LIST_MAX 256

enum { O_SEQPACKET = EXEC_ALLOW_ROOT + 1, O_INETD, O_FDNAME };

const struct option exec_long_options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "user", required_argument, NULL, 'u' },
	{ "datagram", no_argument, NULL, 'd' },
	{ "seqpacket", no_argument, NULL, O_SEQPACKET },
	{ "accept", no_argument, NULL, 'a' },
	{ "inetd", no_argument, NULL, O_INETD },
	{ "fdname", required_argument, NULL, O_FDNAME },
	{ "setenv", required_argument, NULL, 'E' },
	{ "allow-root-services", no_argument, NULL, EXEC_ALLOW_ROOT },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* As parsed; texts belong to the command line. */
struct exec_options {
	enum listen_kind kind;
	const char *listens[EXEC_LIST_MAX];
	const char *variables[EXEC_LIST_MAX]; /* -E: "VAR=VALUE", or "VAR" to pass it on */
	const char *fd_names[EXEC_LIST_MAX]; /* --fdname, split at ':' */
	size_t n_listens, n_variables, n_fd_names;
	const char *user; /* USER[:GROUP], or NULL */
	bool accept, inetd, allow_root;
	char *const *command; /* NULL-terminated */
};

struct exec_plan {
	struct exec_options options;
	struct build build;
	struct plan_unit *socket, *service;
};

static int
exec_refuse(int code, const char *message, const char *argument)
{
	log_error("exec: %s%s%s%s", message, argument ? ": " : "", argument ? argument : "",
	    code == EX_USAGE ? "; see --help" : "");
	return code;
}

static int
exec_list_add(const char *list[EXEC_LIST_MAX], size_t *n, const char *text)
{
	if (*n == EXEC_LIST_MAX)
		return exec_refuse(EX_USAGE, "given too often", text);
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
		r = exec_list_add(o->fd_names, &o->n_fd_names, names);
	}
	return r;
}

/* One option. Return: 0 to go on, or an exit code. */
static int
take_option(struct exec_options *o, int c)
{
	switch (c) {
	case 'l':
		return exec_list_add(o->listens, &o->n_listens, optarg);
	case 'E':
		return exec_list_add(o->variables, &o->n_variables, optarg);
	case 'u':
		o->user = optarg;
		return 0;
	case 'd':
	case O_SEQPACKET:
		if (o->kind != LISTEN_STREAM)
			return exec_refuse(
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
	case EXEC_ALLOW_ROOT:
		o->allow_root = true;
		return 0;
	default:
		return EX_USAGE; /* getopt has said why */
	}
}

/* Return: 0, or an exit code. */
static int
exec_parse(struct exec_options *o, char **argv)
{
	int argc = 0, c, r;

	while (argv[argc])
		argc++;
	optind = 0; /* from the start: who called us has gone through them once */
	opterr = 1;
	while ((c = getopt_long(argc, argv, EXEC_LETTERS, exec_long_options, NULL)) != -1) {
		r = take_option(o, c);
		if (r != 0)
			return r;
	}
	if (optind == argc)
		return exec_refuse(EX_USAGE, "no COMMAND given", NULL);
	if (o->accept && o->kind == LISTEN_DGRAM)
		return exec_refuse(EX_USAGE, "datagram sockets do not accept connections", NULL);
	if (caller_uid() == 0 && !o->user && !o->allow_root)
		return exec_refuse(EX_NOPERM,
		    "called as root without -u: COMMAND would be root; "
		    "not without --allow-root-services",
		    NULL);
	o->command = argv + optind;
	return 0;
}

static int
add_listener(struct exec_plan *x, const char *text, struct why *why)
{
	struct plan_listen *l;
	struct addr a;
	const int r = addr_parse(text, &a, why);

	if (r < 0)
		return r;
	l = build_append(&x->build, &x->socket->socket.listens, sizeof(*l));
	l->index = x->build.plan->n_listens;
	l->unit = x->socket->index;
	l->kind = x->options.kind;
	l->addr.storage = a.u.storage;
	l->addr_len = a.len;
	l->any_family = a.any_family;
	l->text = build_str(&x->build, text);
	x->build.plan->listens[x->build.plan->n_listens++] = x->socket->socket.listens.tail;
	return 0;
}

/* "VAR=VALUE", or "VAR": then the value is ours, and without one there is none. */
static void
add_variable(struct exec_plan *x, const char *text)
{
	char entry[8192];
	const char *value = getenv(text);
	struct buf b;

	buf_init(&b, entry, sizeof(entry));
	if (strchr(text, '='))
		build_append_word(&x->build, &x->service->exec.environment, text);
	else if (value && buf_printf(&b, "%s=%s", text, value) == 0)
		build_append_word(&x->build, &x->service->exec.environment, entry);
}

static void
store_user(struct exec_plan *x, const struct resolved *who)
{
	struct plan_exec *e = &x->service->exec;
	const size_t bytes = who->n_groups * sizeof(gid_t);

	e->has_user = true;
	e->uid = who->uid;
	e->gid = who->gid;
	e->n_groups = who->n_groups;
	memcpy(build_alloc(&x->build, bytes + 1, &e->groups), who->groups, bytes);
	e->user_name = build_str(&x->build, who->name);
	e->home = build_str(&x->build, who->home[0] ? who->home : NULL);
	e->shell = build_str(&x->build, who->shell[0] ? who->shell : NULL);
}

static int
set_user(struct exec_plan *x, struct why *why)
{
	static struct resolved who; /* large */
	const char *text = x->options.user;
	char user[256];
	char *group;
	int r;

	if (!text) { /* the caller's own identity goes on */
		add_variable(x, "USER");
		add_variable(x, "HOME");
		return 0;
	}
	if (str_copy(user, sizeof(user), text) < 0)
		return why_set(why, -ENAMETOOLONG, "user");
	group = strchr(user, ':');
	if (group)
		*group++ = '\0';
	r = resolve_names(user, group, &who, why);
	if (r < 0)
		return r;
	if ((who.uid == 0 || who.gid == 0) && !x->options.allow_root)
		return why_set(why, -EPERM, "%s is root: not without --allow-root-services", text);
	store_user(x, &who);
	return 0;
}

/* Where execvp(3) would find it; a name that is nowhere is left to fail at exec. */
static struct ref
find_command(struct exec_plan *x, const char *name)
{
	const char *p = getenv("PATH");
	char path[4096];

	if (!p || strchr(name, '/'))
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
set_command(struct exec_plan *x)
{
	char *const *argv = x->options.command;
	struct plan_command *c =
	    build_append(&x->build, &x->service->service.commands[COMMAND_START], sizeof(*c));

	c->path = find_command(x, argv[0]);
	c->flags = COMMAND_NO_ENV_EXPAND;
	for (; *argv; argv++)
		build_append_word(&x->build, &c->argv, *argv);
}

static void
set_defaults(struct exec_plan *x)
{
	const bool stays_root = caller_uid() == 0 && !x->options.user;
	const mode_t mask = umask(0); /* only asked for: the command gets it as it was */

	(void)umask(mask);
	x->socket->socket = (struct plan_socket){ .service = EXEC_SERVICE,
		.mode = 0666 & ~mask,
		.directory_mode = 0755,
		.backlog = UINT32_MAX,
		.accept = x->options.accept,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1 };
	if (x->options.inetd)
		x->service->exec.stdin_to.kind = STDIO_SOCKET;
	x->service->exec.no_new_privs = !stays_root;
	x->service->exec.cap_bounding = stays_root ? UINT64_MAX : 0;
}

static int
fill(struct exec_plan *x, struct why *why)
{
	const struct exec_options *o = &x->options;
	int r;

	x->socket = build_unit(&x->build, UNIT_SOCKET, "exec.socket");
	x->service = build_unit(&x->build, UNIT_SERVICE, "exec.service");
	set_defaults(x);
	for (size_t i = 0; i < o->n_listens; i++) {
		r = add_listener(x, o->listens[i], why);
		if (r < 0)
			return why_prefix(why, r, "-l");
	}
	for (size_t i = 0; i < o->n_fd_names; i++)
		build_append_word(&x->build, &x->socket->socket.fd_names, o->fd_names[i]);
	add_variable(x, "TERM");
	add_variable(x, "PATH");
	r = set_user(x, why);
	for (size_t i = 0; i < o->n_variables; i++)
		add_variable(x, o->variables[i]);
	set_command(x);
	return r;
}

static int
exit_code_of(int error)
{
	switch (error) {
	case -ESRCH:
		return EX_NOUSER;
	case -EPERM:
		return EX_NOPERM;
	case -EINVAL:
	case -ERANGE:
	case -ENAMETOOLONG:
	case -ENODEV:
		return EX_USAGE;
	default:
		return EX_OSERR;
	}
}

int
exec_plan_write(void *context, int fd, const char *user)
{
	static struct exec_plan x; /* large */
	_cleanup_fd_ int sealed = -EBADF;
	struct why why = { "" };
	int r = exec_parse(&x.options, context);

	(void)user; /* there is no unit that it must not be */
	if (r != 0)
		return r;
	r = build_take_fd(&x.build, dup(fd), &why);
	if (r == 0)
		r = fill(&x, &why);
	if (r == 0)
		r = build_freeze(&x.build, &sealed, &why);
	build_done(&x.build);
	if (r == 0)
		return 0;
	log_error("exec: %s", why.text);
	return exit_code_of(r);
}
