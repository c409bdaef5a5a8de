/*
 * box.c - a small machine of its own for a test: fresh pid, mount, uts, ipc, net and cgroup
 *         namespaces over a throw-away overlay of `/`.
 * Runs as: root, on the machine that runs the tests; what it starts sees none of that machine's
 *          file systems writable, none of its network, and none of its processes.
 * Owns:    one cgroup (sallyport-box-PID) and the namespaces; both go when it ends.
 * Tests:   tests/activation/test_box.py
 *
 * usage: box [--bind SOURCE TARGET]... [-- INIT ARGUMENT...]
 *
 * Prints the pid of the box's PID 1 as seen from outside, then waits. A newline on standard input
 * lets PID 1 go on: it executes INIT, or without one only reaps. End of file there kills the box;
 * so a box never outlives the test that made it, however that ends.
 *
 * The rules that keep the machine outside unharmed, in the order they are applied:
 *   - every mount is private first, so nothing propagates back;
 *   - `/` is an overlay whose upper half is a tmpfs: writes vanish;
 *   - /dev is a tmpfs with a few harmless nodes: a journal in here must not bind the machine's
 *     /dev/log; /run and /tmp are fresh;
 *   - /sys and /proc/sys are read-only, apart from /proc/sys/net, which is this box's own;
 *   - the old root is unmounted before anything is executed.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/cleanup.h"

#define SCRATCH "/mnt" /* covered by a tmpfs in our own mount namespace only */
#define ROOT SCRATCH "/root"
#define CGROUPS SCRATCH "/cgroup"
#define BINDS_MAX 16
#define BOX_IMPOSSIBLE 77

struct box {
	const char *bind[BINDS_MAX][2];
	unsigned n_binds;
	char **init; /* NULL: only reap */
	char cgroup[128];
};

static _Noreturn void
box_fail(const char *what)
{
	(void)dprintf(STDERR_FILENO, "box: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* Something that this machine does not let us do at all: the test is skipped, not failed. */
static _Noreturn void
box_impossible(const char *what)
{
	(void)dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(BOX_IMPOSSIBLE);
}

static void
box_mount(
    const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) < 0)
		box_fail(target);
}

static void
box_mkdir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		box_fail(path);
}

static int
box_write(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static void
mount_root(void)
{
	box_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	box_mount("box", SCRATCH, "tmpfs", 0, "mode=0755");
	box_mkdir(SCRATCH "/upper");
	box_mkdir(SCRATCH "/work");
	box_mkdir(ROOT);
	box_mkdir(CGROUPS);
	if (mount("box", ROOT, "overlay", 0,
		"lowerdir=/,upperdir=" SCRATCH "/upper,workdir=" SCRATCH "/work") < 0)
		box_impossible("overlay of /");
	if (mount("cgroup2", CGROUPS, "cgroup2", 0, NULL) < 0)
		box_impossible("cgroup2");
}

static void
mount_proc_sys(void)
{
	box_mount("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	box_mount(ROOT "/proc/sys", ROOT "/proc/sys", NULL, MS_BIND, NULL);
	box_mount(ROOT "/proc/sys/net", ROOT "/proc/sys/net", NULL, MS_BIND, NULL);
	box_mount(NULL, ROOT "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	box_mount("sysfs", ROOT "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
	box_mount("cgroup2", ROOT "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV, NULL);
}

static void
make_node(const char *path, unsigned major_no, unsigned minor_no)
{
	if (mknod(path, S_IFCHR | 0666, makedev(major_no, minor_no)) < 0)
		box_fail(path);
}

static void
mount_dev(void)
{
	static const char *const links[][2] = { { "pts/ptmx", ROOT "/dev/ptmx" },
		{ "/proc/self/fd", ROOT "/dev/fd" }, { "/proc/self/fd/0", ROOT "/dev/stdin" },
		{ "/proc/self/fd/1", ROOT "/dev/stdout" },
		{ "/proc/self/fd/2", ROOT "/dev/stderr" } };

	box_mount("dev", ROOT "/dev", "tmpfs", MS_NOSUID, "mode=0755");
	make_node(ROOT "/dev/null", 1, 3);
	make_node(ROOT "/dev/zero", 1, 5);
	make_node(ROOT "/dev/full", 1, 7);
	make_node(ROOT "/dev/random", 1, 8);
	make_node(ROOT "/dev/urandom", 1, 9);
	make_node(ROOT "/dev/tty", 5, 0);
	make_node(ROOT "/dev/console", 1, 3); /* the null device: nobody looks at it */
	for (size_t i = 0; i < ELEMENTSOF(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			box_fail(links[i][1]);
	box_mkdir(ROOT "/dev/pts");
	box_mkdir(ROOT "/dev/shm");
	box_mkdir(ROOT "/dev/mqueue");
	box_mount("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	    "newinstance,ptmxmode=0666,mode=0620");
	box_mount("shm", ROOT "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	box_mount("mqueue", ROOT "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV, NULL);
}

/* Sources are found in the old root, targets in the new one; both must exist or be made. */
static void
mount_binds(const struct box *b)
{
	for (unsigned i = 0; i < b->n_binds; i++) {
		char target[512];
		struct buf path;

		buf_init(&path, target, sizeof(target));
		if (buf_printf(&path, ROOT "%s", b->bind[i][1]) < 0)
			box_fail(b->bind[i][1]);
		box_mkdir(target);
		box_mount(b->bind[i][0], target, NULL, MS_BIND, NULL);
		box_mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	}
}

static void
loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		box_fail("lo");
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		box_fail("lo");
}

static void
enter_root(void)
{
	if (chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		box_fail("pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		box_fail("the old root");
	/*
	 * From here on as on a machine: what a helper mounts in a namespace of its own is seen by
	 * the others (systemd hands over credentials that way), in this box and nowhere else.
	 */
	box_mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
}

/* And a mount namespace apart from the helper's, who needs its own to clean up. */
static void
enter_cgroup(const struct box *b)
{
	char path[sizeof(b->cgroup) + 16];
	struct buf text;

	buf_init(&text, path, sizeof(path));
	(void)buf_printf(&text, "%s/cgroup.procs", b->cgroup); /* always fits */
	if (box_write(path, "0") < 0 || unshare(CLONE_NEWCGROUP | CLONE_NEWNS) < 0)
		box_fail(path);
}

static _Noreturn void
run_init(const struct box *b)
{
	char *env[] = { "container=sallyport-box", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	if (b->init) {
		(void)execve(b->init[0], b->init, env);
		box_fail(b->init[0]);
	}
	(void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	for (;;)
		(void)pause();
}

/* PID 1. `ready` is told when the box may be filled, `go` says when to run. */
static _Noreturn void
box_child(const struct box *b, int ready, int go)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setsid(); /* it is a leader of nothing yet: cannot fail */
	(void)umask(0);
	enter_cgroup(b);
	mount_proc_sys();
	mount_dev();
	box_mount("run", ROOT "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
	box_mount("tmp", ROOT "/tmp", "tmpfs", 0, "mode=1777"); /* setuid works: tests need it */
	mount_binds(b);
	loopback_up();
	if (sethostname("box", 3) < 0)
		box_fail("hostname");
	enter_root();
	(void)umask(022);
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	for (int fd = 0; fd < 3; fd++) { /* the test's own pipes must not live on in the box */
		const int null = open("/dev/null", O_RDWR);

		if (null != fd && (dup2(null, fd) < 0 || close(null) < 0))
			box_fail("/dev/null");
	}
	if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
		box_fail("close_range");
	run_init(b);
}

static void
box_cgroup(struct box *b)
{
	struct buf path;

	buf_init(&path, b->cgroup, sizeof(b->cgroup));
	(void)buf_printf(&path, CGROUPS "/sallyport-box-%d", (int)getpid()); /* always fits */
	box_mkdir(b->cgroup);
}

static int
remove_directory(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)where;
	return kind == FTW_DP ? rmdir(path) : 0;
}

/* Deepest first. What is busy for a moment yet (a dying process) is tried again. */
static void
remove_cgroup(const char *path)
{
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++)
		if (nftw(path, remove_directory, 16, FTW_DEPTH | FTW_PHYS) != 0)
			(void)poll(NULL, 0, 20);
}

/* Relays the one byte that starts the box. Ends when the test has gone, or PID 1 has. */
static void
wait_for_end(int go, int init_fd)
{
	struct pollfd p[] = { { STDIN_FILENO, POLLIN, 0 }, { init_fd, POLLIN, 0 } };
	bool started = false;
	char byte;

	while (poll(p, ELEMENTSOF(p), -1) > 0 && p[1].revents == 0) {
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return;
		if (!started && write(go, &byte, 1) != 1)
			return;
		started = true;
	}
}

static void
box_options(struct box *b, char **argv)
{
	for (argv++; *argv; argv++) {
		if (strcmp(*argv, "--") == 0) {
			b->init = argv[1] ? argv + 1 : NULL;
			return;
		}
		errno = EINVAL;
		if (strcmp(*argv, "--bind") != 0 || !argv[1] || !argv[2] || b->n_binds == BINDS_MAX)
			box_fail("usage: box [--bind SOURCE TARGET]... [-- INIT ARGUMENT...]");
		b->bind[b->n_binds][0] = argv[1];
		b->bind[b->n_binds++][1] = argv[2];
		argv += 2;
	}
}

int
main(int argc, char **argv)
{
	static struct box b;
	int ready[2], go[2], init_fd;
	char byte;
	pid_t init;

	(void)argc;
	box_options(&b, argv);
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
		box_impossible("new namespaces");
	mount_root();
	box_cgroup(&b);
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		box_fail("pipe");
	init = fork();
	if (init < 0)
		box_fail("fork");
	if (init == 0)
		box_child(&b, ready[1], go[0]);
	(void)close(ready[1]);
	init_fd = (int)syscall(SYS_pidfd_open, init, 0);
	if (init_fd >= 0 && read(ready[0], &byte, 1) == 1) {
		(void)dprintf(STDOUT_FILENO, "%d\n", (int)init);
		wait_for_end(go[1], init_fd);
	}
	(void)kill(init, SIGKILL); /* all of its pid namespace goes with it */
	(void)waitpid(init, NULL, 0);
	remove_cgroup(b.cgroup);
	return 0;
}
