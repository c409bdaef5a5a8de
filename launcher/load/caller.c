/*
 * caller.c - see caller.h.
 */
#include "launcher/load/caller.h"

#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
	bool set;
	uid_t uid;
	gid_t gid;
	uint64_t bounding;
} caller;

static uint64_t
read_bounding(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			set |= UINT64_C(1) << cap;
	return set;
}

void
caller_set(uid_t uid, gid_t gid)
{
	caller.set = true;
	caller.uid = uid;
	caller.gid = gid;
	caller.bounding = read_bounding();
}

uid_t
caller_uid(void)
{
	return caller.set ? caller.uid : geteuid();
}

gid_t
caller_gid(void)
{
	return caller.set ? caller.gid : getegid();
}

uint64_t
caller_bounding(void)
{
	return caller.set ? caller.bounding : read_bounding();
}
