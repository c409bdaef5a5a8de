/*
 * probe_serve.c - answers clients: one command a line, one line back.
 * Runs as: see probe.h.
 *
 *	json		the record			echo TEXT	TEXT
 *	pid		its pid				notify TEXT	sd_notify, "ok" or an errno
 *	exit N		leave with N			signal N	raise N
 *	hang		never answer again		fork		a child that lasts; its pid
 *	try VERB ...	attempt it, see probe_try.c	bytes N		N times 'x'
 */
#include "tests/activation/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/num.h"

#define FIRST_PASSED 3
#define PEERS_MAX 1100
#define LINE_BYTES 4096

enum peer_kind {
	PEER_LISTENER,
	PEER_STREAM,
	PEER_DATAGRAM,
	PEER_PIPE, /* FIFO, message queue, special file: read only */
};

struct peer {
	enum peer_kind kind;
	char *line; /* a stream's unfinished line, LINE_BYTES */
	size_t len;
};

static struct peer peers[PEERS_MAX];
static struct pollfd polled[PEERS_MAX];
static size_t n_peers;

void
probe_write(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { fd, POLLOUT, 0 };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (n < 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

int
probe_notify(const char *text)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	char message[LINE_BYTES];
	const size_t len = strlen(text);
	ssize_t n;
	int fd;

	if (!path)
		return -ENOENT;
	if (str_copy(message, sizeof(message), text) < 0 ||
	    str_copy(un.sun_path, sizeof(un.sun_path), path) < 0)
		return -ENAMETOOLONG;
	for (char *p = message; (p = strchr(p, '|'));)
		*p = '\n';
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	n = sendto(fd, message, len, MSG_NOSIGNAL, (const struct sockaddr *)&un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	if (n < 0)
		n = -errno;
	(void)close(fd);
	return n < 0 ? (int)n : 0;
}

static pid_t
fork_child(void)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (size_t i = 0; i < n_peers; i++) /* a client must see the parent's end close */
		if (peers[i].kind == PEER_STREAM)
			(void)close(polled[i].fd);
	for (;;)
		(void)pause();
}

static void
answer_bytes(const char *rest, struct buf *out)
{
	uint64_t n;

	if (num_parse_str(rest, 0, 1 << 20, &n) < 0)
		return;
	while (n-- > 0)
		(void)buf_putc(out, 'x');
}

/* One command; what to say goes to out. May not return. */
static void
run_command(const struct probe_serve *serve, const char *line, struct buf *out)
{
	const size_t verb = strcspn(line, " ");
	const char *rest = line + verb + (line[verb] == ' ');
	const struct span v = { line, verb };
	uint64_t n = 0;

	(void)!num_parse_str(rest, 0, 255, &n); /* commands without a number ignore it */
	if (span_equal(v, "json"))
		(void)buf_puts(out, buf_cstr(serve->record));
	else if (span_equal(v, "pid"))
		(void)buf_printf(out, "%d", (int)getpid());
	else if (span_equal(v, "echo"))
		(void)buf_puts(out, rest);
	else if (span_equal(v, "exit"))
		_exit((int)n);
	else if (span_equal(v, "signal"))
		(void)raise((int)n);
	else if (span_equal(v, "fork"))
		(void)buf_printf(out, "%d", (int)fork_child());
	else if (span_equal(v, "bytes"))
		answer_bytes(rest, out);
	else if (span_equal(v, "notify")) {
		const int r = probe_notify(rest);

		(void)buf_puts(out, r < 0 ? strerrorname_np(-r) : "ok");
	} else if (span_equal(v, "hang")) {
		for (;;)
			(void)pause();
	} else if (!span_equal(v, "try") || !probe_try(rest, out))
		(void)buf_printf(out, "unknown: %s", line);
}

static void
peer_add(int fd, enum peer_kind kind)
{
	if (n_peers == PEERS_MAX) {
		(void)close(fd);
		return;
	}
	peers[n_peers] = (struct peer){ .kind = kind };
	if (kind == PEER_STREAM && !(peers[n_peers].line = malloc(LINE_BYTES)))
		_exit(70);
	polled[n_peers++] = (struct pollfd){ fd, POLLIN, 0 };
}

static void
peer_drop(size_t i)
{
	(void)close(polled[i].fd);
	free(peers[i].line);
	peers[i] = peers[--n_peers];
	polled[i] = polled[n_peers];
}

static void
peer_add_passed(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		peer_add(fd, PEER_PIPE);
		return;
	}
	(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	if (listening)
		peer_add(fd, PEER_LISTENER);
	else
		peer_add(fd, type == SOCK_DGRAM || type == SOCK_RAW ? PEER_DATAGRAM : PEER_STREAM);
}

/* A stream: every whole line is a command. False when the peer is done. */
static bool
step_stream(const struct probe_serve *serve, size_t i)
{
	struct peer *p = &peers[i];
	const int fd = polled[i].fd;
	const ssize_t n = read(fd, p->line + p->len, LINE_BYTES - 1 - p->len);
	char *end;

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	p->len += (size_t)n;
	p->line[p->len] = '\0';
	while ((end = memchr(p->line, '\n', p->len))) {
		_cleanup_buf_ struct buf out;

		*end = '\0';
		buf_init_heap(&out, 4 << 20);
		run_command(serve, p->line, &out);
		(void)buf_putc(&out, '\n');
		probe_write(fd, buf_cstr(&out), out.len);
		p->len -= (size_t)(end + 1 - p->line);
		memmove(p->line, end + 1, p->len + 1);
	}
	return p->len < LINE_BYTES - 1;
}

static void
step_datagram(const struct probe_serve *serve, int fd)
{
	struct sockaddr_storage from = { 0 };
	socklen_t from_len = sizeof(from);
	_cleanup_buf_ struct buf out;
	char line[LINE_BYTES];
	const ssize_t n =
	    recvfrom(fd, line, sizeof(line) - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	buf_init_heap(&out, 4 << 20);
	run_command(serve, line, &out);
	(void)sendto(fd, buf_cstr(&out), out.len, MSG_NOSIGNAL, (const struct sockaddr *)&from,
	    from_len); /* an unnamed sender gets none */
}

/* False at its end. A FIFO opened for both ways, as activators do, has none. */
static bool
step_pipe(const struct probe_serve *serve, int fd)
{
	_cleanup_buf_ struct buf out;
	char line[LINE_BYTES];
	const ssize_t n = read(fd, line, sizeof(line) - 1);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	buf_init_heap(&out, 4 << 20);
	run_command(serve, line, &out);
	probe_write(STDOUT_FILENO, buf_cstr(&out), out.len);
	return true;
}

static void
step_listener(const struct probe_serve *serve, int fd)
{
	const int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return;
	if (!serve->greet) {
		peer_add(conn, PEER_STREAM);
		return;
	}
	probe_write(conn, buf_cstr(serve->record), serve->record->len);
	probe_write(conn, "\n", 1);
	(void)close(conn);
}

/* True when that was a connection and it is over. */
static bool
peer_step(const struct probe_serve *serve, size_t i)
{
	switch (peers[i].kind) {
	case PEER_LISTENER:
		step_listener(serve, polled[i].fd);
		return serve->greet;
	case PEER_STREAM:
		if (step_stream(serve, i))
			return false;
		peer_drop(i);
		return true;
	case PEER_DATAGRAM:
		step_datagram(serve, polled[i].fd);
		return true;
	case PEER_PIPE:
		if (!step_pipe(serve, polled[i].fd))
			peer_drop(i);
		return true;
	}
	return false;
}

void
probe_serve(const struct probe_serve *serve)
{
	const unsigned n = probe_listen_fds();

	for (unsigned i = 0; i < n; i++)
		peer_add_passed(FIRST_PASSED + (int)i);
	if (n == 0)
		peer_add_passed(STDIN_FILENO);
	if (serve->greet)
		for (size_t i = n_peers; i-- > 0;)
			if (peers[i].kind == PEER_STREAM) {
				probe_write(
				    polled[i].fd, buf_cstr(serve->record), serve->record->len);
				probe_write(polled[i].fd, "\n", 1);
				peer_drop(i);
			}
	while (n_peers > 0) {
		if (poll(polled, n_peers, -1) < 0)
			continue;
		for (size_t i = n_peers; i-- > 0;)
			if (polled[i].revents != 0 && peer_step(serve, i) && serve->once)
				return;
	}
}
