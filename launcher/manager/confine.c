/*
 * confine.c - see confine.h.
 */
#include "launcher/manager/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "launcher/start/heritage.h"

int
confine_rootdir(int runtime_fd, struct why *why)
{
	_cleanup_fd_ int fd = runtime_fd;

	if (fchdir(fd) < 0)
		return why_set(why, -errno, "runtime directory: fchdir");
	if (chroot(".") == 0)
		return chdir("/") < 0 ? why_set(why, -errno, "new root: chdir") : 1;
	if (errno == EPERM)
		return 0;
	return why_set(why, -errno, "runtime directory: chroot");
}

static int
drop_capabilities(struct why *why)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/* Needs CAP_SETPCAP, which the monitor gives to nobody; no_new_privs makes it moot. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return why_set(why, -errno, "ambient capabilities: clear");
	if (syscall(SYS_capset, &head, none) < 0)
		return why_set(why, -errno, "capset");
	if (syscall(SYS_capget, &head, none) < 0)
		return why_set(why, -errno, "capget");
	for (size_t i = 0; i < ELEMENTSOF(none); i++)
		if (none[i].effective | none[i].permitted | none[i].inheritable)
			return why_set(why, -EPERM, "capabilities are still there");
	return 0;
}

static int
limit_to(int resource, rlim_t value, const char *what, struct why *why)
{
	const struct rlimit limit = { value, value };

	if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return why_set(why, -errno, "limit of %s", what);
	return 0;
}

int
confine_self(unsigned n_fds, struct why *why)
{
	int r;

	/* First: while we have a capability that others of this user lack, they cannot trace us. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return why_set(why, -EPERM, "not dumpable");
	(void)umask(0077);
	r = limit_to(RLIMIT_NOFILE, n_fds, "descriptors", why);
	if (r == 0)
		r = limit_to(RLIMIT_CORE, 0, "core dumps", why);
	if (r == 0)
		r = drop_capabilities(why);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return why_set(why, -EPERM, "no_new_privs");
	return 0;
}

#define ANY_ARGS \
	{ \
		.op = 0 \
	}
#define ARG_IS(n, value) \
	{ \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (value) \
	}
#define ARG_LACKS(n, bits) \
	{ \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (bits) \
	}

/* In the order of a request's life. Everything else kills the process. */
static const struct {
	int call;
	struct scmp_arg_cmp arg; /* op 0: any arguments */
	const char *reason;
} calls[] = {
	{ SCMP_SYS(epoll_wait), ANY_ARGS, "the loop sleeps" },
	{ SCMP_SYS(epoll_pwait), ANY_ARGS, "the same where epoll_wait is this" },
	{ SCMP_SYS(epoll_ctl), ANY_ARGS, "sockets are polled and left alone" },
	{ SCMP_SYS(clock_gettime), ANY_ARGS, "deadlines, where there is no vDSO" },
	{ SCMP_SYS(clock_gettime64), ANY_ARGS, "the same on 32 bits" },
	{ SCMP_SYS(recvmsg), ANY_ARGS, "messages, notify datagrams, requests" },
	{ SCMP_SYS(sendmsg), ANY_ARGS, "requests to the monitor, answers to operators" },
	{ SCMP_SYS(accept4), ANY_ARGS, "operators; connections of Accept=yes" },
	{ SCMP_SYS(getsockopt), ARG_IS(1, SOL_SOCKET), "SO_PEERCRED: who asks" },
	{ SCMP_SYS(getpeername), ANY_ARGS, "names and limits of Accept=yes" },
	{ SCMP_SYS(getsockname), ANY_ARGS, "names of Accept=yes" },
	{ SCMP_SYS(shutdown), ARG_IS(1, SHUT_RD), "a TCP socket that is stopped refuses" },
	{ SCMP_SYS(listen), ANY_ARGS, "and listens again when it is started" },
	{ SCMP_SYS(read), ANY_ARGS, "FlushPending= of a FIFO or datagram socket" },
	{ SCMP_SYS(fcntl), ARG_IS(1, F_SETFL), "FlushPending= must not wait" },
	{ SCMP_SYS(fcntl64), ARG_IS(1, F_SETFL), "the same on 32 bits" },
	{ SCMP_SYS(setsockopt), ARG_IS(2, SO_LINGER), "before closing what a stranger sent" },
	{ SCMP_SYS(socketpair), ARG_IS(0, AF_UNIX), "to a spawner; from its child to the monitor" },
	{ SCMP_SYS(setsockopt), ARG_IS(2, SO_PASSCRED), "who that child is, is the kernel's word" },
	{ SCMP_SYS(fcntl), ARG_IS(1, F_DUPFD_CLOEXEC), "what a spawner did not read is read here" },
	{ SCMP_SYS(fcntl64), ARG_IS(1, F_DUPFD_CLOEXEC), "the same on 32 bits" },
	{ SCMP_SYS(close), ANY_ARGS, "clients, connections, descriptors nobody wanted" },
	{ SCMP_SYS(write), ARG_IS(0, HERITAGE_LOG), "the log" },
	{ SCMP_SYS(poll), ANY_ARGS, "has the log room?" },
	{ SCMP_SYS(ppoll), ANY_ARGS, "the same, where there is no poll(2)" },
	{ SCMP_SYS(brk), ANY_ARGS, "malloc" },
	{ SCMP_SYS(mmap), ARG_LACKS(2, PROT_EXEC), "malloc; never code" },
	{ SCMP_SYS(mmap2), ARG_LACKS(2, PROT_EXEC), "the same on 32 bits" },
	{ SCMP_SYS(munmap), ANY_ARGS, "free" },
	{ SCMP_SYS(rt_sigprocmask), ANY_ARGS, "abort() of a failed assertion" },
	{ SCMP_SYS(getpid), ANY_ARGS, "abort()" },
	{ SCMP_SYS(gettid), ANY_ARGS, "abort()" },
	{ SCMP_SYS(tgkill), ARG_IS(2, SIGABRT), "abort()" },
	{ SCMP_SYS(writev), ARG_IS(0, HERITAGE_LOG), "the text of a failed assertion" },
	{ SCMP_SYS(rt_sigreturn), ANY_ARGS, "a debugger's or the kernel's signal" },
	{ SCMP_SYS(restart_syscall), ANY_ARGS, "sleeping on after SIGSTOP and SIGCONT" },
	{ SCMP_SYS(exit_group), ANY_ARGS, "the end" },
};

static int
add_calls(scmp_filter_ctx filter, struct why *why)
{
	for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
		const int r = calls[i].arg.op == 0
				  ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].call, 0)
				  : seccomp_rule_add_array(
					filter, SCMP_ACT_ALLOW, calls[i].call, 1, &calls[i].arg);

		if (r < 0)
			return why_set(why, r, "seccomp: rule \"%s\"", calls[i].reason);
	}
	return 0;
}

int
confine_calls_of_manager(struct why *why)
{
	scmp_filter_ctx filter;
	int r;

	if (SALLYPORT_SANITIZED)
		return 0; /* a sanitizer's runtime makes calls of its own */
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return why_set(why, -ENOMEM, "seccomp");
	r = add_calls(filter, why);
	if (r == 0) {
		r = seccomp_load(filter);
		if (r < 0)
			(void)why_set(why, r, "seccomp: load");
	}
	seccomp_release(filter);
	return r;
}
