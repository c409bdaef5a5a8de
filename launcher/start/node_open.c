/*
 * node_open.c - see node_open.h.
 */
#include "launcher/start/node_open.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>

static int
make_fifo(const struct plan_socket *s, const char *path)
{
	const mode_t old = umask(~s->mode & 0777); /* the mode from birth: no window */
	const int r = mkfifo(path, s->mode) < 0 && errno != EEXIST ? -errno : 0;

	(void)umask(old);
	return r;
}

int
node_open_fifo(const struct plan *p, const struct plan_socket *s, const char *path, int *ret_fd,
    struct why *why)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	const int r = make_fifo(s, path);

	(void)p;
	if (r < 0)
		return why_set(why, r, "%s: mkfifo", path);
	/* Read and write: a FIFO without a writer would be at its end for ever. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return why_set(why, -errno, "%s: open", path);
	if (fstat(fd, &st) < 0)
		return why_set(why, -errno, "%s: stat", path);
	if (!S_ISFIFO(st.st_mode) || (st.st_mode & 0777) != (s->mode & 0777) ||
	    st.st_uid != geteuid())
		return why_set(why, -EEXIST, "%s: there is something else; FIFO", path);
	if (s->pipe_size.set && fcntl(fd, F_SETPIPE_SZ, s->pipe_size.value) < 0)
		return why_set(why, -errno, "%s: PipeSize=", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int
node_open_special(const struct plan_socket *s, const char *path, int *ret_fd, struct why *why)
{
	_cleanup_fd_ int fd = open(path,
	    (s->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return why_set(why, -errno, "%s: open", path);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return why_set(why, -EEXIST, "%s: neither a file nor a character device", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

int
node_open_queue(const struct plan_socket *s, const char *name, int *ret_fd, struct why *why)
{
	struct mq_attr attr = { .mq_maxmsg = s->mq_max_messages.value,
		.mq_msgsize = s->mq_message_size.value };
	const bool sized = s->mq_max_messages.set && s->mq_message_size.set;
	const mode_t old = umask(~s->mode & 0777);
	_cleanup_fd_ int fd = mq_open(
	    name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT, s->mode, sized ? &attr : NULL);
	const int error = errno;
	struct stat st;

	(void)umask(old);
	if (fd < 0 || fstat(fd, &st) < 0)
		return why_set(why, fd < 0 ? -error : -errno, "%s: mq_open", name);
	if ((st.st_mode & 0777) != (s->mode & 0777) || st.st_uid != geteuid())
		return why_set(why, -EEXIST, "%s: there is another one", name);
	*ret_fd = fd_take(&fd);
	return 0;
}
