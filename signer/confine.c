/*
 * confine.c - see confine.h.
 */
#include "signer/confine.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/landlock.h>
#include <seccomp.h>

/*
 * landlock(7). The kernel's own header may be older than the kernel, so the parts behind ABI 2 are
 * written out: more rights to withhold, TCP ports (ABI 4), scopes (ABI 6).
 */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_AND_CONNECT UINT64_C(3)
#define SCOPE_ABSTRACT_UNIX_AND_SIGNAL UINT64_C(3)

struct landlock_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static const struct landlock_abi {
	int abi;
	size_t size;
	struct landlock_ruleset handled;
} landlock_abis[] = {
	/* Newest first; bits 0 to 12 are ABI 1, 13 is REFER. */
	{ 6, 24, { 0xffff, NET_BIND_AND_CONNECT, SCOPE_ABSTRACT_UNIX_AND_SIGNAL } },
	{ 5, 16, { 0xffff, NET_BIND_AND_CONNECT, 0 } },
	{ 4, 16, { 0xffff & ~FS_IOCTL_DEV, NET_BIND_AND_CONNECT, 0 } },
	{ 3, 8, { 0xffff & ~FS_IOCTL_DEV, 0, 0 } },
	{ 2, 8, { 0x3fff, 0, 0 } },
	{ 1, 8, { 0x1fff, 0, 0 } },
};

/* The directory itself, or that of a file: a renewed key is a new file under the old name. */
static int
allow_reading(int ruleset, const char *path, bool directory, struct why *why)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	char parent[PATH_MAX];
	_cleanup_fd_ int fd = -EBADF;
	const char *slash = strrchr(path, '/');

	if (str_copy(parent, sizeof(parent), directory || slash ? path : ".") < 0)
		return why_set(why, -ENAMETOOLONG, "%s", path);
	if (!directory && slash)
		parent[slash == path ? 1 : slash - path] = '\0';
	fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return why_set(why, -errno, "%s", parent);
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return why_set(why, -errno, "%s: landlock rule", parent);
	return 0;
}

/* A key may be a symbolic link into another folder (certbot's live/ and archive/). */
static int
allow_file(int ruleset, const char *path, struct why *why)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	int r = allow_reading(ruleset, path, false, why);

	return r == 0 && real ? allow_reading(ruleset, real, false, why) : r;
}

static int
confine_signer_files(const struct key_sources *src, struct why *why)
{
	const long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct landlock_abi *row = landlock_abis;
	_cleanup_fd_ int ruleset = -EBADF;
	int r = 0;

	if (abi < 1)
		return why_set(why, CONFINED_WITHOUT_LANDLOCK, "no Landlock in this kernel");
	while (row->abi > abi)
		row++;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &row->handled, row->size, 0);
	if (ruleset < 0)
		return why_set(why, -errno, "landlock_create_ruleset");
	if (src->directory)
		r = allow_reading(ruleset, src->directory, true, why);
	for (size_t i = 0; i < src->n_files && r == 0; i++)
		r = allow_file(ruleset, src->files[i], why);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = why_set(why, -errno, "landlock_restrict_self");
	return r;
}

/* A call, the reason, and for some a condition on one argument: (arg & mask) == value. */
struct confine_row {
	int nr;
	const char *reason;
	bool checked;
	unsigned arg;
	uint64_t mask, value;
};

#define ALLOW(name, why_needed) \
	{ \
		SCMP_SYS(name), why_needed, false, 0, 0, 0 \
	}
#define ALLOW_IF(name, why_needed, a, m, v) \
	{ \
		SCMP_SYS(name), why_needed, true, a, m, v \
	}

static const struct confine_row confine_rows[] = {
	ALLOW(poll, "the loop"),
	ALLOW(ppoll, "the loop, where poll(2) is made of it"),
	ALLOW(restart_syscall, "poll(2) after SIGSTOP and SIGCONT"),
	ALLOW(accept4, "a client"),
	ALLOW(recvmmsg, "requests"),
	ALLOW(sendmmsg, "replies"),
	ALLOW(getsockopt, "SO_PEERCRED of a client, for the log"),
	ALLOW(close, "a client that has left"),
	ALLOW(read, "signalfd; key files on SIGHUP; /dev/urandom never"),
	ALLOW(write, "the log, on descriptor 2"),
	ALLOW(clock_gettime, "where the vDSO cannot answer"),
	ALLOW(getrandom, "nonces of ECDSA and RSA blinding"),
	ALLOW(getpid, "libcrypto asks whether it was forked"),
	ALLOW(gettid, "stdio and abort(3)"),
	ALLOW(futex, "locks of libcrypto and libc"),
	ALLOW(brk, "memory"),
	ALLOW_IF(mmap, "memory, none of it executable", 2, PROT_EXEC, 0),
	ALLOW_IF(mprotect, "malloc's arenas, none of them executable", 2, PROT_EXEC, 0),
	ALLOW(mremap, "realloc(3)"),
	ALLOW(munmap, "memory"),
	ALLOW(madvise, "free(3) gives pages back"),
	ALLOW_IF(
	    openat, "key files on SIGHUP, read only; Landlock says which", 2, O_ACCMODE, O_RDONLY),
	ALLOW_IF(fcntl, "fdopendir(3)", 1, ~UINT64_C(0), F_GETFL),
	ALLOW_IF(fcntl, "scandirat(3)", 1, ~UINT64_C(0), F_SETFD),
	ALLOW(fstat, "key files on SIGHUP"),
	ALLOW(newfstatat, "fstat(3) of this libc"),
	ALLOW(statx, "fstat(3) of other libcs"),
	ALLOW(lseek, "directory streams"),
	ALLOW(getdents64, "the credentials directory on SIGHUP"),
	ALLOW_IF(socket, "sd_notify(3)", 0, ~UINT64_C(0), AF_UNIX),
	ALLOW(sendmsg, "sd_notify(3)"),
	ALLOW(setsockopt, "sd_notify(3): SO_SNDBUF"),
	ALLOW(getuid, "sd_notify(3): credentials of the message"),
	ALLOW(getgid, "sd_notify(3): credentials of the message"),
	ALLOW(rt_sigreturn, "SIGCONT"),
	ALLOW(rt_sigprocmask, "abort(3)"),
	ALLOW(tgkill, "abort(3)"),
	ALLOW(exit_group, "the end"),
	ALLOW(exit, "the end"),
};

/*
 * What is not in the table fails with EPERM: a call that a new libc makes must not end the signing
 * of handshakes. What would only be made by an attacker ends the process.
 */
static const int confine_fatal[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(init_module),
	SCMP_SYS(memfd_create), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(bpf) };

static int
add_rows(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(confine_rows) && r == 0; i++) {
		const struct confine_row *row = &confine_rows[i];
		const struct scmp_arg_cmp cmp = { row->arg, SCMP_CMP_MASKED_EQ, row->mask,
			row->value };

		r = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, row->nr, row->checked ? 1 : 0, row->checked ? &cmp : NULL);
	}
	for (size_t i = 0; i < ELEMENTSOF(confine_fatal) && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, confine_fatal[i], 0);
	return r;
}

static int
confine_signer_calls(struct why *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return why_set(why, -ENOMEM, "seccomp filter");
	r = add_rows(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? why_set(why, r, "seccomp filter") : 0;
}

int
confine_signer(const struct key_sources *src, struct why *why)
{
	int files = confine_signer_files(src, why), r = 0;

	if (files < 0)
		return files;
	if (!SALLYPORT_SANITIZED) /* the sanitizers' own threads and calls are not in the table */
		r = confine_signer_calls(why);
	return r < 0 ? r : files;
}
