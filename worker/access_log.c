/*
 * access_log.c - see access_log.h. What a line looks like is in access_format.c.
 */
#include "worker/access_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "common/num.h"

#define BUFFER_BYTES 65536u
#define FLUSH_BYTES 32768u
#define LINE_MAX_BYTES 40960u /* a target of 4 KB, all of it escaped, and two fields of 1 KB */
#define SYSLOG_PATH "/dev/log"
#define SYSLOG_PRIORITY (16 * 8 + 6) /* local0.info */

enum log_kind {
	LOG_STREAM, /* file, tty: write(2) */
	LOG_PIPE, /* write(2) of what poll(2) says there is room for */
	LOG_SOCKET, /* stream socket, such as the journal's: send(2), MSG_DONTWAIT */
	LOG_DATAGRAM, /* one line each */
	LOG_SYSLOG,
};

struct access_log {
	enum log_kind kind;
	int fd;
	const char *path; /* to open again; NULL for what was inherited */
	const char *format;
	uint64_t dropped;
	struct buf lines; /* in storage */
	char storage[BUFFER_BYTES];
};

static int
datagram_open(const char *path, struct why *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (str_copy(un.sun_path, sizeof(un.sun_path), path) < 0)
		return why_set(why, -ENAMETOOLONG, "access log %s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return why_set(why, -errno, "access log %s", path);
	return fd_take(&fd);
}

static int
file_open(const char *path, struct why *why)
{
	const int fd =
	    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	return fd < 0 ? why_set(why, -errno, "access log %s", path) : fd;
}

/* A descriptor that was inherited is shared with others, who may not want it non-blocking. */
static int
inherited_open(struct access_log *l, int fd, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return why_set(why, -errno, "access log fd:%d", fd);
	l->kind = S_ISSOCK(st.st_mode) ? LOG_SOCKET : S_ISFIFO(st.st_mode) ? LOG_PIPE : LOG_STREAM;
	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return l->fd < 0 ? why_set(why, -errno, "access log fd:%d", fd) : 0;
}

static int
target_open(struct access_log *l, const char *target, struct why *why)
{
	uint64_t fd = STDOUT_FILENO;

	if (strcmp(target, "stdout") == 0 ||
	    (str_starts(target, "fd:") && num_parse_str(target + 3, 0, INT32_MAX, &fd) == 0))
		return inherited_open(l, (int)fd, why);
	if (strcmp(target, "syslog") == 0) {
		l->kind = LOG_SYSLOG;
		l->path = SYSLOG_PATH;
	} else if (str_starts(target, "unix:")) {
		l->kind = LOG_DATAGRAM;
		l->path = target + 5;
	} else {
		l->path = target;
	}
	l->fd = l->kind == LOG_STREAM ? file_open(l->path, why) : datagram_open(l->path, why);
	return l->fd < 0 ? l->fd : 0;
}

int
access_log_new(const char *target, const char *format, struct access_log **ret, struct why *why)
{
	struct access_log *l;
	int r;

	*ret = NULL;
	if (strcmp(target, "off") == 0)
		return 0;
	l = calloc(1, sizeof(*l));
	if (!l)
		return why_set(why, -ENOMEM, "access log");
	l->fd = -EBADF;
	l->format = format;
	buf_init(&l->lines, l->storage, sizeof(l->storage));
	r = target_open(l, target, why);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void
access_log_free(struct access_log *l)
{
	if (!l)
		return;
	access_log_flush(l);
	fd_closep(&l->fd);
	free(l);
}

int
access_log_reopen(struct access_log *l, struct why *why)
{
	int fd;

	if (!l || !l->path)
		return 0;
	access_log_flush(l);
	fd = l->kind == LOG_STREAM ? file_open(l->path, why) : datagram_open(l->path, why);
	if (fd < 0)
		return fd;
	fd_closep(&l->fd);
	l->fd = fd;
	return 0;
}

/* Takes the first n bytes, which are gone, out of the buffer. */
static void
lines_consume(struct access_log *l, size_t n)
{
	memmove(l->storage, l->storage + n, l->lines.len - n);
	l->lines.len -= n;
}

/* Room for PIPE_BUF bytes is what POLLOUT of a pipe promises: so much is written without waiting. */
static ssize_t
pipe_write(int fd, const char *bytes, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
}

void
access_log_flush(struct access_log *l)
{
	while (l && l->lines.len > 0) {
		ssize_t n;

		if (l->kind == LOG_SOCKET)
			n = send(l->fd, l->storage, l->lines.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (l->kind == LOG_PIPE)
			n = pipe_write(l->fd, l->storage, l->lines.len);
		else
			n = write(l->fd, l->storage, l->lines.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* full, or broken: lines are dropped when the buffer is full too */
		lines_consume(l, (size_t)n);
	}
}

static void
line_send(struct access_log *l, const char *line, size_t len)
{
	char prefix[64];
	struct iovec iov[2] = { { prefix, 0 }, { (void *)(uintptr_t)line, len } };
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct tm tm = { 0 };
	const time_t now = time(NULL);

	if (l->kind == LOG_SYSLOG && localtime_r(&now, &tm)) {
		char when[32];

		(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
		iov[0].iov_len = (size_t)snprintf(prefix, sizeof(prefix),
		    "<%d>%s sallyport-httpd[%d]: ", SYSLOG_PRIORITY, when, (int)getpid());
	}
	if (sendmsg(l->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		l->dropped++;
}

void
access_log_line(struct access_log *l, const struct exchange *x)
{
	char storage[LINE_MAX_BYTES];
	struct buf line;

	if (!l)
		return;
	buf_init(&line, storage, sizeof(storage));
	access_log_format(l->format, x, &line);
	if (line.failed) {
		l->dropped++; /* cannot be: everything in a line is cut */
		return;
	}
	if (l->kind == LOG_DATAGRAM || l->kind == LOG_SYSLOG) {
		line_send(l, line.data, line.len);
		return;
	}
	(void)buf_putc(&line, '\n');
	if (l->lines.len + line.len >= BUFFER_BYTES)
		access_log_flush(l);
	if (buf_put(&l->lines, line.data, line.len) < 0) {
		l->lines.failed = false;
		l->dropped++;
		return;
	}
	if (l->lines.len >= FLUSH_BYTES)
		access_log_flush(l);
}

uint64_t
access_log_dropped(const struct access_log *l)
{
	return l ? l->dropped : 0;
}
