/*
 * image.h - our own binary once more, as the manager.
 * Runs as: a child of the monitor; root until it has become the manager's user.
 * Calls:   system calls only.
 * Tests:   tests/lifecycle/, tests/privilege/
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct image {
	int *fds; /* become 0, 1, 2, ... */
	uint32_t n_fds, own; /* which of them this one has for itself */
	int exe_fd; /* the binary, O_PATH: its path need not be reachable any more */
	const char *const *argv;
	bool change_user;
	uid_t uid;
	gid_t gid;
};

/*
 * image_exec - a session of its own, an empty environment, the user's identity with
 * CAP_SYS_CHROOT alone (for the new image's first act), no_new_privs; then execute.
 */
_Noreturn void image_exec(const struct image *image, int own_fd);
