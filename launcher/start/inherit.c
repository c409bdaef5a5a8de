/*
 * inherit.c - see inherit.h.
 */
#include "launcher/start/inherit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "launcher/start/sock_open.h"
#include <sys/syscall.h>

/* LISTEN_FDS, if it is meant for us. Return: how many, or -EINVAL. */
static int
count_passed(struct why *why)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint64_t v;

	if (!pid || !n || num_parse_str(pid, 1, INT32_MAX, &v) < 0 || v != (uint64_t)getpid())
		return 0;
	if (num_parse_str(n, 0, ENTER_FDS_MAX, &v) < 0)
		return why_set(why, -EINVAL, "LISTEN_FDS=%s", n);
	return (int)v;
}

int
inherit_close_strangers(struct why *why)
{
	const int n = count_passed(why);

	if (n < 0)
		return n;
	if (syscall(SYS_close_range, (unsigned)(ENTER_FDS_FIRST + n), ~0u, 0) < 0)
		return why_set(why, -errno, "close_range");
	return 0;
}

int
inherit_init(struct inherit *h, struct why *why)
{
	const int n = count_passed(why);

	h->n = 0;
	if (n < 0)
		return n;
	for (; h->n < (uint32_t)n; h->n++) {
		const int fd = ENTER_FDS_FIRST + (int)h->n;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return why_set(why, -errno, "LISTEN_FDS=%d: descriptor %d", n, fd);
		h->fds[h->n] = fd;
	}
	return 0;
}

static bool
same_address(const struct sockaddr_storage *a, socklen_t a_len, const struct plan_listen *l)
{
	const struct sockaddr_in *in = (const void *)a, *want = (const void *)&l->addr;
	const struct sockaddr_in6 *in6 = (const void *)a, *want6 = (const void *)&l->addr;

	if (a->ss_family != l->addr.sa.sa_family)
		return false;
	if (a->ss_family == AF_INET)
		return in->sin_port == want->sin_port &&
		       in->sin_addr.s_addr == want->sin_addr.s_addr;
	if (a->ss_family == AF_INET6)
		return in6->sin6_port == want6->sin6_port &&
		       in6->sin6_scope_id == want6->sin6_scope_id &&
		       memcmp(&in6->sin6_addr, &want6->sin6_addr, sizeof(in6->sin6_addr)) == 0;
	if (a->ss_family == AF_UNIX && l->addr.un.sun_path[0])
		/* The kernel counts the NUL of a path or not, as it was bound. */
		return strcmp(((const struct sockaddr_un *)a)->sun_path, l->addr.un.sun_path) == 0;
	return a_len == l->addr_len && memcmp(a, &l->addr, a_len) == 0;
}

static bool
is_socket_of(int fd, const struct plan_listen *l)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a), int_len = sizeof(int);
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_len) < 0 ||
	    type != sock_types[l->kind] || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return false;
	return same_address(&a, len, l);
}

/* A FIFO or special file: the same inode as what lies at the path. */
static bool
is_node_of(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && lstat(path, &there) == 0 && mine.st_dev == there.st_dev &&
	       mine.st_ino == there.st_ino;
}

int
inherit_take(struct inherit *h, const struct plan *p, const struct plan_listen *l)
{
	for (uint32_t i = 0; i < h->n; i++) {
		bool is;

		if (h->fds[i] < 0)
			continue;
		if (l->kind == LISTEN_FIFO || l->kind == LISTEN_SPECIAL)
			is = is_node_of(h->fds[i], plan_str(p, l->text));
		else
			is = l->kind != LISTEN_MESSAGE_QUEUE && is_socket_of(h->fds[i], l);
		if (is)
			return fd_take(&h->fds[i]);
	}
	return -ENOENT;
}

uint32_t
inherit_done(struct inherit *h)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		left += h->fds[i] >= 0;
		fd_closep(&h->fds[i]);
	}
	h->n = 0;
	return left;
}
