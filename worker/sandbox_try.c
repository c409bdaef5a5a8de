/*
 * sandbox_try.c - see sandbox_try.h. Linked into sallyport-httpd-hooks only.
 */
#include "worker/sandbox_try.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common/log.h"

static bool
try_exec(void)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };

	return execv(argv[0], argv) ==
	       0; /* does not come back if it works: no line, and that tells */
}

static bool
try_open(int flags, const char *path)
{
	const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);

	return fd >= 0;
}

static bool
try_read_outside(void)
{
	return try_open(O_RDONLY, "/etc/passwd") || try_open(O_RDONLY | O_DIRECTORY, "/") ||
	       try_open(O_RDONLY, "/proc/self/status");
}

static bool
try_write(void)
{
	return try_open(O_WRONLY | O_CREAT, "/tmp/sallyport-must-not-exist") ||
	       try_open(O_RDWR, "/dev/null") ||
	       mkdir("/tmp/sallyport-must-not-exist.d", 0700) == 0 ||
	       unlink("/tmp/sallyport-must-not-exist") == 0;
}

static bool
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_INET6, SOCK_DGRAM, 0) >= 0 ||
	       socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool
try_bind(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct sockaddr sa = { .sa_family = AF_UNIX };

	return fd < 0 || bind(fd, &sa, sizeof(sa.sa_family)) == 0 || listen(fd, 1) == 0;
}

static bool
try_memory(void)
{
	void *p = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED || q == MAP_FAILED || mprotect(q, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool
try_others(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)(uintptr_t)&try_others, 1 };

	return kill(getppid(), 0) == 0 || ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ||
	       process_vm_readv(getppid(), &here, 1, &there, 1, 0) >= 0;
}

static bool
try_rights(void)
{
	return setuid(getuid()) == 0 || setgroups(0, NULL) == 0 ||
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 || syscall(SYS_unshare, 0x10000000) == 0;
}

static bool
try_fork(void)
{
	return fork() >= 0;
}

void
sandbox_try(void)
{
	static const struct {
		const char *name;
		bool (*attempt)(void);
	} rows[] = {
		{ "read outside", try_read_outside },
		{ "write", try_write },
		{ "internet socket", try_inet },
		{ "bind", try_bind },
		{ "executable memory", try_memory },
		{ "other processes", try_others },
		{ "rights", try_rights },
		{ "fork", try_fork },
		{ "exec", try_exec },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		log_info("try %s: %s", rows[i].name, rows[i].attempt() ? "DONE" : "refused");
	log_info("tried everything");
}
