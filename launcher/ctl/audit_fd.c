/*
 * audit_fd.c - the descriptors of a process: what each is, and whether it leads to privilege.
 * Runs as: whoever calls `sallyport audit`; root sees them all, others their own.
 * Trusts:  the kernel. A copy of each socket is taken (pidfd_getfd(2)) to ask it what it is; it is
 *          closed at once and never used.
 */
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/num.h"
#include "launcher/ctl/audit.h"
#include "launcher/load/addr.h"

/* Devices that are the machine's memory, or a way to become anybody. */
static const struct {
	unsigned maj, min;
	const char *name;
} bad_devices[] = {
	{ 1, 1, "/dev/mem" },
	{ 1, 2, "/dev/kmem" },
	{ 1, 4, "/dev/port" },
	{ 10, 223, "/dev/uinput" },
};

/* Whoever writes there is obeyed by root. */
static const char *const obeyed[] = { "/etc/", "/usr/", "/bin/", "/sbin/", "/lib", "/boot/",
	"/root/", "/var/spool/cron/", "/proc/sys/", "/sys/" };

/* The launcher's own descriptors are what heritage.h and monitor.h say: shown, not judged. */
static bool
fds_are_judged(const struct audit_process *p)
{
	return p->role != AUDIT_MONITOR && p->role != AUDIT_MANAGER;
}

static bool
fd_writes(const struct audit_fd *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

/* /proc/PID/fdinfo/N: "flags:\t02100002" */
static unsigned
read_flags(int fdinfo, const char *name)
{
	_cleanup_fd_ int fd = openat(fdinfo, name, O_RDONLY | O_CLOEXEC);
	char text[1024];
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *p;
	struct span digits;
	uint64_t flags = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strstr(text, "flags:\t");
	if (!p)
		return 0;
	digits.ptr = p + strlen("flags:\t");
	digits.len = strspn(digits.ptr, "01234567");
	return num_parse(digits, 8, 0, UINT32_MAX, &flags) < 0 ? 0 : (unsigned)flags;
}

static int
sock_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

static void
name_socket_type(struct audit_fd *f, int domain, int type)
{
	const char *kind = type == SOCK_STREAM	    ? "stream"
			   : type == SOCK_DGRAM	    ? "dgram"
			   : type == SOCK_SEQPACKET ? "seqpacket"
						    : "raw";

	if (domain == AF_UNIX)
		(void)snprintf(f->type, sizeof(f->type), "unix-%s", kind);
	else if (domain == AF_INET || domain == AF_INET6)
		(void)snprintf(f->type, sizeof(f->type), "%s",
		    type == SOCK_STREAM	 ? "tcp"
		    : type == SOCK_DGRAM ? "udp"
		    : type == SOCK_RAW	 ? "raw"
					 : kind);
	else if (domain == AF_PACKET)
		(void)snprintf(f->type, sizeof(f->type), "packet");
	else if (domain == AF_NETLINK)
		(void)snprintf(f->type, sizeof(f->type), "netlink");
	else
		(void)snprintf(f->type, sizeof(f->type), "socket-%d-%s", domain, kind);
}

static void
judge_socket(struct audit_process *p, const struct audit_fd *f, const struct audit_context *c,
    int fd, int domain, int type)
{
	struct ucred peer = { 0 };
	struct sockaddr_un name;
	socklen_t len = sizeof(peer), name_len = sizeof(name);

	if (type == SOCK_RAW || domain == AF_PACKET)
		audit_reason(p, "descriptor %d is a raw socket", f->number);
	if (domain != AF_UNIX || f->listening || c->monitor == 0)
		return;
	/*
	 * A pair made by the monitor is how a manager talks to it. A client of a socket that the
	 * monitor opened, for a service, sees the monitor's pid as well, but that socket has a name.
	 */
	if (type == SOCK_SEQPACKET && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer.pid == c->monitor && getpeername(fd, (struct sockaddr *)&name, &name_len) == 0 &&
	    name_len <= sizeof(sa_family_t))
		audit_reason(p, "descriptor %d speaks to the monitor", f->number);
}

static void
read_socket(struct audit_process *p, struct audit_fd *f, const struct audit_context *c, int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_storage storage;
	} a = { .storage = { 0 } };
	socklen_t len = sizeof(a);
	struct buf text;
	const int domain = sock_option(fd, SO_DOMAIN), type = sock_option(fd, SO_TYPE);

	name_socket_type(f, domain, type);
	f->listening = sock_option(fd, SO_ACCEPTCONN) == 1;
	buf_init(&text, f->text, sizeof(f->text));
	if (getsockname(fd, &a.sa, &len) == 0 &&
	    (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX))
		addr_format(&a.storage, len, &text);
	if (fds_are_judged(p))
		judge_socket(p, f, c, fd, domain, type);
}

static void
judge_path(struct audit_process *p, const struct audit_fd *f, const struct stat *st)
{
	if (str_starts(f->text, "/proc/") && str_ends(f->text, "/mem"))
		audit_reason(p, "descriptor %d is the memory of a process: %s", f->number, f->text);
	if (str_starts(f->text, "/memfd:sallyport-"))
		audit_reason(p, "descriptor %d is the launcher's own: %s", f->number, f->text);
	if (!fd_writes(f) || !S_ISREG(st->st_mode))
		return;
	if (st->st_mode & S_ISUID)
		audit_reason(p, "descriptor %d writes to a setuid file: %s", f->number, f->text);
	for (size_t i = 0; i < ELEMENTSOF(obeyed) && st->st_uid == 0; i++)
		if (str_starts(f->text, obeyed[i]))
			audit_reason(
			    p, "descriptor %d writes to a file of root: %s", f->number, f->text);
}

static void
read_node(struct audit_process *p, struct audit_fd *f, const struct stat *st)
{
	const char *type = S_ISREG(st->st_mode)	   ? "file"
			   : S_ISDIR(st->st_mode)  ? "directory"
			   : S_ISFIFO(st->st_mode) ? "pipe"
			   : S_ISCHR(st->st_mode)  ? "device"
			   : S_ISBLK(st->st_mode)  ? "block-device"
						   : "anonymous";

	(void)snprintf(f->type, sizeof(f->type), "%s", type);
	if (!fds_are_judged(p))
		return;
	if (S_ISBLK(st->st_mode))
		audit_reason(p, "descriptor %d is a block device: %s", f->number, f->text);
	for (size_t i = 0; i < ELEMENTSOF(bad_devices) && S_ISCHR(st->st_mode); i++)
		if (major(st->st_rdev) == bad_devices[i].maj &&
		    minor(st->st_rdev) == bad_devices[i].min)
			audit_reason(p, "descriptor %d is %s", f->number, bad_devices[i].name);
	judge_path(p, f, st);
}

/* Return: false when it cannot be told what it is. */
static bool
read_fd(struct audit_process *p, const struct audit_context *c, int dir, int fdinfo, int pidfd,
    const char *name)
{
	struct audit_fd *f = &p->fds[p->n_fds];
	_cleanup_fd_ int copy = -EBADF;
	struct stat st;
	uint64_t number;
	ssize_t n;

	*f = (struct audit_fd){ 0 };
	if (num_parse_str(name, 0, INT32_MAX, &number) < 0)
		return false;
	f->number = (int)number;
	n = readlinkat(dir, name, f->text, sizeof(f->text) - 1);
	if (n < 0)
		return errno == ENOENT; /* closed in the meantime */
	f->text[n] = '\0';
	f->flags = read_flags(fdinfo, name);
	if (fstatat(dir, name, &st, 0) < 0)
		return errno == ENOENT;
	p->n_fds++;
	if (!S_ISSOCK(st.st_mode)) {
		read_node(p, f, &st);
		return true;
	}
	(void)snprintf(f->type, sizeof(f->type), "socket");
	copy = pidfd < 0 ? -EBADF : pidfd_getfd(pidfd, f->number, 0);
	if (copy < 0)
		return false;
	read_socket(p, f, c, copy);
	return true;
}

void
audit_read_fds(struct audit_process *p, const struct audit_context *c)
{
	char path[2][64];
	_cleanup_fd_ int fdinfo = -EBADF, pidfd = -EBADF;
	DIR *d;

	(void)snprintf(path[0], sizeof(path[0]), "/proc/%d/fd", (int)p->pid);
	(void)snprintf(path[1], sizeof(path[1]), "/proc/%d/fdinfo", (int)p->pid);
	d = opendir(path[0]);
	fdinfo = open(path[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pidfd = pidfd_open(p->pid, 0);
	p->fds = calloc(AUDIT_FDS_MAX, sizeof(*p->fds));
	p->fds_read = d && fdinfo >= 0 && p->fds;
	for (struct dirent *e = d ? readdir(d) : NULL; e && p->fds_read; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		if (p->n_fds == AUDIT_FDS_MAX || !read_fd(p, c, dirfd(d), fdinfo, pidfd, e->d_name))
			p->fds_read = false;
	}
	if (d)
		(void)closedir(d);
}
