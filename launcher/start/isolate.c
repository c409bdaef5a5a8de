/*
 * isolate.c - see isolate.h.
 * Logs:    that there is no user sallyport.
 */
#include "launcher/start/isolate.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/identity.h"
#include "launcher/load/caller.h"
#include "launcher/unit/verify.h"

/* Who reads, and later is the manager. */
struct reader {
	uid_t uid;
	gid_t gid;
};

/* In the child, which lives for questions like this one: NSS loads other people's code. */
static int
find_reader(const char **name, struct reader *ret)
{
	static char text[4096]; /* pages that only a child touches */
	static struct passwd entry;
	struct passwd *pw = NULL;

	if (geteuid() != 0 && *name) {
		log_error("only root can become user %s", *name);
		return EX_NOPERM;
	}
	(void)getpwnam_r(*name ? *name : "sallyport", &entry, text, sizeof(text), &pw);
	if (!pw && !*name && getpwnam_r("nobody", &entry, text, sizeof(text), &pw) == 0 && pw)
		log_warning("there is no user sallyport: nobody does what it would do");
	if (!pw || pw->pw_uid == 0 || pw->pw_gid == 0) {
		log_error(
		    "user %s: %s", *name ? *name : "sallyport", pw ? "is root" : "there is none");
		return EX_NOUSER;
	}
	*name = pw->pw_name;
	*ret = (struct reader){ pw->pw_uid, pw->pw_gid };
	return 0;
}

/* From root to the right to read, and no way to more. */
static int
become_reader(const struct reader *who)
{
	const uint64_t read = CAP_BIT(CAP_DAC_READ_SEARCH);
	struct capsets sets;
	int r = caps_get(&sets);

	if (r == 0)
		r = caps_bound(0);
	if (r == 0)
		r = ids_set_groups(who->gid, NULL, 0);
	if (r == 0)
		r = ids_set_user(who->uid, true);
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

/* In the child. Return: its exit code. */
static int
isolate_read(const char *name, int answer, plan_writer *write_plan, void *context, int fd)
{
	const bool root = geteuid() == 0;
	struct reader who;
	int r = root || name ? find_reader(&name, &who) : 0;

	if (r != 0)
		return r;
	caller_set(geteuid(), getegid());
	if (root && write(answer, &who, sizeof(who)) != sizeof(who))
		return EX_OSERR;
	r = root ? become_reader(&who) : 0;
	if (r == 0)
		return write_plan(context, fd, root ? name : NULL);
	log_error("become who reads the units: %s", strerror(-r));
	return EX_OSERR;
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
plan_isolate(struct monitor *m, const char *user, plan_writer *write_plan, void *context,
    enum plan_allow allow, struct why *why)
{
	_cleanup_fd_ int fd = memfd_create("sallyport-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reader who = { 0 };
	int answer[2];
	pid_t pid;
	int r;

	if (fd < 0 || pipe2(answer, O_CLOEXEC | O_NONBLOCK) < 0)
		return why_set(why, -errno, "plan: memfd_create, pipe");
	pid = fork();
	if (pid < 0)
		return why_set(why, -errno, "plan: fork");
	if (pid == 0)
		_exit(isolate_read(user, answer[1], write_plan, context, fd));
	r = wait_for(pid);
	m->image.change_user = read(answer[0], &who, sizeof(who)) == sizeof(who);
	(void)fd_close(answer[0]);
	(void)fd_close(answer[1]);
	if (r == EX_SOFTWARE)
		return why_set(why, -EBADMSG, "plan: the loader did not finish");
	if (r != 0)
		return r;
	if (geteuid() == 0 && (who.uid == 0 || who.gid == 0))
		return why_set(why, -EPERM, "plan: read by root");
	m->image.uid = who.uid;
	m->image.gid = who.gid;
	r = plan_map(fd, &m->plan, why);
	if (r == 0)
		r = plan_verify(m->plan, allow, why);
	if (r < 0)
		return r;
	m->plan_fd = fd_take(&fd);
	return 0;
}
