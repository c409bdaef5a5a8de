/*
 * identity.c - see identity.h.
 */
#include "launcher/enter/identity.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int
caps_get(struct capsets *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	if (syscall(SYS_capget, &header, d) < 0)
		return -errno;
	*ret = (struct capsets){
		.permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted,
		.effective = (uint64_t)d[1].effective << 32 | d[0].effective,
		.inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable,
	};
	return 0;
}

int
caps_set(const struct capsets *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct d[2] = {
		{ (uint32_t)sets->effective, (uint32_t)sets->permitted,
		    (uint32_t)sets->inheritable },
		{ (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
		    (uint32_t)(sets->inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, d) < 0 ? -errno : 0;
}

int
caps_bound(uint64_t keep)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		const int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			return errno == EINVAL ? 0
					       : -errno; /* past the last one this kernel knows */
		if (has == 0 || (keep & CAP_BIT(cap)))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

int
caps_keep(uint64_t keep)
{
	struct capsets sets = { keep, keep, keep };
	int r;

	/* Kernels before 4.3 have no ambient set, and so nothing to clear. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	r = caps_set(&sets);
	for (unsigned long cap = 0; r == 0 && cap < 64; cap++)
		if ((keep & CAP_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			r = -errno;
	if (r == 0)
		r = caps_get(&sets);
	if (r < 0)
		return r;
	return sets.permitted != keep || sets.effective != keep || sets.inheritable != keep ? -EPERM
											    : 0;
}

int
ids_set_groups(gid_t gid, const gid_t *groups, size_t n_groups)
{
	gid_t r, e, s;

	if (setgroups(n_groups, groups) < 0 || setresgid(gid, gid, gid) < 0)
		return -errno;
	if (getresgid(&r, &e, &s) < 0 || r != gid || e != gid || s != gid)
		return -EPERM;
	if ((gid_t)setfsgid((gid_t)-1) != gid)
		return -EPERM;
	return 0;
}

int
ids_set_user(uid_t uid, bool keep_caps)
{
	uid_t r, e, s;

	if (prctl(PR_SET_KEEPCAPS, keep_caps ? 1 : 0, 0, 0, 0) < 0)
		return -errno;
	if (setresuid(uid, uid, uid) < 0)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return -errno;
	if (getresuid(&r, &e, &s) < 0 || r != uid || e != uid || s != uid)
		return -EPERM;
	if ((uid_t)setfsuid((uid_t)-1) != uid)
		return -EPERM;
	/* With kept capabilities the way back is shut only once the caller has cut them. */
	if (uid != 0 && !keep_caps && (setuid(0) == 0 || seteuid(0) == 0))
		return -EPERM;
	return 0;
}
