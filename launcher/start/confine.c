/*
 * confine.c - see confine.h.
 * Logs:    that there is no filter.
 *
 * A system-call filter is inherited by whatever the monitor forks, services included, and can never
 * be taken off. So it cannot be a list of what the monitor needs; it is a list of what neither the
 * monitor nor any server of another user has business with. docs/TRUST.md says what that leaves.
 */
#include "launcher/start/confine.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/log.h"
#include "launcher/enter/identity.h"
#include "launcher/unit/verify.h"

#define FILTER_MAX 512 /* instructions: some two for each denied call */

static bool
plan_forbids_no_new_privs(const struct plan *p)
{
	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		if (u->kind == UNIT_SERVICE && !u->exec.no_new_privs)
			return true;
	}
	return false;
}

/* What the child of one unit needs before it becomes somebody lesser. */
static uint64_t
unit_needs(const struct plan_exec *x)
{
	uint64_t caps = x->cap_ambient; /* nobody gives what he has not */

	for (int k = 0; k < DIRECTORY_KIND_END; k++)
		if (x->directories[k].paths.n > 0) /* made and given away at each start */
			caps |= CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_FOWNER);
	if (x->nice.set && x->nice.value < getpriority(PRIO_PROCESS, 0))
		caps |= CAP_BIT(CAP_SYS_NICE);
	if (x->raises_a_limit || (x->oom_score_adjust.set && x->oom_score_adjust.value < 0))
		caps |= CAP_BIT(CAP_SYS_RESOURCE);
	return caps;
}

/* CapabilityBoundingSet= as units set it: nobody can give a child more than the monitor has left. */
static uint64_t
plan_bounding(const struct plan *p)
{
	uint64_t caps = 0;

	for (uint32_t i = 0; i < p->n_units; i++)
		if (plan_unit(p, i)->kind == UNIT_SERVICE)
			caps |= plan_unit(p, i)->exec.cap_bounding;
	return caps;
}

/* What this plan needs of root after its sockets are open; everything for a root service, which
 * inherits our bounding set. */
static uint64_t
confine_capabilities(const struct monitor *m)
{
	uint64_t caps = CAP_BIT(CAP_SETUID) | /* become User= and the manager's user */
			CAP_BIT(CAP_SETGID) | /* the same for groups */
			CAP_BIT(CAP_SETPCAP) | /* cut a child's bounding set */
			CAP_BIT(CAP_KILL) | /* signal what runs as another user */
			CAP_BIT(CAP_SYS_CHROOT); /* the manager's root directory */

	if (geteuid() != 0)
		return 0; /* whoever starts us with a capability meant it for binding */
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		caps |= plan_runs_root(m->plan, plan_unit(m->plan, i))
			    ? CAP_ALL
			    : unit_needs(&plan_unit(m->plan, i)->exec);
	return caps;
}

/* In a child: libseccomp leaves a heap behind that need not be resident. */
static int
export_filter(int fd)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	/* Services of another architecture are none of its business. */
	int r = ctx ? seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) : -ENOMEM;

	for (size_t i = 0; i < denied_calls_count && r == 0; i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), denied_calls[i].nr, 0);
		if (r == -EDOM)
			r = 0; /* this architecture has no such call */
	}
	return r == 0 ? seccomp_export_bpf(ctx, fd) : r;
}

static int
confine_calls(struct why *why)
{
	static struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { .filter = filter };
	_cleanup_fd_ int fd = memfd_create("sallyport-filter", MFD_CLOEXEC);
	const pid_t pid = fd < 0 ? -1 : fork();
	int status;
	ssize_t n = -1;

	if (pid == 0)
		_exit(export_filter(fd) == 0 ? 0 : EXIT_FAILURE);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		n = pread(fd, filter, sizeof(filter), 0);
	if (n <= 0 || n == sizeof(filter))
		return why_set(why, -ENOMEM, "monitor: make the system-call filter");
	program.len = (unsigned short)((size_t)n / sizeof(filter[0]));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		if (errno != EACCES)
			return why_set(why, -errno, "monitor: system-call filter");
		log_warning("no system-call filter: NoNewPrivileges=no, and we lack CAP_SYS_ADMIN");
	}
	return 0;
}

static int
confine_rights(uint64_t keep, uint64_t bounding, struct why *why)
{
	struct capsets sets;
	int r = caps_bound(keep | bounding);

	if (r == 0)
		r = caps_get(&sets);
	if (r < 0)
		return why_set(why, r, "monitor: capability bounding set");
	/* Executing as uid 0 gives nothing any more, to us and to all we start, for good. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0)
		return why_set(why, -errno, "monitor: securebits");
	sets.permitted &= keep;
	sets.effective = sets.permitted;
	sets.inheritable = 0;
	r = caps_set(&sets);
	return r < 0 ? why_set(why, r, "monitor: drop capabilities") : 0;
}

int
confine_monitor(struct monitor *m, struct why *why)
{
	const uint64_t keep = confine_capabilities(m);
	int r = 0;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return why_set(why, -errno, "monitor: become subreaper and non-dumpable");
	/* First: in a container without CAP_SYS_ADMIN the filter below needs it. */
	if (keep != CAP_ALL && !plan_forbids_no_new_privs(m->plan) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return why_set(why, -errno, "monitor: no_new_privs");
	if (keep == CAP_ALL)
		return 0;
	r = confine_calls(why); /* before the capabilities go, for the other case */
	if (r < 0)
		return r;
	if (geteuid() == 0)
		return confine_rights(keep, plan_bounding(m->plan), why);
	r = caps_keep(0);
	return r < 0 ? why_set(why, r, "monitor: drop capabilities") : 0;
}
