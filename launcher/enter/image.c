/*
 * image.c - see image.h.
 */
#include "launcher/enter/image.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "launcher/enter/fds.h"
#include "launcher/enter/identity.h"

static int
image_become(const struct image *image)
{
	struct capsets sets;
	uint64_t chroot_cap;
	int r = caps_get(&sets);

	if (!image->change_user)
		return 0;
	/* A container may not have it: then the manager does without a root directory of its own. */
	chroot_cap = sets.permitted & CAP_BIT(CAP_SYS_CHROOT);
	if (r == 0)
		r = caps_bound(chroot_cap);
	if (r == 0)
		r = ids_set_groups(image->gid, NULL, 0);
	if (r == 0)
		r = ids_set_user(image->uid, true);
	return r == 0 ? caps_keep(chroot_cap) : r;
}

void
image_exec(const struct image *image, int own_fd)
{
	static char *const no_environment[] = { NULL };
	sigset_t none;
	int exe = image->exe_fd;

	image->fds[image->own] = own_fd;
	(void)sigemptyset(&none);
	if (setsid() < 0 || image_become(image) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0 ||
	    fds_arrange(image->fds, image->n_fds, 0, &exe) < 0)
		_exit(EXIT_FAILURE);
	(void)syscall(SYS_execveat, exe, "", image->argv, no_environment, AT_EMPTY_PATH);
	_exit(EXIT_FAILURE);
}
