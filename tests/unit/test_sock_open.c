/*
 * test_sock_open.c - launcher/start/sock_open.h and inherit.h: real sockets, asked what they are.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include "launcher/load/addr.h"
#include "launcher/load/build.h"
#include "launcher/start/inherit.h"
#include "launcher/start/sock_open.h"

static char dir[] = "/tmp/sallyport-sock-XXXXXX";

struct fixture {
	struct build b;
	struct plan_unit *unit;
	struct plan_listen *listen;
};

/* One socket unit with one listener; addresses below `dir` start with "DIR". */
static void
make(struct fixture *f, enum listen_kind kind, const char *address)
{
	char text[256];
	struct addr a;

	assert_int_equal(build_init(&f->b, NULL), 0);
	f->unit = build_unit(&f->b, UNIT_SOCKET, "t.socket");
	f->unit->socket.mode = 0666;
	f->unit->socket.directory_mode = 0755;
	f->unit->socket.backlog = 16;
	f->unit->socket.uid = (uid_t)-1;
	f->unit->socket.gid = (gid_t)-1;
	f->listen = build_append(&f->b, &f->unit->socket.listens, sizeof(*f->listen));
	f->listen->kind = kind;
	if (str_starts(address, "DIR"))
		(void)snprintf(text, sizeof(text), "%s%s", dir, address + 3);
	else
		(void)snprintf(text, sizeof(text), "%s", address);
	f->listen->text = build_str(&f->b, text);
	if (kind == LISTEN_FIFO)
		return;
	assert_int_equal(addr_parse(text, &a, NULL), 0);
	f->listen->addr.storage = a.u.storage;
	f->listen->addr_len = a.len;
	f->listen->any_family = a.any_family;
}

static int
open_it(struct fixture *f, int *fd, struct why *why)
{
	struct why warn;

	return sock_open(f->b.plan, f->unit, f->listen, fd, &warn, why);
}

static int
get(int fd, int level, int option)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(getsockopt(fd, level, option, &v, &len), 0);
	return v;
}

static void
kinds_of_sockets(void **state)
{
	static const struct {
		const char *label, *address;
		enum listen_kind kind;
		int family, type, accepts;
	} cases[] = {
		{ "v4", "127.0.0.1:28001", LISTEN_STREAM, AF_INET, SOCK_STREAM, 1 },
		{ "v6", "[::1]:28001", LISTEN_STREAM, AF_INET6, SOCK_STREAM, 1 },
		{ "bare port", "28002", LISTEN_STREAM, AF_INET6, SOCK_STREAM, 1 },
		{ "udp", "127.0.0.1:28003", LISTEN_DGRAM, AF_INET, SOCK_DGRAM, 0 },
		{ "path", "DIR/a/b/s", LISTEN_STREAM, AF_UNIX, SOCK_STREAM, 1 },
		{ "unix datagram", "DIR/d", LISTEN_DGRAM, AF_UNIX, SOCK_DGRAM, 0 },
		{ "sequential packets", "DIR/q", LISTEN_SEQPACKET, AF_UNIX, SOCK_SEQPACKET, 1 },
		{ "abstract", "@sallyport-test-open", LISTEN_STREAM, AF_UNIX, SOCK_STREAM, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct fixture f;
		struct why why = { "" };
		_cleanup_fd_ int fd = -EBADF;

		make(&f, cases[i].kind, cases[i].address);
		if (open_it(&f, &fd, &why) < 0)
			fail_msg("%s: %s", cases[i].label, why.text);
		assert_int_equal(get(fd, SOL_SOCKET, SO_DOMAIN), cases[i].family);
		assert_int_equal(get(fd, SOL_SOCKET, SO_TYPE), cases[i].type);
		assert_int_equal(get(fd, SOL_SOCKET, SO_ACCEPTCONN), cases[i].accepts);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		build_done(&f.b);
	}
}

static void
options_are_set(void **state)
{
	struct fixture f;
	struct why why = { "" };
	_cleanup_fd_ int fd = -EBADF;
	struct plan_socket *s;

	(void)state;
	make(&f, LISTEN_STREAM, "[::1]:28004");
	s = &f.unit->socket;
	s->no_delay = true;
	s->keep_alive = (struct plan_opt){ 1, 1 };
	s->keep_alive_time = (struct plan_opt){ 1, 77 };
	s->bind_ipv6_only = (struct plan_opt){ 1, 1 };
	s->reuse_port = (struct plan_opt){ 1, 1 };
	s->receive_buffer = (struct plan_opt){ 1, 300000 };
	s->ip_ttl = (struct plan_opt){ 1, 9 };
	if (open_it(&f, &fd, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(get(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
	assert_int_equal(get(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	assert_int_equal(get(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	assert_int_equal(get(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(get(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 9);
	if (geteuid() == 0) /* SO_RCVBUFFORCE; the kernel doubles it */
		assert_int_equal(get(fd, SOL_SOCKET, SO_RCVBUF), 600000);
	build_done(&f.b);
}

static void
what_is_not_granted_is_a_warning_or_an_error(void **state)
{
	struct fixture f;
	struct why why = { "" }, warn;
	_cleanup_fd_ int fd = -EBADF;

	(void)state;
	make(&f, LISTEN_STREAM, "127.0.0.1:28005");
	f.unit->socket.tcp_congestion = build_str(&f.b, "no-such-thing");
	assert_int_equal(sock_open(f.b.plan, f.unit, f.listen, &fd, &warn, &why), 0);
	assert_non_null(strstr(warn.text, "TCPCongestion="));
	fd_closep(&fd);
	f.unit->socket.bind_to_device = build_str(&f.b, "no-such-device");
	assert_true(sock_open(f.b.plan, f.unit, f.listen, &fd, &warn, &why) < 0);
	assert_non_null(strstr(why.text, "BindToDevice="));
	build_done(&f.b);
}

static void
mode_is_right_from_birth_whatever_the_umask(void **state)
{
	static const mode_t modes[] = { 0600, 0660, 0666, 0777 };
	const mode_t old = umask(0077);

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
		struct fixture f;
		struct stat st;
		_cleanup_fd_ int fd = -EBADF;

		make(&f, LISTEN_STREAM, "DIR/mode");
		f.unit->socket.mode = modes[i];
		assert_int_equal(open_it(&f, &fd, NULL), 0);
		assert_int_equal(stat(plan_str(f.b.plan, f.listen->text), &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		(void)unlink(plan_str(f.b.plan, f.listen->text));
		build_done(&f.b);
	}
	(void)umask(old);
}

static void
a_stale_path_is_taken_over_a_live_one_is_not(void **state)
{
	struct fixture f;
	struct why why = { "" };
	_cleanup_fd_ int first = -EBADF, second = -EBADF;

	(void)state;
	make(&f, LISTEN_STREAM, "DIR/stale");
	assert_int_equal(open_it(&f, &first, NULL), 0);
	assert_int_equal(open_it(&f, &second, &why), -EADDRINUSE); /* the first one listens */
	assert_non_null(strstr(why.text, "somebody listens there"));
	fd_closep(&first);
	assert_int_equal(
	    open_it(&f, &second, NULL), 0); /* its file is still there, but nobody is */
	build_done(&f.b);
}

static void
a_file_in_the_way_is_never_removed(void **state)
{
	struct fixture f;
	struct stat st;
	int fd = -EBADF;

	(void)state;
	make(&f, LISTEN_STREAM, "DIR/file");
	fd = open(plan_str(f.b.plan, f.listen->text), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(open_it(&f, &fd, NULL), -EADDRINUSE);
	assert_int_equal(stat(plan_str(f.b.plan, f.listen->text), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	build_done(&f.b);
}

static void
fifo_is_made_once_and_checked_after(void **state)
{
	struct fixture f;
	struct stat st;
	int fd = -EBADF;

	(void)state;
	make(&f, LISTEN_FIFO, "DIR/fifo");
	f.unit->socket.mode = 0620;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_it(&f, &fd, NULL), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(S_ISFIFO(st.st_mode));
		assert_int_equal(st.st_mode & 0777, 0620);
		fd_closep(&fd);
	}
	f.unit->socket.mode = 0600;
	assert_int_equal(open_it(&f, &fd, NULL), -EEXIST);
	build_done(&f.b);
}

static void
inherited_sockets_are_matched_by_address(void **state)
{
	struct fixture f;
	struct inherit *h = calloc(1, sizeof(*h));
	int fd = -EBADF, other = -EBADF;

	(void)state;
	make(&f, LISTEN_STREAM, "127.0.0.1:28006");
	assert_int_equal(open_it(&f, &fd, NULL), 0);
	other = socket(AF_INET, SOCK_STREAM, 0);
	h->n = 2;
	h->fds[0] = other;
	h->fds[1] = fd;
	assert_int_equal(inherit_take(h, f.b.plan, f.listen), fd);
	assert_int_equal(inherit_take(h, f.b.plan, f.listen), -ENOENT); /* only once */
	f.listen->kind = LISTEN_DGRAM;
	h->fds[1] = fd;
	assert_int_equal(inherit_take(h, f.b.plan, f.listen), -ENOENT); /* another type */
	assert_int_equal(inherit_done(h), 2);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	free(h);
	build_done(&f.b);
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_sockets),
		cmocka_unit_test(options_are_set),
		cmocka_unit_test(what_is_not_granted_is_a_warning_or_an_error),
		cmocka_unit_test(mode_is_right_from_birth_whatever_the_umask),
		cmocka_unit_test(a_stale_path_is_taken_over_a_live_one_is_not),
		cmocka_unit_test(a_file_in_the_way_is_never_removed),
		cmocka_unit_test(fifo_is_made_once_and_checked_after),
		cmocka_unit_test(inherited_sockets_are_matched_by_address),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
