/*
 * isolate.c - see isolate.h.
 * Logs:    that there is no user sallyport.
 */
#include "launcher/start/isolate.h"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/identity.h"
#include "launcher/load/caller.h"
#include "launcher/unit/resolve.h"
#include "launcher/unit/verify.h"

int
find_manager_user(struct monitor *m, const char *wanted, struct why *why)
{
	struct resolved who;
	const char *name = wanted ? wanted : "sallyport";
	int r;

	if (geteuid() != 0)
		return wanted ? why_set(why, -EPERM, "only root can become user %s", wanted) : 0;
	r = resolve_names(name, NULL, &who, why);
	if (r == -ESRCH && !wanted) {
		name = "nobody";
		r = resolve_names(name, NULL, &who, why);
		if (r == 0)
			log_warning("there is no user sallyport: nobody does what it would do");
	}
	if (r < 0)
		return why_prefix(why, r, "the launcher's unprivileged user");
	if (who.uid == 0 || who.gid == 0)
		return why_set(why, -EPERM, "user %s: may not be root", name);
	m->change_user = true;
	m->manager_user = name;
	m->manager_uid = who.uid;
	m->manager_gid = who.gid;
	return 0;
}

/* From root to the right to read, and no way to more. */
static int
become_reader(const struct monitor *m)
{
	const uint64_t read = CAP_BIT(CAP_DAC_READ_SEARCH);
	struct capsets sets;
	int r;

	caller_set(geteuid(), getegid());
	if (!m->change_user)
		return 0;
	r = caps_get(&sets);
	if (r == 0)
		r = caps_bound(0);
	if (r == 0)
		r = ids_set_groups(m->manager_gid, NULL, 0);
	if (r == 0)
		r = ids_set_user(m->manager_uid, true);
	if (r < 0)
		return r;
	sets.permitted &= read; /* a container may not have it: then all files are world-readable */
	sets.effective = sets.permitted;
	sets.inheritable = 0;
	r = caps_set(&sets);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

/* Return: the child's exit code. */
static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

int
plan_isolate(struct monitor *m, plan_writer *write, void *context, bool allow_root, struct why *why)
{
	_cleanup_fd_ int fd = memfd_create("sallyport-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	pid_t pid;
	int r;

	if (fd < 0)
		return why_set(why, -errno, "plan: memfd_create");
	pid = fork();
	if (pid < 0)
		return why_set(why, -errno, "plan: fork");
	if (pid == 0)
		_exit(become_reader(m) < 0 ? EX_OSERR : write(context, fd));
	r = wait_for(pid);
	if (r == EX_SOFTWARE)
		return why_set(why, -EBADMSG, "plan: the loader did not finish");
	if (r != 0)
		return r;
	r = plan_map(fd, &m->plan, why);
	if (r == 0)
		r = plan_verify(m->plan, allow_root, why);
	if (r < 0)
		return r;
	m->plan_fd = fd_take(&fd);
	return 0;
}
