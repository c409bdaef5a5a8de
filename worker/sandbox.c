/*
 * sandbox.c - see sandbox.h.
 */
#include "worker/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* What newer kernels know and Debian 12's headers do not: landlock(7). */
#define FS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND_TCP (UINT64_C(1) << 0) /* ABI 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* ABI 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

#define FS_FILE (LANDLOCK_ACCESS_FS_READ_FILE)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_LOG (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

int
sandbox_read(struct sandbox *s, const char *path)
{
	if (!path)
		return 0;
	if (s->n_read == SANDBOX_PATHS_MAX)
		return -E2BIG;
	s->read[s->n_read++] = path;
	return 0;
}

int
sandbox_write(struct sandbox *s, const char *path)
{
	if (!path)
		return 0;
	if (s->n_write == SANDBOX_PATHS_MAX)
		return -E2BIG;
	s->write[s->n_write++] = path;
	return 0;
}

static int
sandbox_common(struct why *why)
{
	const struct rlimit no_core = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return why_set(why, -errno, "no_new_privs");
	/* LeakSanitizer attaches to its own process at the end. */
	if (!SALLYPORT_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return why_set(why, -errno, "dumpable");
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return why_set(why, -errno, "core limit");
	return 0;
}

/* Landlock's rights of each ABI, without those that it does not know. */
static struct ruleset_attr
landlock_all(int abi)
{
	struct ruleset_attr a = { .fs = (UINT64_C(1) << 13) - 1 };

	if (abi >= 2)
		a.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4)
		a.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

static int
landlock_allow(int ruleset, const char *path, uint64_t rights, struct why *why)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0; /* it is not there to be read */
	if (fd < 0 || fstat(fd, &st) < 0)
		return why_set(why, -errno, "Landlock: %s", path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return why_set(why, -errno, "Landlock: %s", path);
	return 0;
}

static int
sandbox_landlock(const struct sandbox *s, int *ret_abi, struct why *why)
{
	const long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr all;
	_cleanup_fd_ int fd = -EBADF;
	int r = 0;

	*ret_abi = 0;
	if (abi < 1)
		return 0;
	all = landlock_all((int)abi);
	fd = (int)syscall(SYS_landlock_create_ruleset, &all,
	    abi >= 6   ? sizeof(all)
	    : abi >= 4 ? 2 * sizeof(uint64_t)
		       : sizeof(uint64_t),
	    0);
	if (fd < 0)
		return why_set(why, -errno, "Landlock");
	for (size_t i = 0; r == 0 && i < s->n_read; i++)
		r = landlock_allow(fd, s->read[i], FS_READ, why);
	if (r == 0 && SALLYPORT_SANITIZED)
		r = landlock_allow(fd, "/proc", FS_READ, why); /* LeakSanitizer looks there */
	for (size_t i = 0; r == 0 && i < s->n_write; i++)
		r = landlock_allow(fd, s->write[i], FS_LOG, why);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = why_set(why, -errno, "Landlock");
	if (r == 0)
		*ret_abi = (int)abi;
	return r;
}

/* One row: a call, why a worker needs it, and what one argument may be. */
struct call_row {
	int call;
	const char *why;
	int arg; /* which argument is looked at; -1: none */
	uint64_t mask, want; /* (argument & mask) == want */
};

#define CALL(name, reason) \
	{ \
		SCMP_SYS(name), reason, -1, 0, 0 \
	}
#define CALL_ARG(name, reason, arg, mask, want) \
	{ \
		SCMP_SYS(name), reason, arg, mask, want \
	}

static const struct call_row calls[] = {
	CALL(accept4, "take connections"),
	CALL(recvfrom, "read requests"),
	CALL(recvmmsg, "read the signer's answers"),
	CALL(read, "read through OpenSSL; signals"),
	CALL(readv, "stdio"),
	CALL(sendto, "write answers"),
	CALL(sendmsg, "write answers of two parts; log"),
	CALL(sendmmsg, "ask the signer"),
	CALL(write, "write through OpenSSL; log"),
	CALL(writev, "log"),
	CALL(sendfile, "write large files"),
	CALL(shutdown, "end an answer so that it is not reset away"),
	CALL(close, "end connections, files"),
	CALL(getsockopt, "OpenSSL, connection errors"),
	CALL(setsockopt, "kernel TLS, buffers"),
	CALL(getsockname, "log"),
	CALL(getpeername, "OpenSSL"),
	CALL_ARG(socket, "reach the signer and log sockets again", 0, UINT64_MAX, AF_UNIX),
	CALL(connect, "to those; Landlock forbids TCP, and no other family can be made"),
	CALL(epoll_wait, "the event loop"),
	CALL(epoll_pwait, "the event loop"),
	CALL(epoll_ctl, "the event loop"),
	CALL(epoll_create1, "the event loop"),
	CALL(eventfd2, "the event loop"),
	CALL(pipe2, "the event loop, where eventfd is missing"),
	CALL(timerfd_create, "the event loop notices that the clock was set"),
	CALL(timerfd_settime, "the same"),
	CALL(signalfd4, "signals as events"),
	CALL(rt_sigprocmask, "signals"),
	CALL(rt_sigaction, "signals; abort(3)"),
	CALL(rt_sigreturn, "signals"),
	CALL(poll, "wait for the signer, at a reload"),
	CALL(ppoll, "the same"),
	CALL(openat2, "open files beneath a root; Landlock says which and how"),
	CALL_ARG(openat, "read certificates again, time zone and users", 2, O_ACCMODE | O_CREAT,
	    O_RDONLY),
	CALL(fstat, "size and time of files"),
	CALL(newfstatat, "the same"),
	CALL(statx, "the same"),
	CALL(pread64, "read files"),
	CALL(lseek, "stdio"),
	CALL(getdents64, "list directories"),
	CALL(fcntl, "flags of descriptors"),
	CALL(dup, "directory streams"),
	CALL_ARG(mmap, "memory, never executable", 2, PROT_EXEC, 0),
	CALL_ARG(mprotect, "memory, never executable", 2, PROT_EXEC, 0),
	CALL(munmap, "memory"),
	CALL(mremap, "memory"),
	CALL(madvise, "memory"),
	CALL(brk, "memory"),
	CALL(futex, "locks inside OpenSSL"),
	CALL(getrandom, "random bytes"),
	CALL(clock_gettime, "time, where the vdso has it not"),
	CALL(gettimeofday, "time, where the vdso has it not"),
	CALL(time, "time, where the vdso has it not"),
	CALL(clock_nanosleep, "rests inside OpenSSL"),
	CALL(getpid, "OpenSSL asks whether it was forked"),
	CALL(gettid, "abort(3)"),
	CALL(tgkill, "abort(3)"),
	CALL(exit, "end"),
	CALL(exit_group, "end"),
	CALL(restart_syscall, "the kernel, after a stop"),
};

static const struct call_row log_call =
    CALL_ARG(openat, "open log files again", 2, O_ACCMODE, O_WRONLY);

static int
call_allow(scmp_filter_ctx ctx, const struct call_row *row)
{
	if (row->arg < 0)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, row->call, 0);
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, row->call, 1,
	    SCMP_CMP((unsigned)row->arg, SCMP_CMP_MASKED_EQ, row->mask, row->want));
}

static int
sandbox_seccomp(bool logs, struct why *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ELEMENTSOF(calls); i++)
		r = call_allow(ctx, &calls[i]);
	if (r == 0 && logs)
		r = call_allow(ctx, &log_call);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? why_set(why, r, "seccomp") : 0;
}

int
sandbox_supervisor(struct why *why)
{
	static const int forbidden[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(bind),
		SCMP_SYS(listen), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev), SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid),
		SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups),
		SCMP_SYS(capset), SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns),
		SCMP_SYS(bpf), SCMP_SYS(keyctl), SCMP_SYS(io_uring_setup) };
	scmp_filter_ctx ctx;
	int r = sandbox_common(why);

	if (r < 0 || SALLYPORT_SANITIZED)
		return r;
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	r = ctx ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ELEMENTSOF(forbidden); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? why_set(why, r, "seccomp") : 0;
}

int
sandbox_worker(const struct sandbox *s, int *ret_landlock, struct why *why)
{
	int r = sandbox_common(why);

	*ret_landlock = 0;
	if (r == 0)
		r = sandbox_landlock(s, ret_landlock, why);
	/* The sanitizers need calls that nobody else does. */
	if (r == 0 && !SALLYPORT_SANITIZED)
		r = sandbox_seccomp(s->n_write > 0, why);
	return r;
}
