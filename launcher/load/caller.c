/*
 * caller.c - see caller.h.
 */
#include "launcher/load/caller.h"

#include <stdbool.h>
#include <unistd.h>

static struct {
	bool set;
	uid_t uid;
	gid_t gid;
} caller;

void
caller_set(uid_t uid, gid_t gid)
{
	caller.set = true;
	caller.uid = uid;
	caller.gid = gid;
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
