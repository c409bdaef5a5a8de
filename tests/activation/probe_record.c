/*
 * probe_record.c - what a process can find out about itself, by system calls where there is one,
 *                  so that a hidden or missing /proc costs only what is nowhere else.
 * Runs as: see probe.h.
 */
#include "tests/activation/probe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "common/num.h"

#define SIGNALS_END 65

void
probe_slurp(struct buf *out, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		(void)buf_put(out, chunk, (size_t)n); /* too long: the reader sees a prefix */
	(void)close(fd);
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
}

static void
record_file(struct json *j, const char *key, const char *path)
{
	_cleanup_buf_ struct buf text;

	buf_init_heap(&text, 65536);
	probe_slurp(&text, path);
	json_str(j, key, buf_cstr(&text));
}

static void
record_hex(struct json *j, const char *key, uint64_t value)
{
	char text[32];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	(void)buf_printf(&b, "%016llx", (unsigned long long)value); /* always fits */
	json_str(j, key, buf_cstr(&b));
}

static void
record_argv(struct json *j, int argc, char **argv)
{
	json_open_array(j, "argv");
	for (int i = 0; i < argc; i++)
		json_str(j, NULL, argv[i]);
	json_close(j);
}

static void
record_capabilities(struct json *j)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };
	uint64_t bounding = 0, ambient = 0;

	(void)syscall(SYS_capget, &head, d); /* cannot fail for oneself */
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			bounding |= UINT64_C(1) << cap;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			ambient |= UINT64_C(1) << cap;
	}
	json_open_object(j, "capabilities");
	record_hex(j, "ambient", ambient);
	record_hex(j, "bounding", bounding);
	record_hex(j, "effective", (uint64_t)d[1].effective << 32 | d[0].effective);
	record_hex(j, "inheritable", (uint64_t)d[1].inheritable << 32 | d[0].inheritable);
	record_hex(j, "permitted", (uint64_t)d[1].permitted << 32 | d[0].permitted);
	json_close(j);
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
record_environment(struct json *j, char **envp)
{
	size_t n = 0;
	_cleanup_free_ char **sorted = NULL;

	while (envp[n])
		n++;
	sorted = calloc(n + 1, sizeof(*sorted));
	json_open_array(j, "environment");
	if (sorted) {
		memcpy(sorted, envp, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), compare_text);
		for (size_t i = 0; i < n; i++)
			json_str(j, NULL, sorted[i]);
	}
	json_close(j);
}

static int
compare_gid(const void *a, const void *b)
{
	const gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return x < y ? -1 : x > y;
}

static void
record_groups(struct json *j)
{
	static gid_t groups[65536];
	const int n = getgroups((int)ELEMENTSOF(groups), groups);

	json_open_array(j, "groups");
	if (n > 0)
		qsort(groups, (size_t)n, sizeof(groups[0]), compare_gid);
	for (int i = 0; i < n; i++)
		json_u64(j, NULL, groups[i]);
	json_close(j);
}

static void
record_ids(struct json *j)
{
	uid_t ru, eu, su;
	gid_t rg, eg, sg;

	(void)getresuid(&ru, &eu, &su); /* neither can fail */
	(void)getresgid(&rg, &eg, &sg);
	json_open_object(j, "ids");
	json_u64(j, "egid", eg);
	json_u64(j, "euid", eu);
	json_u64(j, "fsgid", (gid_t)setfsgid((gid_t)-1)); /* an id that is none: only asks */
	json_u64(j, "fsuid", (uid_t)setfsuid((uid_t)-1));
	json_u64(j, "rgid", rg);
	json_u64(j, "ruid", ru);
	json_u64(j, "sgid", sg);
	json_u64(j, "suid", su);
	json_close(j);
}

static void
record_keyring(struct json *j)
{
	char text[256] = { 0 };
	const long n =
	    syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);

	json_str(j, "keyring", n < 0 ? NULL : text);
}

static void
record_namespaces(struct json *j)
{
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user",
		"uts" };
	char path[64], target[128];
	struct buf b;

	json_open_object(j, "namespaces");
	for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
		ssize_t n;

		buf_init(&b, path, sizeof(path));
		(void)buf_printf(&b, "/proc/self/ns/%s", kinds[i]); /* always fits */
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		json_str(j, kinds[i], n < 0 ? NULL : target);
	}
	json_close(j);
}

static void
record_limit(struct json *j, rlim_t v)
{
	if (v == RLIM_INFINITY)
		json_str(j, NULL, "infinity");
	else
		json_u64(j, NULL, v);
}

static void
record_rlimits(struct json *j)
{
	static const struct {
		const char *name;
		int resource;
	} rows[] = {
		{ "AS", RLIMIT_AS },
		{ "CORE", RLIMIT_CORE },
		{ "CPU", RLIMIT_CPU },
		{ "DATA", RLIMIT_DATA },
		{ "FSIZE", RLIMIT_FSIZE },
		{ "LOCKS", RLIMIT_LOCKS },
		{ "MEMLOCK", RLIMIT_MEMLOCK },
		{ "MSGQUEUE", RLIMIT_MSGQUEUE },
		{ "NICE", RLIMIT_NICE },
		{ "NOFILE", RLIMIT_NOFILE },
		{ "NPROC", RLIMIT_NPROC },
		{ "RSS", RLIMIT_RSS },
		{ "RTPRIO", RLIMIT_RTPRIO },
		{ "RTTIME", RLIMIT_RTTIME },
		{ "SIGPENDING", RLIMIT_SIGPENDING },
		{ "STACK", RLIMIT_STACK },
	};

	json_open_object(j, "rlimits");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct rlimit limit = { 0 };

		(void)getrlimit((__rlimit_resource_t)rows[i].resource, &limit);
		json_open_array(j, rows[i].name);
		record_limit(j, limit.rlim_cur);
		record_limit(j, limit.rlim_max);
		json_close(j);
	}
	json_close(j);
}

static void
record_root(struct json *j)
{
	struct stat st = { 0 };

	(void)stat("/", &st);
	json_open_object(j, "root");
	json_u64(j, "dev", st.st_dev);
	json_u64(j, "ino", st.st_ino);
	json_close(j);
}

static void
record_scheduling(struct json *j)
{
	struct sched_param param = { 0 };
	cpu_set_t cpus;
	uint64_t mask = 0;

	(void)sched_getparam(0, &param);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		for (int i = 0; i < 64; i++)
			if (CPU_ISSET(i, &cpus))
				mask |= UINT64_C(1) << i;
	json_open_object(j, "scheduling");
	record_hex(j, "affinity", mask);
	json_i64(j, "ioprio", syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0));
	json_i64(j, "nice", getpriority(PRIO_PROCESS, 0));
	json_i64(j, "policy", sched_getscheduler(0));
	json_i64(j, "priority", param.sched_priority);
	json_i64(j, "timerslack_nsec", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	json_close(j);
}

/* Asks the kernel, not libc: that hides its own two signals and its own handlers. */
static void
record_signals(struct json *j)
{
	struct {
		uintptr_t handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action;
	uint64_t blocked = 0;

	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked));
	json_open_object(j, "signals");
	json_open_array(j, "blocked");
	for (int s = 1; s < SIGNALS_END; s++)
		if (blocked & UINT64_C(1) << (s - 1))
			json_i64(j, NULL, s);
	json_close(j);
	for (unsigned ignored = 0; ignored < 2; ignored++) {
		json_open_array(j, ignored ? "ignored" : "caught");
		for (int s = 1; s < SIGNALS_END; s++) {
			if (syscall(SYS_rt_sigaction, s, NULL, &action, sizeof(action.mask)) < 0)
				continue;
			if (ignored ? action.handler == (uintptr_t)SIG_IGN : action.handler > 1)
				json_i64(j, NULL, s);
		}
		json_close(j);
	}
	json_close(j);
}

/* The controlling terminal's device number: field 7 of /proc/self/stat, 0 without one. */
static void
record_tty(struct json *j)
{
	_cleanup_buf_ struct buf text;
	const char *p;
	uint64_t tty = 0;

	buf_init_heap(&text, 4096);
	probe_slurp(&text, "/proc/self/stat");
	p = strrchr(buf_cstr(&text), ')');
	for (unsigned field = 2; p && field < 7; field++)
		p = strchr(p + 1, ' ');
	if (p)
		(void)!num_parse((struct span){ p + 1, strcspn(p + 1, " ") }, 10, 0, UINT64_MAX,
		    &tty); /* unreadable: 0, none */
	json_u64(j, "tty", tty);
}

static void
record_umask(struct json *j)
{
	const mode_t mask = umask(0);
	char text[8];
	struct buf b;

	(void)umask(mask);
	buf_init(&b, text, sizeof(text));
	(void)buf_printf(&b, "%04o", (unsigned)mask); /* always fits */
	json_str(j, "umask", buf_cstr(&b));
}

static void
record_host(struct json *j)
{
	struct utsname name = { 0 };

	(void)uname(&name);
	json_str(j, "hostname", name.nodename);
}

void
probe_record(struct buf *out, int argc, char **argv, char **envp)
{
	struct json json, *j = &json;
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	int subreaper = 0, death_signal = 0;
	char name[32] = { 0 };

	(void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
	(void)prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
	(void)prctl(PR_GET_NAME, name, 0, 0, 0);
	json_init(j, out);
	json_open_object(j, NULL);
	record_argv(j, argc, argv);
	record_capabilities(j);
	record_file(j, "cgroup", "/proc/self/cgroup");
	json_bool(j, "child_subreaper", subreaper != 0);
	json_str(j, "comm", name);
	json_str(j, "cwd", cwd);
	json_i64(j, "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	record_environment(j, envp);
	probe_descriptors(j, "fds");
	record_groups(j);
	record_host(j);
	record_ids(j);
	record_keyring(j);
	record_namespaces(j);
	json_bool(j, "no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	record_file(j, "oom_score_adj", "/proc/self/oom_score_adj");
	json_i64(j, "parent_death_signal", death_signal);
	json_i64(j, "personality", personality(0xffffffff));
	json_i64(j, "pgrp", getpgrp());
	json_i64(j, "pid", getpid());
	json_i64(j, "ppid", getppid());
	record_rlimits(j);
	record_root(j);
	record_scheduling(j);
	json_i64(j, "seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	json_i64(j, "securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	json_i64(j, "session", getsid(0));
	record_signals(j);
	record_tty(j);
	record_umask(j);
	json_u64(j, "version", PROBE_RECORD_VERSION);
	json_close(j);
}
