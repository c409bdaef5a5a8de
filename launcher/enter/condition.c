/*
 * condition.c - see condition.h.
 */
#include "launcher/enter/condition.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "common/capname.h"
#include "common/num.h"

#define CONDITION_TEXT_MAX 8192

/* The start of a file of the kernel's. Return: how many bytes; 0 when there are none. */
static size_t
read_start(const char *path, char text[CONDITION_TEXT_MAX])
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, text, CONDITION_TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Calls found() for each entry of a directory until it says true. No opendir(3): it allocates. */
static bool
directory_has(const char *path, bool (*found)(const char *name, const char *arg), const char *arg)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(8) char entries[4096];
	long n;

	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n;) {
			/* struct linux_dirent64: 8 inode, 8 offset, 2 length, 1 type, the name */
			unsigned short len;

			memcpy(&len, entries + at + 16, sizeof(len));
			if (strcmp(entries + at + 19, ".") != 0 &&
			    strcmp(entries + at + 19, "..") != 0 && found(entries + at + 19, arg))
				return true;
			at += len;
		}
	return false;
}

static bool
any_name(const char *name, const char *arg)
{
	(void)arg;
	return name[0] != '\0';
}

static bool
name_matches(const char *name, const char *pattern)
{
	return fnmatch(pattern, name, FNM_PERIOD) == 0;
}

/* glob(7) in the last part of the path only, as the shipped units have it. */
static bool
path_matches(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');
	char dir[CONDITION_TEXT_MAX];
	struct buf b;

	buf_init(&b, dir, sizeof(dir));
	(void)buf_put(&b, pattern, (size_t)(slash - pattern) + 1);
	return !b.failed && directory_has(dir, name_matches, slash + 1);
}

static bool
path_is(uint32_t type, const char *path)
{
	struct statvfs vfs;
	struct stat st;

	switch (type) {
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
		return directory_has(path, any_name, NULL);
	case CONDITION_FILE_NOT_EMPTY:
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	default:
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
	}
}

/* A number, "root", or "@system" for any user below 1000. */
static bool
user_is(const char *who)
{
	uint64_t uid;

	if (strcmp(who, "@system") == 0)
		return geteuid() < 1000;
	if (num_parse_str(who, 0, UINT32_MAX, &uid) == 0)
		return geteuid() == uid;
	return strcmp(who, "root") == 0 && geteuid() == 0;
}

/* "word" or "word=value" on the kernel's command line; a word alone also takes any value. */
static bool
kernel_was_told(const char *want)
{
	char text[CONDITION_TEXT_MAX];
	const size_t len = strlen(want);

	(void)read_start("/proc/cmdline", text);
	for (const char *p = text; *p; p += strspn(p, " \n")) {
		const size_t word = strcspn(p, " \n");

		if (word >= len && memcmp(p, want, len) == 0 &&
		    (word == len || (p[len] == '=' && !strchr(want, '='))))
			return true;
		p += word;
	}
	return false;
}

/* The vendor a virtual machine's firmware names, and what systemd calls it. */
static const char *
machine(void)
{
	static const char *const vendors[][2] = { { "QEMU", "qemu" }, { "KVM", "kvm" },
		{ "Amazon EC2", "amazon" }, { "VMware", "vmware" }, { "innotek", "oracle" },
		{ "Oracle", "oracle" }, { "Xen", "xen" }, { "Bochs", "bochs" },
		{ "Parallels", "parallels" }, { "Microsoft", "microsoft" },
		{ "Google", "google" } };
	char text[CONDITION_TEXT_MAX];

	(void)read_start("/sys/class/dmi/id/sys_vendor", text);
	for (size_t i = 0; i < ELEMENTSOF(vendors); i++)
		if (strncmp(text, vendors[i][0], strlen(vendors[i][0])) == 0)
			return vendors[i][1];
	(void)read_start("/proc/cpuinfo", text);
	return strstr(text, " hypervisor") ? "vm-other" : NULL;
}

/* The container's name for itself: what started us said so to the first process. */
static const char *
container(char text[CONDITION_TEXT_MAX])
{
	const size_t n = read_start("/proc/1/environ", text);

	for (size_t i = 0; i < n; i += strlen(text + i) + 1)
		if (strncmp(text + i, "container=", 10) == 0 && text[i + 10])
			return text + i + 10;
	if (access("/.dockerenv", F_OK) == 0)
		return "docker";
	return access("/run/.containerenv", F_OK) == 0 ? "podman" : NULL;
}

static bool
virtualized(const char *how)
{
	static const char *const no[] = { "no", "false", "0", "off", "n", "f" };
	static const char *const yes[] = { "yes", "true", "1", "on", "y", "t" };
	char text[CONDITION_TEXT_MAX];
	const char *inner = container(text), *outer = inner ? NULL : machine();

	if (strcmp(how, "container") == 0)
		return inner;
	if (strcmp(how, "vm") == 0)
		return outer;
	for (size_t i = 0; i < ELEMENTSOF(no); i++)
		if (strcasecmp(how, no[i]) == 0 || strcasecmp(how, yes[i]) == 0)
			return (inner || outer) == (strcasecmp(how, yes[i]) == 0);
	return (inner && strcmp(inner, how) == 0) || (outer && strcmp(outer, how) == 0);
}

static bool
security_is(const char *module)
{
	static const struct {
		const char *name, *path;
	} modules[] = { { "selinux", "/sys/fs/selinux/enforce" },
		{ "apparmor", "/sys/kernel/security/apparmor" }, { "smack", "/sys/fs/smackfs" },
		{ "tomoyo", "/sys/kernel/security/tomoyo" },
		{ "ima", "/sys/kernel/security/ima" } };

	for (size_t i = 0; i < ELEMENTSOF(modules); i++)
		if (strcmp(modules[i].name, module) == 0)
			return access(modules[i].path, F_OK) == 0;
	return false; /* uefi-secureboot, tpm2, cvm, audit: not looked for */
}

static bool
condition_is(uint32_t type, const char *text)
{
	int cap;

	switch (type) {
	case CONDITION_USER:
		return user_is(text);
	case CONDITION_KERNEL_COMMAND_LINE:
		return kernel_was_told(text);
	case CONDITION_CAPABILITY:
		cap = capname_parse(text);
		return cap >= 0 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
	case CONDITION_VIRTUALIZATION:
		return virtualized(text);
	case CONDITION_SECURITY:
		return security_is(text);
	default:
		return path_is(type, text);
	}
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
