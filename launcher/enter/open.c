/*
 * open.c - see open.h.
 */
#include "launcher/enter/open.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "launcher/enter/fds.h"

#define MODE_NEW 0644

static int
open_as_root(const char *path, int flags)
{
	const struct open_how how = { .flags = (uint64_t)flags,
		.mode = flags & O_CREAT ? MODE_NEW : 0,
		.resolve = RESOLVE_NO_SYMLINKS };
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) ? st.st_nlink != 1 : !S_ISCHR(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ELOOP;
	return fd_take(&fd);
}

/* The file system's view of us alone changes, and only for this call (setfsuid(2)). */
static int
open_as_user(const struct plan *p, const struct plan_exec *x, const char *path, int flags)
{
	const gid_t *groups = plan_at(p, x->groups, x->n_groups * sizeof(gid_t));
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int fd;

	if (setgroups(x->n_groups, groups) < 0) /* they are the service's from here on anyway */
		return -errno;
	(void)setfsgid(x->gid);
	(void)setfsuid(x->uid);
	if ((uid_t)setfsuid((uid_t)-1) != x->uid || (gid_t)setfsgid((gid_t)-1) != x->gid)
		return -EPERM;
	fd = open(path, flags, MODE_NEW);
	fd = fd < 0 ? -errno : fd;
	(void)setfsuid(uid);
	(void)setfsgid(gid);
	return fd;
}

int
open_for(const struct enter *e, const char *path, int flags)
{
	const struct plan_exec *x = &e->unit->exec;
	const int how = (flags & ~O_TRUNC) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	_cleanup_fd_ int fd = open_as_root(path, how);
	int r;

	if (fd == -ELOOP || fd == -EACCES) {
		if (x->has_user)
			fd = open_as_user(e->plan, x, path, how);
		else if ((fd = open(path, how, MODE_NEW)) < 0)
			fd = -errno;
	}
	if (fd < 0)
		return fd;
	r = fds_nonblock(fd, false);
	if (r == 0 && (flags & O_TRUNC) && ftruncate(fd, 0) < 0 && errno != EINVAL)
		r = -errno;
	return r < 0 ? r : fd_take(&fd);
}
