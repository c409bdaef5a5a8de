/*
 * runtime.c - see runtime.h.
 * Logs:    at the end, that somebody had to be killed.
 */
#include "launcher/start/runtime.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "launcher/enter/orphan.h"

#define CONTROL_BACKLOG 32
#define LEAVE_USEC (UINT64_C(10) * USEC_PER_SEC)

int
runtime_open(struct monitor *m, struct why *why)
{
	struct stat st;

	if (mkdir(m->runtime_dir, 0755) < 0 && errno != EEXIST)
		return why_set(why, -errno, "%s: make directory", m->runtime_dir);
	m->runtime_fd = open(m->runtime_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->runtime_fd < 0 || fstat(m->runtime_fd, &st) < 0)
		return why_set(why, -errno, "%s: open directory", m->runtime_dir);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return why_set(
		    why, -EPERM, "%s: others than the caller could write in it", m->runtime_dir);
	/* Not the directory, which others may open, and lock. */
	m->lock_fd = openat(
	    m->runtime_fd, "lock", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (m->lock_fd < 0)
		return why_set(why, -errno, "%s/lock: open", m->runtime_dir);
	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return why_set(why, errno == EWOULDBLOCK ? -EBUSY : -errno,
		    "%s: another launcher is running there; lock", m->runtime_dir);
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
	const int off = 0;
	int r = bind_below(m, "control", SOCK_SEQPACKET, 0666, &m->control_fd, why);

	if (r < 0)
		return r;
	(void)setsockopt(
	    m->control_fd, SOL_SOCKET, 83 /* SO_PASSRIGHTS, 6.16 */, &off, sizeof(off));
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

void
upstream_connect(struct monitor *m)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -EBADF;
	size_t n;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	n = strlen(path);
	if (n >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@')
		sa.sun_path[0] = '\0'; /* an abstract name: unix(7) */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return;
	m->upstream_fd = fd_take(&fd);
}

static void
kill_children(const struct monitor *m)
{
	pid_t pids[512];
	const size_t n = children_read(getpid(), pids, ELEMENTSOF(pids));

	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL); /* our own, not reaped: it is who we think it is */
	/* Where there is no /proc, what we started is all that we know. */
	for (uint32_t i = 1; n == 0 && i < m->n_used; i++)
		if (m->pids[i] > 0 && m->instances[i].state != INSTANCE_GONE)
			(void)kill(m->pids[i], SIGKILL);
}

/* RemoveOnStop=: the paths of a socket unit and their other names. */
static void
remove_paths(const struct monitor *m, const struct plan_unit *u)
{
	PLAN_FOREACH (m->plan, u->socket.listens, struct plan_listen, l) {
		const char *path = plan_str(m->plan, l->text);

		if (m->listen_fds[l->index] < 0)
			return; /* its conditions were not met: the path is somebody else's */
		if (l->kind == LISTEN_MESSAGE_QUEUE)
			(void)mq_unlink(path);
		else if (path[0] == '/' && l->kind != LISTEN_SPECIAL)
			(void)unlink(path);
	}
	PLAN_FOREACH (m->plan, u->socket.symlinks, struct plan_word, w)
		(void)unlink(plan_str(m->plan, w->text)); /* gone already is as good */
}

static void
clean_runtime(struct monitor *m)
{
	char name[32];

	/* What cannot be removed is a name without a listener, taken over next time. */
	(void)unlinkat(m->runtime_fd, "control", 0);
	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		if (plan_unit(m->plan, i)->socket.remove_on_stop)
			remove_paths(m, plan_unit(m->plan, i));
		if (m->notify_fds[i] < 0)
			continue;
		(void)snprintf(name, sizeof(name), "notify/%u", i);
		(void)unlinkat(m->runtime_fd, name, 0);
	}
	(void)unlinkat(m->runtime_fd, "notify", AT_REMOVEDIR);
	(void)unlinkat(m->runtime_fd, "lock", 0);
	(void)rmdir(m->runtime_dir);
}

void
leave(struct monitor *m)
{
	const uint64_t until = clock_usec() + LEAVE_USEC;
	pid_t pid = 0;
	bool killed = false;

	/* Whoever forks faster than we kill, or cannot die, does not keep us for ever. */
	while (clock_usec() < until && (pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid > 0)
			continue;
		kill_children(m);
		killed = true;
		(void)poll(NULL, 0, 1);
	}
	if (killed)
		log_notice("killed what had not stopped");
	if (pid >= 0)
		log_error("left behind what would not die");
	clean_runtime(m);
}
