/*
 * trust.c - see trust.h.
 */
#include "launcher/load/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "launcher/load/caller.h"

#include "common/buf.h"

#define TRUST_LINKS_MAX 40 /* as the kernel's own walk */

struct walk {
	int dir; /* where we are */
	struct buf real; /* its name; "" is the root */
	char rest[PATH_MAX]; /* what is still to be walked */
	unsigned links;
	struct why *why;
	int doubt; /* -EPERM once somebody else could write: told only if the file exists */
};

static bool
uid_trusted(uid_t uid)
{
	return uid == 0 || uid == caller_uid();
}

/* Why a component is not to be trusted; NULL when it is. */
static const char *
doubt_about(const struct stat *st)
{
	const bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && st->st_uid == 0;

	if (!uid_trusted(st->st_uid))
		return "is owned by somebody else";
	/* A link has no mode (who may replace it is its directory's business), and nothing that is
	 * read from /dev/null is believed. */
	if (S_ISLNK(st->st_mode) || S_ISCHR(st->st_mode) || sticky)
		return NULL;
	if (st->st_mode & S_IWOTH)
		return "is writable by everybody";
	return st->st_mode & S_IWGRP ? "is writable by its group" : NULL;
}

/* Remembers the first component that is not to be trusted. */
static void
walk_doubt(struct walk *w, const char *name, const struct stat *st)
{
	const char *what = w->doubt < 0 ? NULL : doubt_about(st);

	if (what)
		w->doubt = why_set(w->why, -EPERM, "%s/%s %s (uid %u, gid %u, mode %04o)",
		    buf_cstr(&w->real), name, what, st->st_uid, st->st_gid, st->st_mode & 07777u);
}

/* Cuts the next component off w->rest. Return: false when nothing is left. */
static bool
walk_component(struct walk *w, char name[NAME_MAX + 1], int *ret)
{
	const char *p = w->rest + strspn(w->rest, "/");
	const size_t len = strcspn(p, "/");

	*ret = 0;
	if (len == 0)
		return false;
	if (len > NAME_MAX) {
		*ret = -ENAMETOOLONG;
		return false;
	}
	memcpy(name, p, len);
	name[len] = '\0';
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return true;
}

static int
walk_to_root(struct walk *w)
{
	const int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	fd_closep(&w->dir);
	w->dir = fd;
	buf_reset(&w->real);
	if (fstat(fd, &st) < 0)
		return -errno;
	walk_doubt(w, "", &st);
	return 0;
}

static int
walk_up(struct walk *w)
{
	const int fd = openat(w->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *slash = strrchr(buf_cstr(&w->real), '/');

	if (fd < 0)
		return -errno;
	fd_closep(&w->dir);
	w->dir = fd;
	w->real.len = slash ? (size_t)(slash - w->real.data) : 0; /* it was checked on the way */
	w->real.data[w->real.len] = '\0';
	return 0;
}

/* The link's target goes in front of what is still to be walked. */
static int
walk_link(struct walk *w, int fd)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(fd, "", target, sizeof(target));

	if (n < 0)
		return -errno;
	if (++w->links > TRUST_LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + strlen(w->rest) + 1 > sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n + 1, w->rest, strlen(w->rest) + 1);
	w->rest[n] = '/';
	memcpy(w->rest, target, (size_t)n);
	return n > 0 && target[0] == '/' ? walk_to_root(w) : 0;
}

/* The last component: opened for reading, and what is opened is checked once more. */
static int
walk_open(struct walk *w, const char *name, const struct stat *seen, struct trust_file *ret)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (S_ISCHR(seen->st_mode) && seen->st_rdev == makedev(1, 3))
		return w->doubt < 0 ? w->doubt : TRUST_MASK;
	if (!S_ISREG(seen->st_mode))
		return -ENXIO;
	if (w->doubt < 0)
		return w->doubt;
	fd = openat(w->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino)
		return -ESTALE;
	if (st.st_size == 0)
		return TRUST_MASK;
	ret->fd = fd_take(&fd);
	return TRUST_OK;
}

/* One step. Return: 1 to go on; enum trust_outcome by ret_done; -errno. */
static int
walk_step(struct walk *w, const char *name, bool *ret_done, struct trust_file *ret)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	int r;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return walk_up(w);
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	walk_doubt(w, name, &st);
	if (S_ISLNK(st.st_mode))
		return walk_link(w, fd);
	if (!S_ISDIR(st.st_mode)) {
		if (w->rest[strspn(w->rest, "/")])
			return -ENOTDIR;
		r = walk_open(w, name, &st, ret);
		*ret_done = true;
	} else {
		fd_closep(&w->dir);
		w->dir = fd_take(&fd);
		r = 0;
	}
	(void)buf_printf(&w->real, "/%s", name);
	return w->real.failed ? -ENAMETOOLONG : r;
}

static int
walk_path(struct walk *w, bool directory, struct trust_file *ret)
{
	char name[NAME_MAX + 1];
	bool done = false;
	int r = walk_to_root(w);

	while (r == 0 && !done && walk_component(w, name, &r))
		r = walk_step(w, name, &done, ret);
	if (r < 0)
		return r;
	if (directory == done)
		return directory ? -ENOTDIR : -EISDIR;
	if (done)
		return r;
	if (w->doubt < 0)
		return w->doubt;
	ret->fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ret->fd < 0 ? -errno : TRUST_OK;
}

int
trust_open(const char *path, bool directory, struct trust_file *ret, struct why *why)
{
	struct walk w = { .dir = -EBADF, .why = why };
	struct trust_file file = { .fd = -EBADF };
	struct buf rest;
	int r = 0;

	buf_init(&w.real, file.real, sizeof(file.real));
	buf_init(&rest, w.rest, sizeof(w.rest));
	if (path[0] != '/' && !getcwd(file.real, sizeof(file.real)))
		r = -errno;
	if (buf_printf(&rest, "%s/%s", path[0] == '/' ? "" : file.real, path) < 0)
		r = -ENAMETOOLONG;
	if (r == 0)
		r = walk_path(&w, directory, &file);
	fd_closep(&w.dir);
	if (r == -ENOENT || r == -ENOTDIR)
		return why_set(why, -ENOENT, "%s", path);
	if (r < 0) {
		fd_closep(&file.fd);
		return w.doubt < 0 && r == w.doubt ? r : why_set(why, r, "%s", path);
	}
	*ret = file;
	return r;
}
