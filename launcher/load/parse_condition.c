/*
 * parse_condition.c - what must be so before a unit starts; see parse.h. What cannot change while
 *                     the launcher runs is settled here, the rest by launcher/enter/condition.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_condition.c
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/utsname.h>

#include "common/capname.h"
#include "common/num.h"
#include "launcher/load/caller.h"
#include "launcher/load/parse.h"
#include "launcher/load/value.h"

#define CONDITION_TEXT_MAX 8192

/* The start of a file of the system's; "" when there is none. */
static void
read_start(const char *path, char text[CONDITION_TEXT_MAX])
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, text, CONDITION_TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
}

/* "@system" is any user below 1000, SYS_UID_MAX of Debian. */
static bool
user_is(const char *who)
{
	struct resolved answer;

	if (strcmp(who, "@system") == 0)
		return caller_uid() < 1000;
	/* with a group, so that a number needs no entry */
	return resolve_names(who, "0", &answer, NULL) == 0 && answer.uid == caller_uid();
}

static bool
group_is(const char *which)
{
	struct resolved answer;

	return resolve_names(NULL, which, &answer, NULL) == 0 && answer.gid == caller_gid();
}

static bool
host_is(const char *pattern)
{
	struct utsname u;
	char id[CONDITION_TEXT_MAX];

	read_start("/etc/machine-id", id);
	id[strcspn(id, "\n")] = '\0';
	return (id[0] && strcmp(id, pattern) == 0) ||
	       (uname(&u) == 0 && fnmatch(pattern, u.nodename, FNM_CASEFOLD) == 0);
}

/* "word" or "word=value" on the kernel's command line; a word alone also takes any value. */
static bool
kernel_was_told(const char *want)
{
	char text[CONDITION_TEXT_MAX];
	const size_t len = strlen(want);

	read_start("/proc/cmdline", text);
	for (const char *p = text; *p; p += strspn(p, " \n")) {
		const size_t word = strcspn(p, " \n");

		if (word >= len && memcmp(p, want, len) == 0 &&
		    (word == len || (p[len] == '=' && !strchr(want, '='))))
			return true;
		p += word;
	}
	return false;
}

static bool
capability_is(const char *name)
{
	const int cap = capname_parse(name);

	return cap >= 0 && (caller_bounding() & UINT64_C(1) << cap);
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

	read_start("/sys/class/dmi/id/sys_vendor", text);
	for (size_t i = 0; i < ELEMENTSOF(vendors); i++)
		if (str_starts(text, vendors[i][0]))
			return vendors[i][1];
	read_start("/proc/cpuinfo", text);
	return strstr(text, " hypervisor") ? "vm-other" : NULL;
}

/* The container's name for itself; NULL outside of one. */
static const char *
container(char text[CONDITION_TEXT_MAX])
{
	const char *variable = getenv("container");

	if (variable && variable[0])
		return variable;
	read_start("/run/systemd/container", text);
	text[strcspn(text, "\n")] = '\0';
	if (text[0])
		return text;
	if (access("/.dockerenv", F_OK) == 0)
		return "docker";
	return access("/run/.containerenv", F_OK) == 0 ? "podman" : NULL;
}

static bool
virtualization_is(const char *how)
{
	char text[CONDITION_TEXT_MAX];
	const char *inner = container(text), *outer = inner ? NULL : machine();
	bool wanted;

	if (value_bool(how, &wanted) == 0)
		return (inner || outer) == wanted;
	if (strcmp(how, "container") == 0)
		return inner;
	if (strcmp(how, "vm") == 0)
		return outer;
	return (inner && strcmp(inner, how) == 0) || (outer && strcmp(outer, how) == 0);
}

/* uefi-secureboot, tpm2, cvm and audit are not looked for: never so. */
static bool
security_is(const char *module)
{
	static const char *const modules[][2] = { { "selinux", "/sys/fs/selinux/enforce" },
		{ "apparmor", "/sys/kernel/security/apparmor" }, { "smack", "/sys/fs/smackfs" },
		{ "tomoyo", "/sys/kernel/security/tomoyo" },
		{ "ima", "/sys/kernel/security/ima" } };

	for (size_t i = 0; i < ELEMENTSOF(modules); i++)
		if (strcmp(modules[i][0], module) == 0)
			return access(modules[i][1], F_OK) == 0;
	return false;
}

/* By name after "Condition" or "Assert"; one with is() is settled at load, the others take a path. */
static const struct {
	const char *name;
	enum condition_type type;
	bool (*is)(const char *text);
} kinds[] = {
	{ "PathExists", CONDITION_PATH_EXISTS, NULL },
	{ "PathExistsGlob", CONDITION_PATH_EXISTS_GLOB, NULL },
	{ "PathIsDirectory", CONDITION_PATH_IS_DIRECTORY, NULL },
	{ "PathIsSymbolicLink", CONDITION_PATH_IS_SYMBOLIC_LINK, NULL },
	{ "PathIsReadWrite", CONDITION_PATH_IS_READ_WRITE, NULL },
	{ "DirectoryNotEmpty", CONDITION_DIRECTORY_NOT_EMPTY, NULL },
	{ "FileNotEmpty", CONDITION_FILE_NOT_EMPTY, NULL },
	{ "FileIsExecutable", CONDITION_FILE_IS_EXECUTABLE, NULL },
	{ "User", CONDITION_FALSE, user_is },
	{ "Group", CONDITION_FALSE, group_is },
	{ "Host", CONDITION_FALSE, host_is },
	{ "KernelCommandLine", CONDITION_FALSE, kernel_was_told },
	{ "Capability", CONDITION_FALSE, capability_is },
	{ "Virtualization", CONDITION_FALSE, virtualization_is },
	{ "Security", CONDITION_FALSE, security_is },
};

/* The operand: what it comes to, or a path to look at. */
static int
condition_settle(struct assign *a, struct plan_condition *c, struct buf *text)
{
	const char *name = a->row->name + strlen(a->row->name[0] == 'A' ? "Assert" : "Condition");
	size_t kind = 0;

	while (kind < ELEMENTSOF(kinds) && strcmp(kinds[kind].name, name) != 0)
		kind++;
	if (kind == ELEMENTSOF(kinds))
		return why_set(&a->why, -EOPNOTSUPP, "is not looked at here");
	c->type = kinds[kind].type;
	if (kinds[kind].is)
		c->type = kinds[kind].is(buf_cstr(text)) ? CONDITION_TRUE : CONDITION_FALSE;
	else if (!value_path(text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	if (kinds[kind].is == capability_is && capname_parse(buf_cstr(text)) < 0)
		return why_set(&a->why, -EINVAL, "not a capability");
	return 0;
}

int
parse_condition(struct assign *a, void *field)
{
	struct plan_condition c = { .row = (uint32_t)directive_index(a->row) }, *into;
	_cleanup_buf_ struct buf text = { 0 };
	const char *p = a->value;
	struct ref next;
	int r;

	if (!*p) { /* forgets all conditions, or all assertions, whatever they look at */
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	c.trigger = *p == '|';
	p += c.trigger;
	c.negate = *p == '!';
	p += c.negate;
	p += strspn(p, " \t");
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, p, &text);
	if (r < 0)
		return r;
	if (a->draft->unit.is_template && strchr(buf_cstr(&text), '%'))
		return why_set(&a->why, -EOPNOTSUPP, "depends on the instance, not done here");
	r = condition_settle(a, &c, &text);
	if (r < 0)
		return r;
	into = build_append(&a->loader->build, field, sizeof(*into));
	next = into->next;
	c.text = build_str(&a->loader->build, buf_cstr(&text));
	*into = c;
	into->next = next;
	return 0;
}
