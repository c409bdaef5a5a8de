/*
 * condition.c - see condition.h.
 */
#include "launcher/enter/condition.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

/* Is there an entry that matches? Any does when there is no pattern. No opendir(3): it allocates. */
static bool
directory_has(const char *path, const char *pattern)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(8) char entries[4096];
	long n;

	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n;) {
			/* struct linux_dirent64: 8 inode, 8 offset, 2 length, 1 type, the name */
			const char *name = entries + at + 19;
			unsigned short len;

			memcpy(&len, entries + at + 16, sizeof(len));
			if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
			    (!pattern || fnmatch(pattern, name, FNM_PERIOD) == 0))
				return true;
			at += len;
		}
	return false;
}

/* glob(7) in the last part of the path only, as the shipped units have it. */
static bool
path_matches(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');
	char dir[PATH_MAX];
	struct buf b;

	buf_init(&b, dir, sizeof(dir));
	(void)buf_put(&b, pattern, (size_t)(slash - pattern) + 1);
	return !b.failed && directory_has(dir, slash + 1);
}

static bool
condition_is(uint32_t type, const char *path)
{
	struct statvfs vfs;
	struct stat st;

	switch ((enum condition_type)type) {
	case CONDITION_TRUE:
		return true;
	case CONDITION_PATH_EXISTS:
		return access(path, F_OK) == 0;
	case CONDITION_PATH_EXISTS_GLOB:
		return path_matches(path);
	case CONDITION_PATH_IS_DIRECTORY:
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	case CONDITION_PATH_IS_SYMBOLIC_LINK:
		return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
	case CONDITION_PATH_IS_READ_WRITE:
		return statvfs(path, &vfs) == 0 && !(vfs.f_flag & ST_RDONLY);
	case CONDITION_DIRECTORY_NOT_EMPTY:
		return directory_has(path, NULL);
	case CONDITION_FILE_NOT_EMPTY:
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	case CONDITION_FILE_IS_EXECUTABLE:
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
	case CONDITION_FALSE:
	case CONDITION_TYPE_END:
		break;
	}
	return false;
}

/* All plain ones must be so, and of those with "|" one. */
static bool
list_met(const struct plan *p, const struct plan_list *list)
{
	bool triggers = false, triggered = false;

	PLAN_FOREACH (p, *list, struct plan_condition, c) {
		const bool is = condition_is(c->type, plan_str(p, c->text)) != c->negate;

		if (!c->trigger && !is)
			return false;
		triggers = triggers || c->trigger;
		triggered = triggered || (c->trigger && is);
	}
	return !triggers || triggered;
}

int
unit_conditions_met(const struct plan *p, const struct plan_unit *u)
{
	if (!list_met(p, &u->conditions))
		return CONDITIONS_SKIP;
	return list_met(p, &u->assertions) ? CONDITIONS_MET : CONDITIONS_FAIL;
}
