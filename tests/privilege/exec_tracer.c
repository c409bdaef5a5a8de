/*
 * exec_tracer.c - watches a whole tree of processes and writes down, at every exec, what the image
 *                 that is about to run its first instruction may do.
 * Runs as: root, in a test's box, as the parent of what it traces.
 * Trusts:  the kernel: at PTRACE_EVENT_EXEC the new image is in place and has not run yet, so
 *          /proc/PID/status is exactly what it starts with.
 * Tests:   tests/privilege/test_no_root.py
 *
 * usage: exec_tracer FILE COMMAND [ARGUMENT...]
 *
 * Appends one line of JSON for each exec to FILE. Follows fork, vfork and clone; if the tracer dies
 * so does all that it traced. SIGTERM, SIGINT and SIGHUP go on to COMMAND, whose exit status
 * becomes the tracer's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/procstatus.h"

#define TRACE_OPTIONS \
	(PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	    PTRACE_O_EXITKILL)

static volatile sig_atomic_t passed_on; /* a signal for COMMAND */

static _Noreturn void
tracer_fail(const char *what)
{
	(void)dprintf(STDERR_FILENO, "exec_tracer: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void
tracer_ids(struct json *j, const char *key, const uid_t ids[4])
{
	json_open_array(j, key);
	for (int i = 0; i < 4; i++)
		json_u64(j, NULL, ids[i]);
	json_close(j);
}

static void
tracer_words(struct json *j, const char *key, pid_t pid)
{
	char path[64], text[65536];
	struct buf b;
	ssize_t n = 0;
	int fd;

	buf_init(&b, path, sizeof(path));
	(void)buf_printf(&b, "/proc/%d/cmdline", (int)pid); /* always fits */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	json_open_array(j, key);
	for (ssize_t at = 0; at < n; at += (ssize_t)strnlen(text + at, (size_t)(n - at)) + 1) {
		text[n] = '\0';
		json_str(j, NULL, text + at);
	}
	json_close(j);
}

static void
tracer_image(struct json *j, const char *key, pid_t pid)
{
	char path[64], target[4096];
	struct buf b;
	ssize_t n;

	buf_init(&b, path, sizeof(path));
	(void)buf_printf(&b, "/proc/%d/exe", (int)pid); /* always fits */
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	json_str(j, key, target);
}

static void
tracer_record(int out, pid_t pid)
{
	_cleanup_buf_ struct buf text;
	struct procstatus s;
	struct json j;
	struct why why = { 0 };

	if (procstatus_read(pid, &s, &why) < 0)
		return; /* killed at this very moment: it will run nothing */
	buf_init_heap(&text, 1 << 20);
	json_init(&j, &text);
	json_open_object(&j, NULL);
	tracer_words(&j, "argv", pid);
	json_u64(&j, "cap_ambient", s.cap_ambient);
	json_u64(&j, "cap_bounding", s.cap_bounding);
	json_u64(&j, "cap_effective", s.cap_effective);
	json_u64(&j, "cap_inheritable", s.cap_inheritable);
	json_u64(&j, "cap_permitted", s.cap_permitted);
	tracer_image(&j, "exe", pid);
	tracer_ids(&j, "gids", s.gid);
	json_open_array(&j, "groups");
	for (size_t i = 0; i < s.n_groups && i < PROCSTATUS_GROUPS_MAX; i++)
		json_u64(&j, NULL, s.groups[i]);
	json_close(&j);
	json_bool(&j, "no_new_privs", s.no_new_privs);
	json_i64(&j, "pid", pid);
	json_i64(&j, "ppid", s.ppid);
	json_u64(&j, "seccomp", s.seccomp);
	tracer_ids(&j, "uids", s.uid);
	json_close(&j);
	(void)buf_putc(&text, '\n');
	if (text.failed || write(out, buf_cstr(&text), text.len) != (ssize_t)text.len)
		tracer_fail("record");
}

static void
tracer_on_signal(int signo)
{
	passed_on = signo;
}

/* One stop of one tracee. */
static void
tracer_stop(int out, pid_t pid, int status)
{
	const int event = status >> 16, signo = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXEC)
		tracer_record(out, pid);
	if (event == PTRACE_EVENT_STOP && signo != SIGTRAP) {
		(void)ptrace(PTRACE_LISTEN, pid, 0, 0); /* a real stop: leave it stopped */
		return;
	}
	/* gone meanwhile: ESRCH, and its end comes by waitpid */
	(void)ptrace(PTRACE_CONT, pid, 0, event == 0 ? signo : 0);
}

static int
tracer_loop(int out, pid_t command)
{
	int status, result = 99;

	for (;;) {
		const pid_t pid = waitpid(-1, &status, __WALL);

		if (passed_on) {
			(void)kill(command, passed_on); /* ours to signal, or gone */
			passed_on = 0;
		}
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return result; /* the whole tree is gone */
		if (WIFSTOPPED(status)) {
			tracer_stop(out, pid, status);
			continue;
		}
		if (pid == command)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/* Waits to be seized, then becomes COMMAND: so its own exec is seen as well. */
static _Noreturn void
tracer_child(char **argv, int go)
{
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(99);
	(void)execvp(argv[0], argv);
	tracer_fail(argv[0]);
}

int
main(int argc, char **argv)
{
	const struct sigaction on = { .sa_handler = tracer_on_signal }; /* no SA_RESTART */
	int out, go[2];
	pid_t child;

	if (argc < 3) {
		(void)dprintf(STDERR_FILENO, "usage: exec_tracer FILE COMMAND [ARGUMENT...]\n");
		return 64;
	}
	out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0 || pipe2(go, O_CLOEXEC) < 0)
		tracer_fail(argv[1]);
	child = fork();
	if (child == 0)
		tracer_child(argv + 2, go[0]);
	if (child < 0 || ptrace(PTRACE_SEIZE, child, 0, TRACE_OPTIONS) < 0)
		tracer_fail("ptrace");
	(void)sigaction(SIGTERM, &on, NULL); /* cannot fail: valid signals, valid handler */
	(void)sigaction(SIGINT, &on, NULL);
	(void)sigaction(SIGHUP, &on, NULL);
	if (write(go[1], "", 1) != 1)
		tracer_fail("start");
	return tracer_loop(out, child);
}
