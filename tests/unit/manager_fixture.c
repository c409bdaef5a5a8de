/*
 * manager_fixture.c - see manager_fixture.h.
 */
#include "tests/unit/manager_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "launcher/manager/manager.h"

#define PATIENCE_MS 5000
#define FIXTURE_UID 65534

int
fixture_setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .sock = -EBADF, .generation = 100 };
	(void)snprintf(f.dir, sizeof(f.dir), "/tmp/test_manager.XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	*state = &f;
	return 0;
}

static void
remove_in(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL);
		(void)waitpid(f->pid, NULL, 0);
	}
	for (int fd = f->plan; fd <= f->log && f->plan > 0; fd++)
		(void)close(fd);
	fd_closep(&f->sock);
	remove_in(f->dir, "control");
	remove_in(f->dir, "web");
	remove_in(f->dir, "notify");
	(void)rmdir(f->dir);
	return 0;
}

static void
add_command(struct build *b, struct plan_unit *u, enum command_slot slot, const char *path)
{
	struct plan_command *c = build_append(b, &u->service.commands[slot], sizeof(*c));

	c->path = build_str(b, path);
	build_append_word(b, &c->argv, path);
}

static struct plan_unit *
add_service(struct build *b, const struct fixture *f, const char *id)
{
	struct plan_unit *u = build_unit(b, UNIT_SERVICE, id);

	u->service.timeout_start_usec = u->service.timeout_stop_usec =
	    f->timeout_usec ? f->timeout_usec : 90 * USEC_PER_SEC;
	u->service.restart_usec = f->restart_usec ? f->restart_usec : 100000;
	u->service.runtime_max_usec = USEC_INFINITY;
	u->service.restart = RESTART_ON_FAILURE;
	u->service.kill_signal = u->service.restart_kill_signal = SIGTERM;
	u->service.final_kill_signal = SIGKILL;
	u->service.send_sigkill = true;
	if (f->change)
		f->change(b, u);
	return u;
}

static int
bound_socket(const struct fixture *f, const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/%s", f->dir, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(a.sun_path, 0666), 0);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static void
build_plan(struct build *b, const struct fixture *f)
{
	struct plan_unit *k = build_unit(b, UNIT_SOCKET, "web.socket"), *web, *job;
	struct plan_listen *l;
	struct plan_index *x;

	k->wanted = true;
	k->socket.service = UNIT_WEB;
	k->socket.fd_name = build_str(b, "web.socket");
	k->socket.backlog = 128;
	k->socket.poll_limit_usec = 2 * USEC_PER_SEC;
	k->socket.poll_limit_burst = 15;
	l = build_append(b, &k->socket.listens, sizeof(*l));
	l->unit = UNIT_WEB_SOCKET;
	l->kind = LISTEN_STREAM;
	l->text = build_str(b, "/web");
	b->plan->listens[b->plan->n_listens++] = k->socket.listens.head;
	web = add_service(b, f, "web.service");
	web->service.type = f->type;
	web->service.notify_access = NOTIFY_ACCESS_MAIN;
	add_command(b, web, COMMAND_START, "/bin/web");
	x = build_append(b, &web->service.sockets, sizeof(*x));
	x->index = UNIT_WEB_SOCKET;
	job = add_service(b, f, "job.service");
	job->service.type = SERVICE_SIMPLE;
	add_command(b, job, COMMAND_START_PRE, "/bin/pre1");
	add_command(b, job, COMMAND_START_PRE, "/bin/pre2");
	add_command(b, job, COMMAND_START, "/bin/job");
	add_command(b, job, COMMAND_START_POST, "/bin/post");
	add_command(b, job, COMMAND_STOP, "/bin/stop");
	add_command(b, job, COMMAND_STOP_POST, "/bin/stop-post");
}

void
fixture_plan(struct fixture *f)
{
	const int on = 1;
	struct build b;

	assert_int_equal(build_init(&b, NULL), 0);
	build_plan(&b, f);
	assert_int_equal(build_freeze(&b, &f->plan, NULL), 0);
	f->notebook = memfd_create("notebook", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->notebook, 3 * HERITAGE_NOTEBOOK_UNIT_BYTES), 0);
	f->control = bound_socket(f, "control", SOCK_SEQPACKET);
	assert_int_equal(chmod(f->dir, 0755), 0);
	f->runtime = open(f->dir, O_PATH | O_CLOEXEC | O_DIRECTORY);
	f->listener = bound_socket(f, "web", SOCK_STREAM);
	f->notify = bound_socket(f, "notify", SOCK_DGRAM);
	assert_int_equal(setsockopt(f->notify, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	f->log = open(getenv("TEST_LOG") ? getenv("TEST_LOG") : "/dev/null",
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(f->log >= 0);
}

/* In the child: everything where heritage.h says, and nothing else. */
static _Noreturn void
become_manager(const struct fixture *f, int sock)
{
	char argv0[] = HERITAGE_ARGV0, level[] = "--log-level=7";
	char *argv[] = { argv0, level, NULL };
	const int from[] = { open("/dev/null", O_RDONLY), f->log, f->log, sock, f->plan,
		f->notebook, f->control, f->runtime, f->listener, f->notify };
	int high[ELEMENTSOF(from)];

	for (size_t i = 0; i < ELEMENTSOF(from); i++)
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < ELEMENTSOF(from); i++)
		if (dup2(high[i], (int)i) < 0)
			_exit(99);
	if (close_range(ELEMENTSOF(from), ~0u, 0) < 0)
		_exit(99);
	if (getuid() == 0 && (setresgid(FIXTURE_UID, FIXTURE_UID, FIXTURE_UID) < 0 ||
				 setresuid(FIXTURE_UID, FIXTURE_UID, FIXTURE_UID) < 0))
		_exit(99);
	_exit(manager_main(2, argv));
}

void
fixture_boot(struct fixture *f)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	fd_closep(&f->sock);
	f->sock = pair[0];
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		become_manager(f, pair[1]);
	(void)close(pair[1]);
	(void)fixture_expect(f, MSG_HELLO);
}

void
fixture_settle(struct fixture *f)
{
	const struct msg m = msg_make(MSG_SETTLED);

	fixture_say(f, &m);
}

void
fixture_up(struct fixture *f)
{
	fixture_plan(f);
	fixture_boot(f);
	fixture_settle(f);
}

static bool
readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

struct msg
fixture_expect(struct fixture *f, enum msg_type type)
{
	const enum msg_state state = type == MSG_HELLO ? MSG_STATE_NEW : MSG_STATE_UP;
	char bytes[sizeof(struct msg)];
	struct fdpass_msg got;
	struct why why = { "" };
	struct msg m;
	int r;

	if (!readable(f->sock, PATIENCE_MS))
		fail_msg("the manager said nothing, not %d", (int)type);
	r = fdpass_recv(f->sock, bytes, sizeof(bytes), NULL, 0, &got);
	if (r < 0)
		fail_msg("instead of %d: %s", (int)type, strerror(-r));
	if (msg_check(bytes, got.len, got.n_fds, state, &m, &why) < 0)
		fail_msg("instead of %d: %s", (int)type, why.text);
	if (m.type != type)
		fail_msg("%d instead of %d", (int)m.type, (int)type);
	return m;
}

bool
fixture_silent(struct fixture *f, int ms)
{
	return !readable(f->sock, ms);
}

void
fixture_say(struct fixture *f, const struct msg *m)
{
	assert_int_equal(fdpass_send(f->sock, m, sizeof(*m), NULL, 0), 0);
}

struct msg_instance_id
fixture_started(struct fixture *f, const struct msg *start)
{
	struct msg m = msg_make(MSG_STARTED);

	m.seq = start->seq;
	m.unit = start->unit;
	m.instance = (struct msg_instance_id){ 1, f->generation++ };
	m.pid = getpid();
	m.started_usec = clock_usec();
	fixture_say(f, &m);
	return m.instance;
}

void
fixture_exited(struct fixture *f, uint32_t unit, struct msg_instance_id id, int code, int status)
{
	struct msg m = msg_make(MSG_EXITED);

	m.unit = unit;
	m.instance = id;
	m.pid = getpid();
	m.code = code;
	m.status = status;
	fixture_say(f, &m);
}

void
fixture_instance(struct fixture *f, uint32_t unit, struct msg_instance_id id, bool executed)
{
	struct msg m = msg_make(MSG_INSTANCE);

	m.unit = unit;
	m.slot = COMMAND_START;
	m.instance = id;
	m.pid = getpid();
	m.started_usec = 1;
	m.flags = executed ? MSG_INSTANCE_EXECUTED : 0;
	fixture_say(f, &m);
}

static int
connected(const struct fixture *f, const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/%s", f->dir, name);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

int
fixture_connect(struct fixture *f)
{
	return connected(f, "web", SOCK_STREAM);
}

void
fixture_accept(struct fixture *f)
{
	const int fd = accept(f->listener, NULL, NULL);

	assert_true(fd >= 0);
	(void)close(fd);
}

void
fixture_notify(struct fixture *f, const char *text)
{
	_cleanup_fd_ int fd = connected(f, "notify", SOCK_DGRAM);

	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

/* A client's identity is taken at connect(2): a child with that uid makes the connection. */
static int
connected_as(const struct fixture *f, uid_t uid)
{
	int pair[2], fd = -EBADF;
	struct fdpass_msg got;
	char byte = 0;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		int r = setresuid(uid, uid, uid);

		if (r == 0) {
			fd = connected(f, "control", SOCK_SEQPACKET);
			r = fdpass_send(pair[1], "x", 1, &fd, 1);
		}
		_exit(r < 0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(fdpass_recv(pair[0], &byte, 1, &fd, 1, &got), 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return fd;
}

int
fixture_client(struct fixture *f, uid_t uid)
{
	return uid == getuid() ? connected(f, "control", SOCK_SEQPACKET) : connected_as(f, uid);
}

int
fixture_ask(struct fixture *f, enum control_verb verb, const char *unit, uint32_t flags, uid_t uid)
{
	struct control_request q = { .version = CONTROL_VERSION, .verb = verb, .flags = flags };
	const int fd = fixture_client(f, uid);

	assert_int_equal(str_copy(q.unit, sizeof(q.unit), unit), 0);
	if (verb == CONTROL_KILL)
		q.signo = SIGUSR1;
	assert_int_equal(fdpass_send(fd, &q, sizeof(q), NULL, 0), 0);
	return fd;
}

int
fixture_answer(int fd, char *out, size_t size)
{
	_cleanup_fd_ int closing = fd;
	size_t n = 0;

	for (;;) {
		char bytes[CONTROL_PACKET_MAX];
		struct fdpass_msg got;
		struct control_reply_head h;
		const char *text;

		if (!readable(closing, PATIENCE_MS))
			fail_msg("no answer to the operator");
		assert_int_equal(fdpass_recv(fd, bytes, sizeof(bytes), NULL, 0, &got), 0);
		assert_int_equal(control_check_reply(bytes, got.len, &h, &text, NULL), 0);
		if (h.kind == CONTROL_REPLY_END)
			return h.error;
		if (out && n + h.n < size) {
			memcpy(out + n, text, h.n);
			n += h.n;
			out[n] = '\0';
		}
	}
}

int
fixture_do(struct fixture *f, enum control_verb verb, const char *unit)
{
	return fixture_answer(fixture_ask(f, verb, unit, 0, getuid()), NULL, 0);
}

void
fixture_await(struct fixture *f, const char *unit, const char *line)
{
	char text[CONTROL_PACKET_MAX] = "", want[256];

	(void)snprintf(want, sizeof(want), "\n%s\n", line);
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		assert_int_equal(fixture_answer(fixture_ask(f, CONTROL_SHOW, unit, 0, getuid()),
				     text, sizeof(text)),
		    0);
		if (strstr(text, want))
			return;
		(void)usleep(10000);
	}
	fail_msg("%s never had %s but:\n%s", unit, line, text);
}

struct msg_instance_id
fixture_web_running(struct fixture *f)
{
	const int client = fixture_connect(f);
	const struct msg start = fixture_expect(f, MSG_START);
	const struct msg_instance_id id = fixture_started(f, &start);

	fixture_accept(f);
	(void)close(client);
	if (f->type == SERVICE_NOTIFY)
		fixture_notify(f, "READY=1\nSTATUS=serving");
	fixture_await(f, "web.service", "SubState=running");
	return id;
}

int
fixture_end(struct fixture *f)
{
	int status = 0;

	for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
		const pid_t pid = waitpid(f->pid, &status, WNOHANG);

		if (pid == f->pid) {
			f->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		(void)usleep(5000);
	}
	fail_msg("the manager did not end");
	return 0;
}
