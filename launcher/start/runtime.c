/*
 * runtime.c - see runtime.h.
 */
#include "launcher/start/runtime.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CONTROL_BACKLOG 32

int
runtime_open(struct monitor *m, struct why *why)
{
	struct stat st;

	if (mkdir(m->runtime_dir, 0755) < 0 && errno != EEXIST)
		return why_set(why, -errno, "%s: make directory", m->runtime_dir);
	m->lock_fd = open(m->runtime_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->lock_fd < 0 || fstat(m->lock_fd, &st) < 0)
		return why_set(why, -errno, "%s: open directory", m->runtime_dir);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return why_set(
		    why, -EPERM, "%s: others than the caller could write in it", m->runtime_dir);
	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return why_set(why, errno == EWOULDBLOCK ? -EBUSY : -errno,
		    "%s: another launcher is running there; lock", m->runtime_dir);
	m->runtime_fd = open(m->runtime_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->runtime_fd < 0)
		return why_set(why, -errno, "%s: open directory", m->runtime_dir);
	return 0;
}

/* A unix socket below the runtime directory. The lock is ours, so what is there is left over. */
static int
bind_below(struct monitor *m, const char *name, int type, mode_t mode, int *ret_fd, struct why *why)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct buf path;
	mode_t old;
	int r;

	buf_init(&path, sa.sun_path, sizeof(sa.sun_path));
	if (fd < 0)
		return why_set(why, -errno, "%s: socket", name);
	if (buf_printf(&path, "%s/%s", m->runtime_dir, name) < 0)
		return why_set(why, -ENAMETOOLONG, "%s/%s", m->runtime_dir, name);
	if (unlink(sa.sun_path) < 0 && errno != ENOENT)
		return why_set(why, -errno, "%s: remove what is left over", sa.sun_path);
	old = umask(~mode & 0777);
	r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
	(void)umask(old);
	if (r < 0)
		return why_set(why, r, "%s: bind", sa.sun_path);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* A service's own socket: only its user may send to it. */
static int
open_notify(struct monitor *m, const struct plan_unit *u, struct why *why)
{
	const uid_t uid = u->exec.has_user ? u->exec.uid : (uid_t)-1;
	_cleanup_fd_ int fd = -EBADF;
	char name[32];
	const int on = 1;
	int r;

	(void)snprintf(name, sizeof(name), "notify/%u", u->index);
	r = bind_below(m, name, SOCK_DGRAM, 0600, &fd, why);
	if (r < 0)
		return r;
	if (uid != (uid_t)-1 &&
	    fchownat(m->runtime_fd, name, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
		return why_set(why, -errno, "%s/%s: change owner", m->runtime_dir, name);
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return why_set(why, -errno, "%s/%s: SO_PASSCRED", m->runtime_dir, name);
	m->notify_fds[u->index] = fd_take(&fd);
	return 0;
}

int
runtime_sockets(struct monitor *m, struct why *why)
{
	int r = bind_below(m, "control", SOCK_SEQPACKET, 0666, &m->control_fd, why);

	if (r < 0)
		return r;
	if (listen(m->control_fd, CONTROL_BACKLOG) < 0)
		return why_set(why, -errno, "%s/control: listen", m->runtime_dir);
	if (mkdirat(m->runtime_fd, "notify", 0755) < 0 && errno != EEXIST)
		return why_set(why, -errno, "%s/notify: make directory", m->runtime_dir);
	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		const struct plan_unit *u = plan_unit(m->plan, i);

		m->notify_fds[i] = -EBADF;
		if (u->kind != UNIT_SERVICE || u->service.notify_access == NOTIFY_ACCESS_NONE)
			continue;
		r = open_notify(m, u, why);
		if (r < 0)
			return r;
	}
	return 0;
}
