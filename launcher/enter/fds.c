/*
 * fds.c - see fds.h.
 */
#include "launcher/enter/fds.h"

#include <fcntl.h>

/* Out of the way of the numbers that are about to be filled. */
static int
move_up(int fd, int limit)
{
	return fd >= limit ? fd : fcntl(fd, F_DUPFD_CLOEXEC, limit);
}

int
fds_arrange(const int *fds, uint32_t n, int first, int *keep)
{
	static int moved[FDS_MAX]; /* the child's own copy; the parent never touches these pages */
	const int end = first + (int)n, limit = end + 1;

	if (n > FDS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		moved[i] = move_up(fds[i], limit);
		if (moved[i] < 0)
			return -errno;
	}
	if (keep && *keep >= 0) {
		*keep = move_up(*keep, limit);
		if (*keep < 0)
			return -errno;
	}
	for (uint32_t i = 0; i < n; i++)
		if (dup2(moved[i], first + (int)i) < 0) /* the copy is not close-on-exec */
			return -errno;
	if (!keep || *keep < 0)
		return close_range((unsigned)end, ~0u, 0) < 0 ? -errno : 0;
	*keep = dup3(*keep, end, O_CLOEXEC);
	if (*keep < 0 || close_range((unsigned)limit, ~0u, 0) < 0)
		return -errno;
	return 0;
}

int
fds_nonblock(int fd, bool on)
{
	const int flags = fcntl(fd, F_GETFL);
	const int want = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;

	if (flags < 0 || (want != flags && fcntl(fd, F_SETFL, want) < 0))
		return -errno;
	return 0;
}
