/*
 * resolve.c - see resolve.h.
 */
#include "launcher/load/resolve.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/num.h"

#define RESOLVE_SECONDS_MAX 60 /* a directory server that does not answer must not hang us */

/* In the child from here: the C library's own calls, with all that they load. */

static bool
shell_is_telling(const char *shell)
{
	static const char *const no[] = { "", "/bin/nologin", "/sbin/nologin", "/usr/bin/nologin",
		"/usr/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/true", "/usr/bin/true" };

	for (size_t i = 0; i < ELEMENTSOF(no); i++)
		if (strcmp(shell, no[i]) == 0)
			return false;
	return true;
}

/* What a getpw*_r() or getgr*_r() that gave nothing means: some of its errors say "none". */
static int
missing(int error)
{
	return error > 0 && error != ENOENT && error != EBADF && error != EPERM ? -error : -ESRCH;
}

static char entry[1u << 20]; /* room for one; a group of a directory server may have thousands */

static int
ask_group(const char *group, gid_t *ret)
{
	struct group storage, *g = NULL;
	uint64_t number;
	const bool numeric = num_parse_str(group, 0, UINT32_MAX - 1, &number) == 0;

	const int error = numeric ? getgrgid_r((gid_t)number, &storage, entry, sizeof(entry), &g)
				  : getgrnam_r(group, &storage, entry, sizeof(entry), &g);

	if (!g && !numeric)
		return missing(error);
	*ret = g ? g->gr_gid : (gid_t)number;
	return 0;
}

static int
ask_user(const char *user, struct resolved *ret, bool *ret_known)
{
	struct passwd storage, *p = NULL;
	uint64_t number;
	const bool numeric = num_parse_str(user, 0, UINT32_MAX - 1, &number) == 0;
	const int error = numeric ? getpwuid_r((uid_t)number, &storage, entry, sizeof(entry), &p)
				  : getpwnam_r(user, &storage, entry, sizeof(entry), &p);
	int r;

	*ret_known = p;
	if (!p && !numeric)
		return missing(error);
	if (!p) {
		ret->uid = (uid_t)number;
		return str_copy(ret->name, sizeof(ret->name), user);
	}
	ret->uid = p->pw_uid;
	ret->gid = p->pw_gid;
	r = str_copy(ret->name, sizeof(ret->name), numeric ? p->pw_name : user);
	if (r == 0 && strspn(p->pw_dir, "/") < strlen(p->pw_dir))
		r = str_copy(ret->home, sizeof(ret->home), p->pw_dir);
	if (r == 0 && shell_is_telling(p->pw_shell))
		r = str_copy(ret->shell, sizeof(ret->shell), p->pw_shell);
	return r;
}

static int
ask(const char *user, const char *group, struct resolved *ret)
{
	bool known = false;
	int n = RESOLVE_GROUPS_MAX, r;

	if (user) {
		r = ask_user(user, ret, &known);
		if (r < 0)
			return r;
		if (!known && !group)
			return -ENODATA;
	}
	if (group) {
		r = ask_group(group, &ret->gid);
		if (r < 0)
			return r == -ESRCH ? -ENOMSG : r;
	}
	if (!user)
		return 0;
	if (getgrouplist(ret->name, ret->gid, ret->groups, &n) < 0)
		return -E2BIG;
	ret->n_groups = (uint32_t)n;
	return 0;
}

_Noreturn static void
resolve_child(int fd, const char *user, const char *group)
{
	struct resolved answer = { 0 };
	const char *at = (const char *)&answer;
	size_t left = sizeof(answer);

	(void)alarm(RESOLVE_SECONDS_MAX);
	answer.error = ask(user, group, &answer);
	while (left > 0) {
		const ssize_t n = write(fd, at, left);

		if (n <= 0)
			_exit(1);
		at += n;
		left -= (size_t)n;
	}
	_exit(0);
}

/* In the parent again. */

static int
answer_read(int fd, struct resolved *ret)
{
	char *at = (char *)ret;
	size_t left = sizeof(*ret);

	while (left > 0) {
		const ssize_t n = read(fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		at += n;
		left -= (size_t)n;
	}
	if (ret->error > 0 || ret->n_groups > RESOLVE_GROUPS_MAX ||
	    !memchr(ret->name, '\0', sizeof(ret->name)) ||
	    !memchr(ret->home, '\0', sizeof(ret->home)) ||
	    !memchr(ret->shell, '\0', sizeof(ret->shell)))
		return -EBADMSG;
	return ret->error;
}

int
resolve_names(const char *user, const char *group, struct resolved *ret, struct why *why)
{
	int pipe_fds[2], r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return why_set(why, -errno, "pipe");
	pid = fork();
	if (pid == 0)
		resolve_child(pipe_fds[1], user, group);
	r = pid < 0 ? -errno : 0;
	(void)close(pipe_fds[1]);
	if (r == 0)
		r = answer_read(pipe_fds[0], ret);
	(void)close(pipe_fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	switch (r) {
	case 0:
		return 0;
	case -ESRCH:
		return why_set(why, -ESRCH, "there is no user \"%s\"", user);
	case -ENOMSG:
		return why_set(why, -ESRCH, "there is no group \"%s\"", group);
	case -ENODATA:
		return why_set(why, -ESRCH, "user %s has no entry, so Group= must be set", user);
	default:
		return why_set(why, r, "looking up %s", user ? user : group);
	}
}
