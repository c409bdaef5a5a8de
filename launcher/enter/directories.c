/*
 * directories.c - see directories.h.
 */
#include "launcher/enter/directories.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/num.h"
#include "launcher/enter/credentials.h"

#define DEPTH_MAX 64 /* of what is removed; deeper trees are left, and the directory with them */

const struct directory_kinds directory_kinds[DIRECTORY_KIND_END] = {
	[DIRECTORY_RUNTIME] = { "/run", "RUNTIME_DIRECTORY", true },
	[DIRECTORY_STATE] = { "/var/lib", "STATE_DIRECTORY", true },
	[DIRECTORY_CACHE] = { "/var/cache", "CACHE_DIRECTORY", true },
	[DIRECTORY_LOGS] = { "/var/log", "LOGS_DIRECTORY", true },
	[DIRECTORY_CONFIGURATION] = { "/etc", "CONFIGURATION_DIRECTORY", false },
};

/* One component below parent, which is consumed. Return: its descriptor, or -errno. */
static int
step_into(int take_parent, const char *name, mode_t mode)
{
	_cleanup_fd_ int parent = take_parent;
	int fd;

	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -errno;
	/* Not to be read: it may be another user's by now, and closed to root without rights. */
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* fchmod(2) refuses a descriptor of O_PATH. */
static int
change_mode(int fd, mode_t mode)
{
	char path[64], number[NUM_TEXT_MAX];
	struct buf b;

	buf_init(&b, path, sizeof(path));
	(void)buf_puts(&b, "/proc/self/fd/"); /* both always fit */
	(void)buf_puts(&b, num_format(number, (uint64_t)fd));
	return chmod(path, mode) < 0 ? -errno : 0;
}

/* "a/b/c" below base, made on the way. Return: the last as a descriptor of O_PATH, or -errno. */
static int
make_below(const char *base, const char *path, mode_t mode)
{
	int fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	if (fd < 0)
		return -errno;
	while (*path && fd >= 0) {
		const char *slash = strchrnul(path, '/');
		const size_t n = (size_t)(slash - path);

		if (n > NAME_MAX) {
			(void)fd_close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		fd = step_into(fd, name, *slash ? 0755 : mode);
		path = *slash ? slash + 1 : slash;
	}
	return fd;
}

static int
make_one(const struct enter *e, enum directory_kind kind, const char *path)
{
	const struct plan_exec *x = &e->unit->exec;
	const mode_t mode = x->directories[kind].mode;
	_cleanup_fd_ int fd = make_below(directory_kinds[kind].base, path, mode);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* The mode first: once it is another user's, that takes a capability. */
	if ((st.st_mode & 07777) != mode)
		r = change_mode(fd, mode);
	if (r < 0)
		return r;
	if (!directory_kinds[kind].owned || !x->has_user ||
	    (st.st_uid == x->uid && st.st_gid == x->gid))
		return 0;
	return fchownat(fd, "", x->uid, x->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int
directories_make(struct enter *e)
{
	for (int k = 0; k < DIRECTORY_KIND_END; k++) {
		PLAN_FOREACH (e->plan, e->unit->exec.directories[k].paths, struct plan_word, w) {
			const int r = make_one(e, (enum directory_kind)k, enter_text(e, w->text));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* All below dir, which is consumed. Errors are left for rmdir(2) to notice. */
static void
empty_below(int take_dir, unsigned depth)
{
	DIR *d = fdopendir(take_dir); /* allocates: this process will never exec, nor return */
	const struct dirent *entry;

	if (!d) {
		(void)fd_close(take_dir);
		return;
	}
	while (depth < DEPTH_MAX && (entry = readdir(d))) {
		int below;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) == 0 || errno != EISDIR)
			continue;
		below = openat(
		    dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			continue;
		empty_below(below, depth + 1);
		(void)unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

void
directory_empty(int take_dir)
{
	empty_below(take_dir, 0);
}

/* In a process of the service's user. */
static _Noreturn void
empty_as_user(struct enter *e)
{
	struct enter_failure failure;

	if (enter_drop(e, &failure) < 0)
		_exit(enter_step_exit_code(failure.step));
	PLAN_FOREACH (
	    e->plan, e->unit->exec.directories[DIRECTORY_RUNTIME].paths, struct plan_word, w) {
		_cleanup_fd_ int fd =
		    make_below(directory_kinds[DIRECTORY_RUNTIME].base, enter_text(e, w->text), 0);
		const int dir = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0)
			directory_empty(dir);
	}
	_exit(0);
}

/* By its parent's descriptor: a component on the way may be another service's. */
static int
remove_one(const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const size_t n = slash ? (size_t)(slash - path) : 0;
	_cleanup_fd_ int fd = -EBADF;

	if (n >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = '\0';
	fd = make_below(directory_kinds[DIRECTORY_RUNTIME].base, parent, 0755);
	if (fd < 0)
		return fd;
	if (unlinkat(fd, slash ? slash + 1 : path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int
directories_remove(struct enter *e)
{
	const bool keep = e->unit->exec.runtime_preserve == PRESERVE_YES;
	pid_t pid;
	int r = 0;

	credentials_remove(e); /* root's own: nothing of the service's is in the way */
	if (keep)
		return 0;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		empty_as_user(e);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	PLAN_FOREACH (
	    e->plan, e->unit->exec.directories[DIRECTORY_RUNTIME].paths, struct plan_word, w) {
		const int one = remove_one(enter_text(e, w->text));

		r = r < 0 ? r : one;
	}
	return r;
}
