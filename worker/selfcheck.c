/*
 * selfcheck.c - see selfcheck.h.
 */
#include "worker/selfcheck.h"

#include "common/buf.h"

static const char *const id_kinds[4] = { "real", "effective", "saved", "file system" };

static void
check_ids(struct buf *found, const char *what, const uint32_t ids[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (ids[i] == 0)
			(void)buf_printf(found, ", the %s %s is 0", id_kinds[i], what);
		else if (ids[i] != ids[0])
			(void)buf_printf(found, ", the %s %s %u differs from the real one %u",
			    id_kinds[i], what, ids[i], ids[0]);
	}
}

static void
check_caps(struct buf *found, const char *set, uint64_t caps)
{
	if (caps != 0)
		(void)buf_printf(found, ", %s capabilities 0x%llx", set, (unsigned long long)caps);
}

int
selfcheck_status(const struct procstatus *s, struct why *why)
{
	char storage[900];
	struct buf found;

	buf_init(&found, storage, sizeof(storage));
	check_ids(&found, "uid", s->uid);
	check_ids(&found, "gid", s->gid);
	for (size_t i = 0; i < s->n_groups && i < PROCSTATUS_GROUPS_MAX; i++)
		if (s->groups[i] == 0)
			(void)buf_puts(&found, ", group 0 is among the supplementary ones");
	check_caps(&found, "permitted", s->cap_permitted);
	check_caps(&found, "effective", s->cap_effective);
	check_caps(&found, "inheritable", s->cap_inheritable);
	check_caps(&found, "ambient", s->cap_ambient);
	if (found.len == 0)
		return 0;
	why_set(why, 0, "this server must never have root or a way to it: %s", storage + 2);
	return -EPERM;
}

int
selfcheck(struct why *why)
{
	struct procstatus s;
	const int r = procstatus_read(0, &s, why);

	return r < 0 ? r : selfcheck_status(&s, why);
}
