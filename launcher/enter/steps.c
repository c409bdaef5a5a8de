/*
 * steps.c - see enter.h: the table of steps, and the few lines that walk it.
 *
 * The order is the point of this file. Limits may need rights, so they come first. The bounding set
 * needs CAP_SETPCAP, which goes with the user. Groups need CAP_SETGID, so they go before the user.
 * no_new_privs after the user, so that a security module may still act on the change of identity.
 * Whatever follows runs with the unit's own rights and nothing else.
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common/num.h"
#include "launcher/enter/credentials.h"
#include "launcher/enter/directories.h"
#include "launcher/enter/enter.h"
#include "launcher/enter/environment.h"
#include "launcher/enter/fds.h"
#include "launcher/enter/identity.h"
#include "launcher/enter/stdio.h"
#include "launcher/unit/specifier.h"

static struct arguments arguments; /* pages that only a child ever touches */

/* Who may not give more than he has gives what he has, as systemd does: root in a container, say. */
static int
set_limit(__rlimit_resource_t which, rlim_t soft, rlim_t hard)
{
	struct rlimit own, wanted = { .rlim_cur = soft, .rlim_max = hard };

	if (setrlimit(which, &wanted) == 0)
		return 0;
	if (errno != EPERM || getrlimit(which, &own) < 0)
		return -errno;
	wanted.rlim_max = own.rlim_max;
	wanted.rlim_cur = soft < own.rlim_max ? soft : own.rlim_max;
	return setrlimit(which, &wanted) < 0 ? -errno : 0;
}

static int
set_limits(const struct enter *e)
{
	const struct plan_limit *l = e->unit->exec.limits;
	int r = 0;

	static_assert(RLIM_NLIMITS == PLAN_LIMITS, "one place for each limit");
	for (unsigned i = 0; i < PLAN_LIMITS && r == 0; i++)
		if (l[i].set)
			r = set_limit(i, l[i].soft, l[i].hard);
	if (r == 0 && e->nofile && !l[RLIMIT_NOFILE].set)
		r = set_limit(RLIMIT_NOFILE, e->nofile->rlim_cur, e->nofile->rlim_max);
	return r;
}

static int
set_oom_score(int32_t score)
{
	_cleanup_fd_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[NUM_TEXT_MAX + 1] = "-";
	const uint64_t size = score < 0 ? (uint64_t)-score : (uint64_t)score;

	(void)num_format(score < 0 ? text + 1 : text, size);
	if ((fd < 0 || write(fd, text, strlen(text)) < 0) && errno != EACCES && errno != EPERM)
		return -errno;
	return 0; /* or he may not: systemd takes that for a container, and goes on */
}

static int
step_limits(struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;
	int r = 0;

	if (x->oom_score_adjust.set)
		r = set_oom_score(x->oom_score_adjust.value);
	if (r == 0 && x->nice.set && setpriority(PRIO_PROCESS, 0, x->nice.value) < 0)
		r = -errno;
	return r < 0 ? r : set_limits(e);
}

static int
step_credentials(struct enter *e)
{
	/* Before the service, and anew when it is told to reload; the others find what it has. */
	return e->slot <= COMMAND_START || e->slot == COMMAND_RELOAD ? credentials_make(e) : 0;
}

static int
step_environment(struct enter *e)
{
	return environment_read_files(&arguments, e);
}

/* "+" and "!": the loader lets them pass only with explicit leave. */
static bool
keeps_privilege(const struct enter *e)
{
	return e->command && e->command->flags & (COMMAND_FULL_PRIVILEGE | COMMAND_NO_SETUID);
}

static int
step_bounding(struct enter *e)
{
	struct capsets now;
	int r = keeps_privilege(e) ? 0 : caps_bound(e->unit->exec.cap_bounding);

	if (r != -EPERM || !e->unit->exec.no_new_privs)
		return r;
	/*
	 * An unprivileged launcher cannot touch the bounding set, and need not: the set limits only
	 * what an exec could add, and without capabilities, under no_new_privs, none ever does.
	 */
	r = caps_get(&now);
	if (r < 0)
		return r;
	return now.permitted & CAP_BIT(8 /* CAP_SETPCAP */) ? -EPERM : 0;
}

static int
step_groups(struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;

	/* Group= and SupplementaryGroups= also count for a root service. */
	if ((!x->has_user && x->group.off == 0 && x->n_groups == 0) || keeps_privilege(e))
		return 0;
	static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are stored as uint32_t");
	return ids_set_groups(
	    x->gid, plan_at(e->plan, x->groups, x->n_groups * sizeof(gid_t)), x->n_groups);
}

static int
step_user(struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;

	return x->has_user && !keeps_privilege(e) ? ids_set_user(x->uid, x->cap_ambient != 0) : 0;
}

static int
step_caps(struct enter *e)
{
	const uint64_t keep = e->unit->exec.cap_ambient;
	int r;

	/* Root is root only where the operator allowed it: the loader saw to that. */
	if (geteuid() == 0)
		return 0;
	r = caps_keep(keep);
	/* The way back can be tried only now, and is open only to who was given it. */
	if (r < 0 || keep == 0 || keep & CAP_BIT(7 /* CAP_SETUID */))
		return r;
	return ids_set_user(e->unit->exec.uid, false);
}

static int
step_no_privs(struct enter *e)
{
	if (!e->unit->exec.no_new_privs || keeps_privilege(e))
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int
step_signals(struct enter *e)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++) {
		sa.sa_handler = s == SIGPIPE && e->unit->exec.ignore_sigpipe ? SIG_IGN : SIG_DFL;
		(void)sigaction(s, &sa, NULL); /* SIGKILL and SIGSTOP refuse, and libc's own two */
	}
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int
step_session(struct enter *e)
{
	if (!e->detached)
		return 0;
	(void)umask(e->unit->exec.umask); /* the service's own; what root made has root's */
	return setsid() < 0 ? -errno : 0;
}

static int
step_descriptors(struct enter *e)
{
	static int fds[ENTER_FDS_MAX];
	int r, keep = e->status_fd;
	const uint32_t n = stdio_wants_socket(e) ? 0 : e->n_fds; /* one or the other */

	if (e->n_fds > ENTER_FDS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < e->n_fds; i++) {
		fds[i] = e->fds[i].fd;
		r = fds_nonblock(fds[i], e->unit->service.non_blocking);
		if (r < 0)
			return r;
	}
	r = fds_arrange(fds, n, ENTER_FDS_FIRST, &keep);
	e->status_fd = keep; /* it moved; a later step must find the way to report */
	return r;
}

static int
step_directory(struct enter *e)
{
	const char *cwd = enter_text(e, e->unit->exec.cwd);

	if ((!cwd && !e->detached) || chdir(cwd ? cwd : "/") == 0)
		return 0;
	if (e->unit->exec.cwd_optional && errno == ENOENT)
		return chdir("/") < 0 ? -errno : 0;
	return -errno;
}

static int
step_arguments(struct enter *e)
{
	return arguments_fill(&arguments, e);
}

/* A name without '/' is looked for in the fixed search path; never in the unit's PATH (systemd). */
static int
exec_in_path(const char *name)
{
	char path[4096];
	int error = ENOENT;

	for (const char *p = ENVIRONMENT_PATH; *p;) {
		const char *colon = strchrnul(p, ':');
		struct buf b;

		buf_init(&b, path, sizeof(path));
		if (buf_put(&b, p, (size_t)(colon - p)) == 0 && buf_putc(&b, '/') == 0 &&
		    buf_puts(&b, name) == 0) {
			(void)execve(path, arguments.argv, arguments.envp);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
		}
		p = *colon ? colon + 1 : colon;
	}
	return -error;
}

static int
step_exec(struct enter *e)
{
	const char *path = plan_str(e->plan, e->command->path);

	if (!path)
		return -ENOENT;
	if (!strchr(path, '/'))
		return exec_in_path(path);
	(void)execve(path, arguments.argv, arguments.envp);
	return -errno;
}

/* Exit codes: systemd.exec(5), "Process Exit Codes". */
static const struct {
	const char *name;
	int exit_code;
	int (*run)(struct enter *e);
} steps[] = {
	[ENTER_LIMITS] = { "set limits", 205, step_limits },
	[ENTER_ENVIRONMENT] = { "read environment files", 204, step_environment },
	[ENTER_DIRECTORIES] = { "make its directories", 233, directories_make },
	[ENTER_CREDENTIALS] = { "hand over credentials", 243, step_credentials },
	[ENTER_STDIO] = { "open standard input and output", 209, stdio_arrange },
	[ENTER_BOUNDING] = { "cut the capability bounding set", 218, step_bounding },
	[ENTER_GROUPS] = { "change groups", 216, step_groups },
	[ENTER_USER] = { "change user", 217, step_user },
	[ENTER_CAPS] = { "drop capabilities", 218, step_caps },
	[ENTER_NO_PRIVS] = { "set no_new_privs", 227, step_no_privs },
	[ENTER_SIGNALS] = { "reset signals", 207, step_signals },
	[ENTER_SESSION] = { "start a session", 220, step_session },
	[ENTER_DESCRIPTORS] = { "pass descriptors", 202, step_descriptors },
	[ENTER_DIRECTORY] = { "change directory", 200, step_directory },
	[ENTER_ARGUMENTS] = { "build the environment", 204, step_arguments },
	[ENTER_EXEC] = { "execute", 203, step_exec },
};
static_assert(ELEMENTSOF(steps) == ENTER_STEP_END, "one row for each step");

const char *
enter_text(const struct enter *e, struct ref r)
{
	static char text[16384]; /* pages that only a child ever touches */
	const char *plain = plan_str(e->plan, r);
	struct buf b;

	if (!plain || !e->instance)
		return plain;
	buf_init(&b, text, sizeof(text));
	return specifier_expand(plain, e->instance, &b) < 0 ? "" : text;
}

const char *
enter_step_name(uint32_t step)
{
	return step < ENTER_STEP_END ? steps[step].name : "?";
}

int
enter_step_exit_code(uint32_t step)
{
	return step < ENTER_STEP_END ? steps[step].exit_code : 255;
}

static int
enter_walk(struct enter *e, uint32_t first, uint32_t last, struct enter_failure *ret)
{
	for (uint32_t i = first; i <= last; i++) {
		const int r = steps[i].run(e);

		if (r < 0) {
			*ret = (struct enter_failure){ .step = i, .error = -r };
			return r;
		}
	}
	return 0;
}

int
enter_drop(struct enter *e, struct enter_failure *ret)
{
	return enter_walk(e, ENTER_BOUNDING, ENTER_NO_PRIVS, ret);
}

int
enter_become(struct enter *e, struct enter_failure *ret)
{
	return enter_walk(e, 0, ENTER_NO_PRIVS, ret);
}

static _Noreturn void
enter_fail(struct enter *e, const struct enter_failure *f)
{
	if (e->status_fd >= 0)
		(void)!write(e->status_fd, f, sizeof(*f)); /* the exit code tells the step too */
	_exit(enter_step_exit_code(f->step));
}

void
enter_exec(struct enter *e)
{
	struct enter_failure f = { .step = ENTER_EXEC };

	(void)enter_walk(e, ENTER_NO_PRIVS + 1, ENTER_EXEC, &f); /* returns only to report */
	enter_fail(e, &f);
}

void
enter_again(struct enter *e)
{
	struct enter_failure f;

	if (enter_walk(e, ENTER_STDIO, ENTER_STDIO, &f) < 0)
		enter_fail(e, &f);
	enter_exec(e);
}

void
enter_become_or_exit(struct enter *e)
{
	struct enter_failure f;

	if (enter_become(e, &f) < 0)
		enter_fail(e, &f);
}
