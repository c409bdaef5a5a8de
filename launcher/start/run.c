/*
 * run.c - see run.h.
 */
#include "launcher/start/run.h"

#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/condition.h"
#include "launcher/help.h"
#include "launcher/load/run_plan.h"
#include "launcher/monitor/monitor.h"
#include "launcher/start/confine.h"
#include "launcher/start/heritage.h"
#include "launcher/start/inherit.h"
#include "launcher/start/isolate.h"
#include "launcher/start/runtime.h"
#include "launcher/start/sock_open.h"
#include "launcher/user/spawn.h"

#define OPTION_LIST_MAX 64

struct run_options {
	struct load_options load;
	const char *unit_path[OPTION_LIST_MAX];
	const char *unenforced[OPTION_LIST_MAX];
	const char *manager_user; /* as given, or NULL */
	const char *runtime_dir;
	enum log_format log_format;
};

static int
run_usage(const char *message, const char *argument)
{
	log_error(
	    "run: %s%s%s; see --help", message, argument ? ": " : "", argument ? argument : "");
	return EX_USAGE;
}

static int
run_list_add(const char *list[OPTION_LIST_MAX], size_t *n, const char *value)
{
	if (*n == OPTION_LIST_MAX)
		return -E2BIG;
	list[(*n)++] = value;
	return 0;
}

/* Return: 0 to go on, or an exit code with *ret_done set. */
static int
run_parse(int argc, char **argv, struct run_options *o, bool *ret_done)
{
	enum { O_UNIT_PATH = 256, O_RUNTIME, O_MANAGER, O_ROOT, O_CAPS, O_UNENFORCED, O_LOG };
	static const struct option options[] = {
		{ "unit-path", required_argument, NULL, O_UNIT_PATH },
		{ "runtime-dir", required_argument, NULL, O_RUNTIME },
		{ "manager-user", required_argument, NULL, O_MANAGER },
		{ "allow-root-services", no_argument, NULL, O_ROOT },
		{ "allow-capabilities", no_argument, NULL, O_CAPS },
		{ "unenforced", required_argument, NULL, O_UNENFORCED },
		{ "log-format", required_argument, NULL, O_LOG },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, r = 0;

	*ret_done = true;
	while (r == 0 && (c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case O_UNIT_PATH:
			r = run_list_add(o->unit_path, &o->load.n_unit_path, optarg);
			break;
		case O_UNENFORCED:
			r = run_list_add(o->unenforced, &o->load.n_unenforced, optarg);
			break;
		case O_RUNTIME:
			o->runtime_dir = optarg;
			break;
		case O_MANAGER:
			o->manager_user = optarg;
			break;
		case O_ROOT:
			o->load.allow_root_services = true;
			break;
		case O_CAPS:
			o->load.allow_capabilities = true;
			break;
		case O_LOG:
			if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
				return run_usage("not a log format", optarg);
			o->log_format = optarg[0] == 'j' ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
			break;
		case 'h':
			(void)fputs(help_run, stdout); /* a closed stdout is the reader's choice */
			return 0;
		default:
			return EX_USAGE;
		}
	}
	if (r < 0)
		return run_usage("an option was given too often", NULL);
	if (optind == argc)
		return run_usage("no UNIT given", NULL);
	if (o->runtime_dir[0] != '/')
		return run_usage("the runtime directory must be an absolute path", o->runtime_dir);
	o->load.unit_path = o->unit_path;
	o->load.unenforced = o->unenforced;
	*ret_done = false;
	return 0;
}

static int
run_fatal(const struct why *why, int code)
{
	log_error("%s", why->text);
	return code;
}

/* Enough descriptors for the plan; a service gets the limit that the launcher was started with. */
static void
raise_nofile(struct monitor *m)
{
	const rlim_t need = (rlim_t)m->plan->n_listens + m->plan->n_units + 2 * m->n_instances + 64;
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &m->nofile) < 0)
		return; /* cannot fail */
	raised = m->nofile;
	if (raised.rlim_cur >= need)
		return;
	raised.rlim_cur = raised.rlim_max < need ? raised.rlim_max : need;
	(void)setrlimit(RLIMIT_NOFILE, &raised); /* too few: opening the socket will say so */
}

/* Symlinks=: other names for the one path of a unit. A failure is no reason not to serve. */
static void
make_symlinks(const struct monitor *m, const struct plan_unit *u)
{
	const struct plan_listen *l = plan_at(m->plan, u->socket.listens.head, sizeof(*l));

	PLAN_FOREACH (m->plan, u->socket.symlinks, struct plan_word, w) {
		const char *name = plan_str(m->plan, w->text), *path = plan_str(m->plan, l->text);
		struct why why;

		if (m->listen_fds[l->index] < 0)
			break;
		if (sock_symlink(&u->socket, path, name, &why) < 0)
			log_unit(LOG_LEVEL_WARNING, plan_str(m->plan, u->id), "%s", why.text);
	}
}

static int
open_listener(struct monitor *m, struct inherit *inherited, uint32_t i, struct why *why)
{
	const struct plan_listen *l = plan_listen(m->plan, i);
	const struct plan_unit *u = plan_unit(m->plan, l->unit);
	const char *id = plan_str(m->plan, u->id), *text = plan_str(m->plan, l->text);
	struct why warn;
	int r = unit_conditions_met(m->plan, u);

	m->listen_fds[i] = -r;
	if (r != CONDITIONS_MET) { /* heritage.h: the manager is told */
		log_unit(r == CONDITIONS_FAIL ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, id,
		    "not listening on %s: %s is not met", text,
		    r == CONDITIONS_FAIL ? "an assertion" : "a condition");
		return 0;
	}
	r = inherit_take(inherited, m->plan, l);
	if (r >= 0) {
		m->listen_fds[i] = r;
		log_unit(LOG_LEVEL_INFO, id, "took over %s", text);
		return 0;
	}
	r = sock_open(m->plan, u, l, &m->listen_fds[i], &warn, why);
	if (r < 0)
		return why_prefix(
		    why, r, "%s: %s:%u", id, plan_str(m->plan, l->source.file), l->source.line);
	if (warn.text[0])
		log_unit(LOG_LEVEL_WARNING, id, "%s: %s", text, warn.text);
	log_unit(LOG_LEVEL_INFO, id, "listening on %s", text);
	return 0;
}

static int
open_listeners(struct monitor *m, struct why *why)
{
	struct inherit inherited;
	uint32_t left;
	int r = inherit_init(&inherited, why);

	for (uint32_t i = 0; r == 0 && i < m->plan->n_listens; i++)
		r = open_listener(m, &inherited, i, why);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (plan_unit(m->plan, i)->kind == UNIT_SOCKET)
			make_symlinks(m, plan_unit(m->plan, i));
	left = inherit_done(&inherited);
	if (left > 0)
		log_warning("%u of the descriptors passed to us belong to no unit; closed", left);
	return 0;
}

/* Each service may have its main process and one control command at a time. */
static void
instances_init(struct monitor *m)
{
	uint64_t n = 1; /* the first is none */

	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		const struct plan_unit *u = plan_unit(m->plan, i);

		if (u->kind == UNIT_SERVICE)
			n += 2; /* of a template: its spawner */
		else if (u->socket.accept)
			n += (uint64_t)u->socket.max_connections * 2;
	}
	m->n_instances = (uint32_t)(n > INSTANCES_MAX ? INSTANCES_MAX : n);
	m->n_used = 1;
	m->instances = calloc(m->n_instances, sizeof(m->instances[0]) + sizeof(m->pids[0]));
	m->pids = (pid_t *)(m->instances + m->n_instances);
}

/* What children and managers get; those fill in what is their own. */
static int
describe_children(struct monitor *m, struct why *why)
{
	int *fds = m->image.fds;

	m->child = (struct child){ .listen_fds = m->listen_fds,
		.notify_fds = m->notify_fds,
		.runtime_dir = m->runtime_dir,
		.connection = -EBADF,
		.spawn_serve = spawn_serve,
		.enter = { .plan = m->plan,
		    .stdio_fd = STDERR_FILENO,
		    .status_fd = -EBADF,
		    .detached = true,
		    .nofile = &m->nofile } };
	m->image.own = HERITAGE_MONITOR;
	m->image.n_fds = HERITAGE_FIRST;
	m->image.exe_fd = m->exe_fd;
	m->image.argv = m->manager_argv;
	fds[HERITAGE_STDIN] = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fds[HERITAGE_STDIN] < 0)
		return why_set(why, -errno, "/dev/null: open");
	fds[HERITAGE_STDOUT] = STDOUT_FILENO;
	fds[HERITAGE_LOG] = STDERR_FILENO;
	fds[HERITAGE_PLAN] = m->plan_fd;
	fds[HERITAGE_NOTEBOOK] = m->notebook_fd;
	fds[HERITAGE_CONTROL] = m->control_fd;
	fds[HERITAGE_RUNTIME] = m->runtime_fd;
	for (uint32_t i = 0; i < m->plan->n_listens; i++)
		fds[m->image.n_fds++] = m->listen_fds[i] >= 0		       ? m->listen_fds[i]
					: m->listen_fds[i] == -CONDITIONS_FAIL ? m->notebook_fd
									       : m->plan_fd;
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->notify_fds[i] >= 0)
			fds[m->image.n_fds++] = m->notify_fds[i];
	return 0;
}

static int
open_tables(struct monitor *m, struct why *why)
{
	const size_t n_listens = m->plan->n_listens, n_units = m->plan->n_units;
	sigset_t signals;
	int r;

	instances_init(m);
	m->listen_fds = calloc(n_listens + 1, sizeof(int));
	m->notify_fds = calloc(n_units + 1, sizeof(int));
	m->image.fds = calloc(HERITAGE_FIRST + n_listens + n_units, sizeof(int));
	if (!m->instances || !m->listen_fds || !m->notify_fds || !m->image.fds)
		return why_set(why, -ENOMEM, "tables");
	m->notebook_fd = memfd_create("sallyport-notebook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->notebook_fd < 0 ||
	    ftruncate(m->notebook_fd, (off_t)(n_units * HERITAGE_NOTEBOOK_UNIT_BYTES)) < 0 ||
	    fcntl(m->notebook_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return why_set(why, -errno, "notebook: memfd");
	m->exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	m->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->exe_fd < 0 || m->epoll_fd < 0 || m->signal_fd < 0 ||
	    sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
		return why_set(why, -errno, "/proc/self/exe, event loop");
	/* The operator may have started us with these ignored (nohup); here they mean what they
	 * say. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	r = monitor_watch(m, m->signal_fd, WAKE_SIGNAL, 0);
	return r < 0 ? why_set(why, r, "event loop: signals") : 0;
}

/* Everything that needs the rights we are about to drop. */
static int
prepare(struct monitor *m, struct why *why)
{
	int r;

	(void)umask(0022);
	r = open_tables(m, why);
	if (r < 0)
		return r;
	raise_nofile(m);
	r = runtime_open(m, why);
	if (r == 0)
		r = open_listeners(m, why);
	if (r == 0)
		r = runtime_sockets(m, why);
	if (r == 0)
		r = describe_children(m, why);
	if (r < 0)
		return r;
	upstream_connect(m);
	r = confine_monitor(m, why);
	(void)malloc_trim(0); /* what only the start used goes back */
	return r;
}

int
run_main(int argc, char **argv)
{
	struct run_options o = { .runtime_dir = "/run/sallyport" };
	struct monitor m = { .epoll_fd = -EBADF,
		.signal_fd = -EBADF,
		.plan_fd = -EBADF,
		.notebook_fd = -EBADF,
		.control_fd = -EBADF,
		.runtime_fd = -EBADF,
		.lock_fd = -EBADF,
		.upstream_fd = -EBADF,
		.exe_fd = -EBADF,
		.manager = { .sock = -EBADF },
		.manager_argv = { HERITAGE_ARGV0 } };
	struct why why = { "" };
	struct run_plan plan;
	bool done;
	int r = run_parse(argc, argv, &o, &done);

	if (done)
		return r;
	log_setup("sallyport", o.log_format, LOG_LEVEL_INFO);
	m.runtime_dir = o.runtime_dir;
	m.manager_argv[1] =
	    o.log_format == LOG_FORMAT_JSON ? "--log-format=json" : "--log-format=text";
	if (inherit_close_strangers(&why) < 0)
		return run_fatal(&why, EX_OSERR);
	plan = (struct run_plan){ o.load, (const char *const *)argv + optind,
		(size_t)(argc - optind) };
	r = plan_isolate(&m, o.manager_user, run_plan_write, &plan,
	    o.load.allow_root_services || geteuid() != 0 ? ALLOW_ROOT
	    : o.load.allow_capabilities			 ? ALLOW_CAPABILITIES
							 : ALLOW_NOTHING,
	    &why);
	if (r > 0)
		return r; /* said already */
	if (r < 0)
		return run_fatal(&why, EX_OSERR);
	r = prepare(&m, &why);
	if (r < 0)
		return run_fatal(&why, r == -EADDRINUSE || r == -EBUSY ? EX_UNAVAILABLE : EX_OSERR);
	r = monitor_loop(&m);
	leave(&m);
	return r;
}
