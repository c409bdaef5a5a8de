/*
 * audit.c - see audit.h: which processes, and which role each has.
 * Runs as: whoever calls it.
 * Logs:    what goes wrong, to standard error.
 */
#include "launcher/ctl/audit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/num.h"
#include "launcher/ctl/client.h"
#include "launcher/ctl/scan.h"

/* One process of the machine, as far as the walk needs it. */
struct walker {
	pid_t pid, ppid;
	bool ours;
};

struct audit {
	struct walker *all;
	size_t n_all, max_all;
	struct audit_trace *traces;
	size_t n_traces, max_traces;
	struct audit_process *processes;
	size_t n_processes, max_processes;
	struct audit_unit {
		pid_t pid;
		char unit[256];
	} * units; /* main and control processes, as the manager says */
	size_t n_units, max_units;
	bool out_of_memory;
};

const char *
audit_role_name(enum audit_role role)
{
	static const char *const names[] = { [AUDIT_MONITOR] = "monitor",
		[AUDIT_MANAGER] = "manager",
		[AUDIT_SPAWNER] = "spawner",
		[AUDIT_SERVICE] = "service",
		[AUDIT_ORPHAN] = "orphan",
		[AUDIT_NAMED] = "process" };

	return role < AUDIT_ROLE_END ? names[role] : "?";
}

/* Room for one more. Return: the array, which may have moved, or NULL when there is no memory. */
static void *
audit_grow(void *array, size_t n, size_t *max, size_t size)
{
	void *more;

	if (n < *max)
		return array;
	more = reallocarray(array, *max ? *max * 2 : 64, size);
	if (more)
		*max = *max ? *max * 2 : 64;
	return more;
}

/* Everything that runs: parents for the walk, tracers for the verdicts. */
static bool
audit_note_process(struct audit *a, pid_t pid, const struct procstatus *s)
{
	struct walker *all = audit_grow(a->all, a->n_all, &a->max_all, sizeof(*all));
	struct audit_trace *traces;

	if (!all)
		return false;
	a->all = all;
	a->all[a->n_all++] = (struct walker){ .pid = pid, .ppid = s->ppid };
	if (s->tracer == 0)
		return true;
	traces = audit_grow(a->traces, a->n_traces, &a->max_traces, sizeof(*traces));
	if (!traces)
		return false;
	a->traces = traces;
	a->traces[a->n_traces++] = (struct audit_trace){ .pid = pid, .tracer = s->tracer };
	return true;
}

static int
audit_scan(struct audit *a, struct why *why)
{
	DIR *d = opendir("/proc");

	if (!d)
		return why_set(why, -errno, "/proc");
	for (struct dirent *e = readdir(d); e && !a->out_of_memory; e = readdir(d)) {
		struct procstatus s;
		uint64_t pid;

		if (num_parse_str(e->d_name, 1, INT32_MAX, &pid) < 0 ||
		    procstatus_read((pid_t)pid, &s, NULL) < 0)
			continue; /* gone in the meantime */
		a->out_of_memory = !audit_note_process(a, (pid_t)pid, &s);
	}
	(void)closedir(d);
	return a->out_of_memory ? why_set(why, -ENOMEM, "processes") : 0;
}

/* The monitor and all below it. */
static void
audit_mark(struct audit *a, pid_t monitor)
{
	bool more = true;

	for (size_t i = 0; i < a->n_all; i++)
		a->all[i].ours = a->all[i].pid == monitor;
	while (more) {
		more = false;
		for (size_t i = 0; i < a->n_all; i++)
			for (size_t k = 0; k < a->n_all && !a->all[i].ours; k++)
				if (a->all[k].ours && a->all[i].ppid == a->all[k].pid)
					a->all[i].ours = more = true;
	}
}

static void
audit_learn_unit(void *arg, struct span text)
{
	static const char *const keys[] = { "MainPID", "ControlPID" };
	struct audit *a = arg;

	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		const uint64_t pid = ctl_number(text, keys[i]);
		struct audit_unit *units;

		if (pid == 0 || pid > INT32_MAX)
			continue;
		units = audit_grow(a->units, a->n_units, &a->max_units, sizeof(*units));
		if (!units) {
			a->out_of_memory = true;
			return;
		}
		a->units = units;
		units[a->n_units].pid = (pid_t)pid;
		(void)ctl_text(text, "Id", units[a->n_units].unit, sizeof(units[a->n_units].unit));
		a->n_units++;
	}
}

static const struct walker *
audit_walker(const struct audit *a, pid_t pid)
{
	for (size_t i = 0; i < a->n_all; i++)
		if (a->all[i].pid == pid)
			return &a->all[i];
	return NULL;
}

static const char *
audit_unit_of(const struct audit *a, pid_t pid)
{
	for (size_t i = 0; i < a->n_units; i++)
		if (a->units[i].pid == pid)
			return a->units[i].unit;
	return NULL;
}

static bool
audit_same_image(pid_t x, pid_t y)
{
	struct stat a, b;
	char path[2][64];

	(void)snprintf(path[0], sizeof(path[0]), "/proc/%d/exe", (int)x);
	(void)snprintf(path[1], sizeof(path[1]), "/proc/%d/exe", (int)y);
	return stat(path[0], &a) == 0 && stat(path[1], &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* A title that we give our own; a service may give itself the same. */
static bool
audit_titled(pid_t pid, const char *title)
{
	char path[64], text[64] = "";
	_cleanup_fd_ int fd = -EBADF;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && str_starts(text, title);
}

/* A child of the monitor's, of its image, that belongs to no unit. */
static enum audit_role
audit_role_of_ours(pid_t pid, pid_t monitor)
{
	if (geteuid() == 0 && !audit_same_image(pid, monitor))
		return AUDIT_ORPHAN;
	if (audit_titled(pid, "sallyport: manager"))
		return AUDIT_MANAGER;
	return audit_titled(pid, "sallyport: spawner") ? AUDIT_SPAWNER : AUDIT_ORPHAN;
}

/* The nearest ancestor that the manager knows gives the unit. */
static void
audit_give_role(const struct audit *a, struct audit_process *p, pid_t monitor)
{
	const struct walker *w = audit_walker(a, p->pid);
	const char *unit = NULL;

	if (p->pid == monitor) {
		p->role = AUDIT_MONITOR;
		return;
	}
	for (const struct walker *x = w; x && x->pid != monitor && !unit;
	     x = audit_walker(a, x->ppid))
		unit = audit_unit_of(a, x->pid);
	p->role = unit ? AUDIT_SERVICE : AUDIT_ORPHAN;
	if (unit)
		memcpy(p->unit, unit, sizeof(p->unit)); /* of the same size */
	else if (w && w->ppid == monitor)
		p->role = audit_role_of_ours(p->pid, monitor);
}

static bool
audit_add(struct audit *a, pid_t pid)
{
	struct audit_process *more =
	    audit_grow(a->processes, a->n_processes, &a->max_processes, sizeof(*more));

	if (!more) {
		a->out_of_memory = true;
		return false;
	}
	a->processes = more;
	more[a->n_processes++] = (struct audit_process){ .pid = pid, .role = AUDIT_NAMED };
	return true;
}

/* Everything that belongs to the launcher in o->runtime_dir. */
static int
audit_find_launcher(
    struct audit *a, const struct ctl_options *o, pid_t *ret_monitor, struct why *why)
{
	struct control_request q;
	struct ucred monitor = { 0 };
	_cleanup_fd_ int sock = ctl_connect(o->runtime_dir, &monitor, why);
	int r = sock < 0 ? sock : ctl_request(CONTROL_SHOW, "", &q, why);

	if (r == 0)
		r = ctl_ask(sock, &q, audit_learn_unit, a, why);
	if (r != 0)
		return r > 0 ? -r : r;
	if (monitor.pid <= 0)
		return why_set(why, -ESRCH, "the launcher is in a pid namespace beyond ours");
	audit_mark(a, monitor.pid);
	for (size_t i = 0; a->all && i < a->n_all; i++)
		if (a->all[i].ours && audit_add(a, a->all[i].pid))
			audit_give_role(a, &a->processes[a->n_processes - 1], monitor.pid);
	*ret_monitor = monitor.pid;
	return a->out_of_memory ? why_set(why, -ENOMEM, "processes") : 0;
}

/* Reads and judges each; those that ended in the meantime are left out. */
static void
audit_examine(struct audit *a, pid_t monitor)
{
	const struct audit_context c = {
		.monitor = monitor, .traces = a->traces, .n_traces = a->n_traces
	};
	size_t kept = 0;

	for (size_t i = 0; i < a->n_processes; i++) {
		struct audit_process *p = &a->processes[i];
		struct why why = { "" };
		const int r = audit_read(p, &c, &why);

		if (r == -ESRCH && p->role != AUDIT_NAMED) {
			audit_process_done(p);
			continue;
		}
		if (r < 0)
			audit_reason(p, "cannot be read: %s", why.text);
		else
			audit_judge(p, &c);
		a->processes[kept++] = *p;
	}
	a->n_processes = kept;
}

static void
audit_done(struct audit *a)
{
	for (size_t i = 0; i < a->n_processes; i++)
		audit_process_done(&a->processes[i]);
	free(a->processes);
	free(a->units);
	free(a->traces);
	free(a->all);
}

static int
audit_report(const struct audit *a, const struct ctl_options *o)
{
	int code = 0;

	for (size_t i = 0; i < a->n_processes; i++)
		if (a->processes[i].n_reasons > 0)
			code = 1;
	if (!o->json)
		audit_print_table(a->processes, a->n_processes);
	else if (audit_print_json(a->processes, a->n_processes) < 0)
		code = 1;
	return code;
}

int
audit_main(const struct ctl_options *o)
{
	struct audit a = { 0 };
	struct why why = { "" };
	pid_t monitor = 0;
	int r, code;

	r = audit_scan(&a, &why);
	for (int i = 0; r == 0 && i < o->n_pids; i++)
		(void)audit_add(&a, o->pids[i]);
	if (r == 0 && o->n_pids == 0)
		r = audit_find_launcher(&a, o, &monitor, &why);
	if (r == 0 && o->keys) {
		code = scan_main(o, a.processes, a.n_processes);
	} else if (r == 0) {
		audit_examine(&a, monitor);
		code = audit_report(&a, o);
	} else {
		log_error("audit: %s", why.text);
		code = EX_UNAVAILABLE;
	}
	audit_done(&a);
	return code;
}
