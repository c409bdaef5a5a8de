/*
 * expand.c - see expand.h.
 */
#include "launcher/load/expand.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>

#include "launcher/load/caller.h"
#include "launcher/load/quote.h"
#include "launcher/load/resolve.h"
#include "launcher/unit/specifier.h"

static void
expand_put(struct buf *out, struct span s)
{
	(void)buf_put(out, s.ptr, s.len);
}

/* The first line of a file of the system's, without the newline. */
static int
put_file_line(const char *path, const char *drop, struct buf *out)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	for (ssize_t i = 0; i < n && text[i] != '\n'; i++)
		if (!strchr(drop, text[i]) && text[i])
			(void)buf_putc(out, text[i]);
	return 0;
}

/* A field of os-release(5); a missing one is empty. */
static int
put_os_release(const char *field, struct buf *out)
{
	_cleanup_file_ FILE *f = fopen("/etc/os-release", "re");
	const size_t len = strlen(field);
	char line[1024], word[1024];
	struct buf b;

	if (!f)
		f = fopen("/usr/lib/os-release", "re");
	if (!f)
		return -errno;
	buf_init(&b, word, sizeof(word));
	while (fgets(line, sizeof(line), f)) {
		const char *value = line + len + 1;

		if (strncmp(line, field, len) != 0 || line[len] != '=')
			continue;
		if (word_next(&value, &b, NULL) < 0)
			return -EINVAL;
		expand_put(out, span_of(buf_cstr(&b)));
		return 0;
	}
	return 0;
}

/* systemd's names for architectures, of what uname(2) says. */
static const char *
architecture(const char *machine)
{
	static const char *const names[][2] = { { "x86_64", "x86-64" }, { "aarch64", "arm64" },
		{ "i686", "x86" }, { "i386", "x86" }, { "armv7l", "arm" }, { "armv6l", "arm" },
		{ "ppc64le", "ppc64-le" }, { "mips", "mips" }, { "riscv64", "riscv64" } };

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(machine, names[i][0]) == 0)
			return names[i][1];
	return machine;
}

static int
put_uname(char c, struct buf *out)
{
	struct utsname u;

	if (uname(&u) < 0)
		return -errno;
	if (c == 'l')
		u.nodename[strcspn(u.nodename, ".")] = '\0';
	return buf_puts(out, c == 'v'	? u.release
			     : c == 'a' ? architecture(u.machine)
					: u.nodename);
}

/* Those about who runs the launcher; root is never looked up. */
static int
put_caller(char c, struct buf *out, struct why *why)
{
	struct resolved who = { .name = "root", .home = "/root", .shell = "/bin/sh" };
	char uid[NAME_MAX], gid[NAME_MAX];
	int r = 0;

	(void)snprintf(uid, sizeof(uid), "%u", caller_uid());
	(void)snprintf(gid, sizeof(gid), "%u", caller_gid());
	if (caller_uid() != 0)
		r = resolve_names(uid, gid, &who, why);
	if (r < 0)
		return r;
	switch (c) {
	case 'u':
		return buf_puts(out, who.name);
	case 'U':
		return buf_puts(out, uid);
	case 'g':
		return buf_puts(out, caller_gid() == 0 ? "root" : gid);
	case 'G':
		return buf_puts(out, gid);
	case 'h':
		return buf_puts(out, who.home);
	default:
		return buf_puts(out, who.shell);
	}
}

static const struct {
	char c;
	const char *text; /* fixed text, or the field or file */
	enum { FIXED, OS_RELEASE, ID_FILE, UNAME, CALLER } from;
} others[] = {
	{ 't', "/run", FIXED },
	{ 'S', "/var/lib", FIXED },
	{ 'C', "/var/cache", FIXED },
	{ 'L', "/var/log", FIXED },
	{ 'E', "/etc", FIXED },
	{ 'T', "/tmp", FIXED },
	{ 'V', "/var/tmp", FIXED },
	{ 'o', "ID", OS_RELEASE },
	{ 'w', "VERSION_ID", OS_RELEASE },
	{ 'B', "BUILD_ID", OS_RELEASE },
	{ 'M', "IMAGE_ID", OS_RELEASE },
	{ 'A', "IMAGE_VERSION", OS_RELEASE },
	{ 'W', "VARIANT_ID", OS_RELEASE },
	{ 'm', "/etc/machine-id", ID_FILE },
	{ 'b', "/proc/sys/kernel/random/boot_id", ID_FILE },
	{ 'H', NULL, UNAME },
	{ 'l', NULL, UNAME },
	{ 'q', NULL, UNAME },
	{ 'v', NULL, UNAME },
	{ 'a', NULL, UNAME },
	{ 'u', NULL, CALLER },
	{ 'U', NULL, CALLER },
	{ 'g', NULL, CALLER },
	{ 'G', NULL, CALLER },
	{ 'h', NULL, CALLER },
	{ 's', NULL, CALLER },
};

/* Those of the system. Return: 1 when c is one and was put; 0 when it is none; -errno. */
static int
put_other(char c, struct buf *out, struct why *why)
{
	size_t i = 0;
	int r = 0;

	while (i < ELEMENTSOF(others) && others[i].c != c)
		i++;
	if (i == ELEMENTSOF(others))
		return 0;
	switch (others[i].from) {
	case FIXED:
		(void)buf_puts(out, others[i].text);
		break;
	case OS_RELEASE:
		r = put_os_release(others[i].text, out);
		break;
	case ID_FILE:
		r = put_file_line(others[i].text, "-", out);
		break;
	case UNAME:
		r = put_uname(c, out);
		break;
	case CALLER:
		r = put_caller(c, out, why);
		break;
	}
	return r < 0 ? why_set(why, r, "specifier %%%c", c) : 1;
}

/* The one at s, after its '%'. Return: 1 when it was put; 0 when it is unknown; -errno. */
static int
put_static(const char *s, const struct specifier_of *of, struct buf *out, struct why *why)
{
	const char *slash;

	if (*s == '%') {
		(void)buf_putc(out, '%');
		return 1;
	}
	if (specifier_put_name(*s, of->name, out))
		return 1;
	if (*s == 'd') {
		(void)buf_printf(out, "/run/credentials/%s", of->name->id);
		return 1;
	}
	if (*s == 'y' || *s == 'Y') {
		slash = strrchr(of->path, '/');
		expand_put(out, *s == 'Y' && slash
				    ? (struct span){ of->path, (size_t)(slash - of->path) }
				    : span_of(of->path));
		return 1;
	}
	return put_other(*s, out, why);
}

int
specifier_static(const char *text, const struct specifier_of *of, struct buf *out, struct why *why)
{
	const bool keep = unit_name_is_template(of->name);

	for (const char *s = text; *s; s++) {
		int r = 0;

		if (*s != '%' || !s[1]) {
			(void)buf_putc(out, *s);
			continue;
		}
		s++;
		if (!keep || !strchr("%d" SPECIFIER_INSTANCE, *s))
			r = put_static(s, of, out, why);
		if (r < 0)
			return r;
		if (r == 0) {
			(void)buf_putc(out, '%');
			(void)buf_putc(out, *s);
		}
	}
	return out->failed ? why_set(why, -ENOBUFS, "the text is too long") : 0;
}
