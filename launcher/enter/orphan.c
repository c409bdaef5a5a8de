/*
 * orphan.c - see orphan.h.
 */
#include "launcher/enter/orphan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/num.h"

#define ORPHANS_MAX 512

size_t
children_read(pid_t parent, pid_t *pids, size_t max)
{
	char path[64], text[8192];
	_cleanup_fd_ int fd = -EBADF;
	size_t n = 0;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text));
	for (ssize_t i = 0; i < len && n < max; i++) {
		struct span word = { text + i, 0 };
		uint64_t pid;

		while (i < len && text[i] != ' ')
			i++;
		word.len = (size_t)(text + i - word.ptr);
		/* A number that was cut by the end of the buffer has no blank behind it. */
		if (i < len && num_parse(word, 10, 1, INT32_MAX, &pid) == 0)
			pids[n++] = (pid_t)pid;
	}
	return n;
}

static bool
is_of_user(pid_t pid, const struct plan_exec *x)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && st.st_uid == (x->has_user ? x->uid : geteuid());
}

/* The number in the PID file; 0 when there is none yet. */
static pid_t
read_pid_file(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char text[32];
	uint64_t pid;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = read(fd, text, sizeof(text));
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	if (n <= 0 || num_parse((struct span){ text, (size_t)n }, 10, 2, INT32_MAX, &pid) < 0)
		return 0;
	return (pid_t)pid;
}

static bool
orphan_is_known(const pid_t *known, size_t n, pid_t pid)
{
	while (n > 0)
		if (known[--n] == pid)
			return true;
	return false;
}

int
orphan_find(const struct enter *e, const pid_t *known, size_t n_known, pid_t *ret)
{
	const char *file = e->main_pid > 0 ? NULL : plan_str(e->plan, e->unit->service.pid_file);
	const pid_t wanted = file ? read_pid_file(file) : e->main_pid;
	pid_t pids[ORPHANS_MAX], found = 0;
	const size_t n = children_read(getppid(), pids, ORPHANS_MAX);
	size_t candidates = 0;

	if (file && wanted == 0)
		return -ENOENT; /* not written yet: ask again */
	for (size_t i = 0; i < n; i++) {
		if (pids[i] == getpid() || orphan_is_known(known, n_known, pids[i]) ||
		    !is_of_user(pids[i], &e->unit->exec) || (wanted && pids[i] != wanted))
			continue;
		found = pids[i];
		candidates++;
	}
	if (candidates != 1)
		return -ESRCH; /* none, or no telling which */
	*ret = found;
	return 0;
}
