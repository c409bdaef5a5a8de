/*
 * probe_fds.c - every open descriptor: what it is, how it is open, what it was called.
 * Runs as: see probe.h.
 */
#include "tests/activation/probe.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <linux/netlink.h>
#include <linux/vm_sockets.h>

#include "common/num.h"

#define FDS_MAX 4096
#define FIRST_PASSED 3

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_nl nl;
	struct sockaddr_vm vm;
	struct sockaddr_storage storage;
};

unsigned
probe_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint64_t value;

	if (!pid || !n || num_parse_str(pid, 1, INT32_MAX, &value) < 0 ||
	    value != (uint64_t)getpid() || num_parse_str(n, 0, FDS_MAX, &value) < 0)
		return 0;
	return (unsigned)value;
}

bool
probe_fd_name(unsigned i, char *dst, size_t size)
{
	const char *p = getenv("LISTEN_FDNAMES");
	size_t len;

	for (; p && i > 0; i--) {
		p = strchr(p, ':');
		if (p)
			p++;
	}
	if (!p)
		return false;
	len = strcspn(p, ":");
	if (len >= size)
		len = size - 1;
	memcpy(dst, p, len);
	dst[len] = '\0';
	return true;
}

static void
address_inet6(struct buf *b, const struct sockaddr_in6 *in6)
{
	char host[INET6_ADDRSTRLEN], device[IF_NAMESIZE];

	(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)); /* always fits */
	(void)buf_printf(b, "[%s]:%u", host, ntohs(in6->sin6_port));
	if (in6->sin6_scope_id != 0 && if_indextoname(in6->sin6_scope_id, device))
		(void)buf_printf(b, "%%%s", device);
}

static void
address_unix(struct buf *b, const struct sockaddr_un *un, socklen_t len)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t n = len > head ? len - head : 0;

	if (n == 0)
		return; /* unnamed */
	if (un->sun_path[0] != '\0') {
		(void)buf_put(b, un->sun_path, strnlen(un->sun_path, n));
		return;
	}
	(void)buf_putc(b, '@');
	for (size_t i = 1; i < n; i++)
		(void)buf_putc(b, un->sun_path[i] == '\0' ? '@' : un->sun_path[i]);
}

static void
address_text(struct buf *b, const union any_address *a, socklen_t len)
{
	char host[INET_ADDRSTRLEN];

	switch (a->sa.sa_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host)); /* always fits */
		(void)buf_printf(b, "%s:%u", host, ntohs(a->in.sin_port));
		break;
	case AF_INET6:
		address_inet6(b, &a->in6);
		break;
	case AF_UNIX:
		address_unix(b, &a->un, len);
		break;
	case AF_NETLINK: /* the port is whatever was free: not part of what was asked for */
		(void)buf_printf(b, "groups:%08x", a->nl.nl_groups);
		break;
	case AF_VSOCK:
		(void)buf_printf(b, "vsock:%u:%u", a->vm.svm_cid, a->vm.svm_port);
		break;
	default:
		(void)buf_printf(b, "family:%u", a->sa.sa_family);
		break;
	}
}

static void
write_address(
    struct json *j, const char *key, int (*get)(int, struct sockaddr *, socklen_t *), int fd)
{
	union any_address a = { .storage = { 0 } };
	socklen_t len = sizeof(a);
	char text[512];
	struct buf b;

	if (get(fd, &a.sa, &len) < 0) {
		json_null(j, key);
		return;
	}
	buf_init(&b, text, sizeof(text));
	address_text(&b, &a, len);
	json_str(j, key, buf_cstr(&b));
}

static void
write_inode(struct json *j, const char *key, const struct stat *st)
{
	char text[8];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	(void)buf_printf(&b, "%04o", (unsigned)(st->st_mode & 07777)); /* always fits */
	json_open_object(j, key);
	json_u64(j, "gid", st->st_gid);
	json_u64(j, "inode", st->st_ino);
	json_str(j, "mode", buf_cstr(&b));
	json_u64(j, "uid", st->st_uid);
	json_close(j);
}

/* The name in the file system that a bound unix socket has, and who owns it. */
static void
write_bound_path(struct json *j, int fd)
{
	union any_address a = { .storage = { 0 } };
	socklen_t len = sizeof(a);
	struct stat st;

	if (getsockname(fd, &a.sa, &len) == 0 && a.sa.sa_family == AF_UNIX &&
	    len > offsetof(struct sockaddr_un, sun_path) && a.un.sun_path[0] == '/' &&
	    lstat(a.un.sun_path, &st) == 0)
		write_inode(j, "path", &st);
}

static const char *
family_name(int family)
{
	switch (family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	case AF_UNIX:
		return "unix";
	case AF_NETLINK:
		return "netlink";
	case AF_VSOCK:
		return "vsock";
	default:
		return "other";
	}
}

static const char *
socket_type_name(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	case SOCK_RAW:
		return "raw";
	default:
		return "other";
	}
}

static void
write_socket(struct json *j, int fd)
{
	int family = 0, type = 0, protocol = 0, listening = 0;
	socklen_t len = sizeof(int);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	json_open_object(j, "socket");
	write_address(j, "address", getsockname, fd);
	json_str(j, "family", family_name(family));
	json_bool(j, "listening", listening != 0);
	probe_socket_options(j, "options", fd);
	write_bound_path(j, fd);
	write_address(j, "peer", getpeername, fd);
	json_i64(j, "protocol", protocol);
	json_str(j, "type", socket_type_name(type));
	json_close(j);
}

static void
write_flags(struct json *j, int flags)
{
	static const struct {
		const char *name;
		int flag;
	} rows[] = {
		{ "APPEND", O_APPEND },
		{ "ASYNC", O_ASYNC },
		{ "CREAT", O_CREAT },
		{ "DIRECT", O_DIRECT },
		{ "DIRECTORY", O_DIRECTORY },
		{ "NOATIME", O_NOATIME },
		{ "NOFOLLOW", O_NOFOLLOW },
		{ "NONBLOCK", O_NONBLOCK },
		{ "PATH", O_PATH },
		{ "SYNC", O_SYNC },
	};

	json_open_array(j, "flags");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		if ((flags & rows[i].flag) == rows[i].flag)
			json_str(j, NULL, rows[i].name);
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		json_str(j, NULL, "RDONLY");
		break;
	case O_WRONLY:
		json_str(j, NULL, "WRONLY");
		break;
	default:
		json_str(j, NULL, "RDWR");
		break;
	}
	json_close(j);
}

static bool
write_queue(struct json *j, int fd)
{
	struct mq_attr a = { 0 };

	if (syscall(SYS_mq_getsetattr, fd, NULL, &a) < 0)
		return false;
	json_open_object(j, "mq");
	json_i64(j, "curmsgs", a.mq_curmsgs);
	json_i64(j, "maxmsg", a.mq_maxmsg);
	json_i64(j, "msgsize", a.mq_msgsize);
	json_close(j);
	return true;
}

static const char *
file_type_name(mode_t mode, bool queue)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return "fifo";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFDIR:
		return "directory";
	case S_IFREG:
		return queue ? "mqueue" : "file";
	default:
		return "anonymous";
	}
}

static void
write_target(struct json *j, int fd)
{
	char link[64], target[4096];
	struct buf b;
	ssize_t n;

	buf_init(&b, link, sizeof(link));
	(void)buf_printf(&b, "/proc/self/fd/%d", fd); /* always fits */
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	json_str(j, "target", n < 0 ? NULL : target);
}

static void
write_descriptor(struct json *j, int fd, unsigned n_passed)
{
	const int flags = fcntl(fd, F_GETFL), pipe_size = fcntl(fd, F_GETPIPE_SZ);
	char name[512];
	struct stat st = { 0 };
	bool queue;

	(void)fstat(fd, &st);
	json_open_object(j, NULL);
	json_bool(j, "cloexec", (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	write_flags(j, flags);
	queue = S_ISREG(st.st_mode) && write_queue(j, fd);
	if (fd >= FIRST_PASSED && (unsigned)fd < FIRST_PASSED + n_passed &&
	    probe_fd_name((unsigned)fd - FIRST_PASSED, name, sizeof(name)))
		json_str(j, "name", name);
	else
		json_null(j, "name");
	json_i64(j, "number", fd);
	if (S_ISSOCK(st.st_mode)) {
		write_socket(j, fd);
	} else {
		write_inode(j, "path", &st);
		if (pipe_size >= 0)
			json_i64(j, "pipe_bytes", pipe_size);
		write_target(j, fd);
	}
	json_str(j, "type", file_type_name(st.st_mode, queue));
	json_close(j);
}

static int
compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* All open numbers, sorted; without /proc those below FDS_MAX. The directory's own is left out. */
static size_t
open_numbers(int numbers[FDS_MAX])
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	size_t n = 0;

	if (!d) {
		for (int fd = 0; fd < FDS_MAX; fd++)
			if (fcntl(fd, F_GETFD) >= 0)
				numbers[n++] = fd;
		return n;
	}
	while (n < FDS_MAX && (e = readdir(d))) {
		uint64_t v;

		if (num_parse_str(e->d_name, 0, INT32_MAX, &v) == 0 && (int)v != dirfd(d))
			numbers[n++] = (int)v;
	}
	(void)closedir(d);
	qsort(numbers, n, sizeof(numbers[0]), compare_int);
	return n;
}

void
probe_descriptors(struct json *j, const char *key)
{
	static int numbers[FDS_MAX];
	const size_t n = open_numbers(numbers);
	const unsigned n_passed = probe_listen_fds();

	json_open_array(j, key);
	for (size_t i = 0; i < n; i++)
		write_descriptor(j, numbers[i], n_passed);
	json_close(j);
}
