/*
 * beneath.c - see beneath.h.
 */
#include "worker/site/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

int
beneath_root(const char *path)
{
	const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* As the kernel wants it: "a/b", and "." for the root itself. */
static const char *
beneath_path(const char *path)
{
	while (*path == '/')
		path++;
	return *path == '\0' ? "." : path;
}

int
beneath_stat(int root, const char *path, struct stat *ret)
{
	return fstatat(root, beneath_path(path), ret, AT_NO_AUTOMOUNT) < 0 ? -errno : 0;
}

int
beneath_open(int root, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	path = beneath_path(path);
	for (int tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		/* EAGAIN: a rename anywhere raced with a ".." walk; the kernel says try again */
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}
