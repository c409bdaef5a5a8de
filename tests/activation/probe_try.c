/*
 * probe_try.c - what a captured server would try first; each attempt is really made.
 * Runs as: see probe.h. An attempt that succeeds changes the process or worse: that is the point.
 */
#include "tests/activation/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/num.h"

#define TRY_WORDS_MAX 4

struct try_call {
	const char *word[TRY_WORDS_MAX]; /* missing ones are "" */
	long number[TRY_WORDS_MAX]; /* the same as numbers, -1 if they are none */
	struct buf *out; /* more than "ok" to say */
};

static int
try_setuid(const struct try_call *c)
{
	return setuid((uid_t)c->number[0]);
}

static int
try_setresuid(const struct try_call *c)
{
	return setresuid((uid_t)-1, (uid_t)c->number[0], (uid_t)-1);
}

static int
try_setgid(const struct try_call *c)
{
	return setgid((gid_t)c->number[0]);
}

static int
try_setgroups(const struct try_call *c)
{
	const gid_t g = (gid_t)c->number[0];

	return (int)syscall(SYS_setgroups, 1, &g);
}

static int
try_setfsuid(const struct try_call *c)
{
	const uid_t to = (uid_t)c->number[0];

	(void)setfsuid(to); /* reports nothing: ask again */
	if ((uid_t)setfsuid((uid_t)-1) == to)
		return 0;
	errno = EPERM;
	return -1;
}

/* Any capability at all, permitted and effective. */
static int
try_capability(const struct try_call *c)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };
	const unsigned cap = (unsigned)c->number[0];

	d[cap / 32].permitted = d[cap / 32].effective = 1u << cap % 32;
	return (int)syscall(SYS_capset, &head, d);
}

static int
try_securebits(const struct try_call *c)
{
	return prctl(PR_SET_SECUREBITS, (unsigned long)c->number[0], 0, 0, 0);
}

static int
try_chroot(const struct try_call *c)
{
	return chroot(c->word[0]);
}

static int
try_mount(const struct try_call *c)
{
	return mount("none", c->word[0], "tmpfs", 0, NULL);
}

static int
try_mknod(const struct try_call *c)
{
	return mknod(c->word[0], S_IFCHR | 0666, makedev(1, 1)); /* the machine's memory */
}

static int
try_nice(const struct try_call *c)
{
	return setpriority(PRIO_PROCESS, 0, -(int)c->number[0]);
}

static int
try_kill(const struct try_call *c)
{
	return kill((pid_t)c->number[0], (int)c->number[1]);
}

static int
try_ptrace(const struct try_call *c)
{
	const pid_t pid = (pid_t)c->number[0];

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return -1;
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, NULL, __WALL) < 0)
		return -1;
	return (int)ptrace(PTRACE_DETACH, pid, 0, 0); /* possible only while it is stopped */
}

static int
try_vm_read(const struct try_call *c)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)(uintptr_t)0x400000, 1 };

	return (int)process_vm_readv((pid_t)c->number[0], &here, 1, &there, 1, 0);
}

static int
try_open(const struct try_call *c)
{
	const int fd = open(c->word[0], O_CLOEXEC | (*c->word[1] == 'w' ? O_WRONLY : O_RDONLY));

	return fd < 0 ? -1 : close(fd);
}

/* Takes descriptor number[1] of process number[0]. */
static int
try_take_fd(const struct try_call *c)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)c->number[0], 0);
	int fd, saved;

	if (pidfd < 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)c->number[1], 0);
	saved = errno;
	(void)close(pidfd);
	errno = saved;
	return fd < 0 ? -1 : close(fd);
}

static int
try_bind(const struct try_call *c)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)c->number[0]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r, saved;

	if (fd < 0)
		return -1;
	r = bind(fd, (const struct sockaddr *)&in, sizeof(in));
	saved = errno;
	(void)close(fd);
	errno = saved;
	return r;
}

static int
try_connect(const struct try_call *c)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int fd =
	    socket(AF_UNIX, SOCK_CLOEXEC | (*c->word[1] == 's' ? SOCK_SEQPACKET : SOCK_DGRAM), 0);
	int r, saved;

	if (fd < 0 || str_copy(un.sun_path, sizeof(un.sun_path), c->word[0]) < 0)
		return -1;
	r = connect(fd, (const struct sockaddr *)&un, sizeof(un));
	saved = errno;
	(void)close(fd);
	errno = saved;
	return r;
}

static int
try_unshare(const struct try_call *c)
{
	return unshare((int)c->number[0]);
}

/* Executes a file and hands back what it printed: a setuid program tells who it became. */
static int
try_run(const struct try_call *c)
{
	char chunk[4096];
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO); /* without it the test sees no answer */
		(void)execl(c->word[0], c->word[0], c->word[1], (char *)NULL);
		_exit(errno == EPERM ? 126 : 127);
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], chunk, sizeof(chunk))) > 0)
		(void)buf_put(c->out, chunk, (size_t)n);
	(void)close(ends[0]);
	if (c->out->len > 0 && c->out->data[c->out->len - 1] == '\n')
		c->out->data[--c->out->len] = '\0'; /* one answer, one line */
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 125) {
		errno = ENOEXEC;
		return -1;
	}
	return 0;
}

static const struct {
	const char *verb;
	int (*run)(const struct try_call *);
} tries[] = {
	{ "bind", try_bind },
	{ "capability", try_capability },
	{ "chroot", try_chroot },
	{ "connect", try_connect },
	{ "kill", try_kill },
	{ "mknod", try_mknod },
	{ "mount", try_mount },
	{ "nice", try_nice },
	{ "open", try_open },
	{ "ptrace", try_ptrace },
	{ "run", try_run },
	{ "securebits", try_securebits },
	{ "setfsuid", try_setfsuid },
	{ "setgid", try_setgid },
	{ "setgroups", try_setgroups },
	{ "setresuid", try_setresuid },
	{ "setuid", try_setuid },
	{ "take-fd", try_take_fd },
	{ "unshare", try_unshare },
	{ "vm-read", try_vm_read },
};

static void
split_words(char *text, struct try_call *c)
{
	for (size_t i = 0; i < TRY_WORDS_MAX; i++) {
		uint64_t v;

		while (*text == ' ')
			text++;
		c->word[i] = text;
		text += strcspn(text, " ");
		if (*text != '\0')
			*text++ = '\0';
		c->number[i] = num_parse_str(c->word[i], 0, INT32_MAX, &v) == 0 ? (long)v : -1;
	}
}

bool
probe_try(const char *line, struct buf *out)
{
	const size_t verb = strcspn(line, " ");
	struct try_call c = { .out = out };
	char words[1024];

	if (str_copy(words, sizeof(words), line + verb) < 0)
		return false;
	split_words(words, &c);
	for (size_t i = 0; i < ELEMENTSOF(tries); i++)
		if (span_equal((struct span){ line, verb }, tries[i].verb)) {
			if (tries[i].run(&c) < 0)
				(void)buf_puts(out, strerrorname_np(errno));
			else if (out->len == 0)
				(void)buf_puts(out, "ok");
			return true;
		}
	return false;
}
