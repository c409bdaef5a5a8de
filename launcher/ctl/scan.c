/*
 * scan.c - see scan.h.
 * Logs:    what goes wrong, to standard error.
 */
#include "launcher/ctl/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/num.h"
#include "launcher/ctl/pemkey.h"

#define SCAN_KEYS_MAX 64
#define SCAN_FILE_MAX 65536
#define SCAN_BLOCK (1u << 20)
#define SCAN_UNREADABLE_MAX (64u << 20) /* of a mapping without rights: larger ones are empty */

/* What is locked and wiped. */
struct scan {
	unsigned n_keys;
	struct scan_key {
		char name[256];
		struct pem_pattern patterns[PEMKEY_PATTERNS_MAX];
		unsigned n_patterns, n_found; /* processes that it is in */
	} keys[SCAN_KEYS_MAX];
	char file[SCAN_FILE_MAX];
	unsigned char block[SCAN_BLOCK + PEMKEY_PATTERN_BYTES];
};

/* Return: 1 it was one, 0 there is no key in it; -errno. */
static int
scan_add(struct scan *s, int fd, const char *name, struct why *why)
{
	struct scan_key *key = &s->keys[s->n_keys];
	const ssize_t n = read(fd, s->file, sizeof(s->file));
	int r;

	if (n < 0)
		return why_set(why, -errno, "%s", name);
	if (s->n_keys == SCAN_KEYS_MAX)
		return why_set(why, -E2BIG, "more than %d keys", SCAN_KEYS_MAX);
	r = pemkey_read((struct span){ s->file, (size_t)n }, key->patterns, why);
	if (r <= 0)
		return r < 0 ? why_prefix(why, r, "%s", name) : 0;
	(void)snprintf(key->name, sizeof(key->name), "%s", name);
	key->n_patterns = (unsigned)r;
	s->n_keys++;
	return 1;
}

/* A file, or all files of a folder that are keys. */
static int
scan_load(struct scan *s, const char *path, struct why *why)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	DIR *d = fd < 0 ? NULL : opendir(path);
	int r = 0;

	if (fd < 0)
		return why_set(why, -errno, "%s", path);
	if (!d)
		r = scan_add(s, fd, path, why);
	for (struct dirent *e = d ? readdir(d) : NULL; e && r >= 0; e = readdir(d)) {
		_cleanup_fd_ int file = -EBADF;

		if (e->d_name[0] == '.')
			continue;
		file = openat(fd, e->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		r = file < 0 ? why_set(why, -errno, "%s/%s", path, e->d_name)
			     : scan_add(s, file, e->d_name, why);
	}
	if (d)
		(void)closedir(d);
	if (r >= 0 && s->n_keys == 0)
		return why_set(why, -ENOENT, "%s: no private key", path);
	return r < 0 ? r : 0;
}

/* Marks in found[] the patterns that are in s->block. */
static void
scan_block(const struct scan *s, size_t len, unsigned *found)
{
	for (unsigned k = 0; k < s->n_keys; k++)
		for (unsigned i = 0; i < s->keys[k].n_patterns; i++) {
			const struct pem_pattern *p = &s->keys[k].patterns[i];

			if (!(found[k] & 1u << i) && memmem(s->block, len, p->bytes, p->len))
				found[k] |= 1u << i;
		}
}

/* One mapping. What cannot be read in it (a device, a hole in a file) is passed over. */
static void
scan_mapping(struct scan *s, int mem, uint64_t at, uint64_t end, unsigned *found)
{
	size_t kept = 0; /* the tail of the block before: a pattern may lie across */

	while (at < end) {
		const size_t want = end - at < SCAN_BLOCK ? (size_t)(end - at) : SCAN_BLOCK;
		const ssize_t n = pread(mem, s->block + kept, want, (off_t)at);

		if (n <= 0) {
			at = (at | 0xfff) + 1;
			kept = 0;
			continue;
		}
		scan_block(s, kept + (size_t)n, found);
		at += (size_t)n;
		kept += (size_t)n;
		if (kept > PEMKEY_PATTERN_BYTES) {
			memmove(
			    s->block, s->block + kept - PEMKEY_PATTERN_BYTES, PEMKEY_PATTERN_BYTES);
			kept = PEMKEY_PATTERN_BYTES;
		}
	}
}

/* Return: 0; -ESRCH when it is gone; -errno. */
static int
scan_process(struct scan *s, pid_t pid, unsigned *found)
{
	char path[64], *line = NULL;
	size_t size = 0;
	_cleanup_fd_ int mem = -EBADF;
	_cleanup_file_ FILE *maps = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mem = maps ? open(path, O_RDONLY | O_CLOEXEC) : -EBADF;
	if (mem < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	errno = 0;
	while (getline(&line, &size, maps) > 0) {
		const size_t n = strcspn(line, "-"), m = strcspn(line, " ");
		uint64_t from, to;

		if (n >= m || num_parse((struct span){ line, n }, 16, 0, UINT64_MAX, &from) < 0 ||
		    num_parse((struct span){ line + n + 1, m - n - 1 }, 16, 0, UINT64_MAX, &to) < 0)
			continue;
		if (strstr(line + m, "[v")) /* vvar, vdso, vsyscall: the kernel's */
			continue;
		if (line[m + 1] == 'r' || to - from <= SCAN_UNREADABLE_MAX)
			scan_mapping(s, mem, from, to, found);
	}
	free(line);
	return ferror(maps) ? (errno == ESRCH ? -ESRCH : -EIO) : 0;
}

static void
scan_print(const struct scan_key *key, const struct audit_process *p, unsigned found)
{
	const char *separator = ": ";

	(void)printf("%s: %s%spid %d", key->name, p->unit, p->unit[0] ? ", " : "", (int)p->pid);
	for (unsigned i = 0; i < key->n_patterns; i++)
		if (found & 1u << i) {
			(void)printf(
			    "%s%s %s", separator, key->patterns[i].what, key->patterns[i].order);
			separator = ", ";
		}
	(void)printf("\n");
}

/* Return: exit code. */
static int
scan_all(struct scan *s, const struct ctl_options *o, const struct audit_process *p, size_t n)
{
	int code = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned found[SCAN_KEYS_MAX] = { 0 };
		const int r = scan_process(s, p[i].pid, found);

		if (r < 0 && (r != -ESRCH || p[i].role == AUDIT_NAMED)) {
			log_error("audit: pid %d cannot be read: %s", (int)p[i].pid, strerror(-r));
			code = 1;
		}
		for (unsigned k = 0; k < s->n_keys; k++) {
			if (found[k] == 0)
				continue;
			s->keys[k].n_found++;
			scan_print(&s->keys[k], &p[i], found[k]);
			if (!o->holder || strcmp(o->holder, p[i].unit) != 0)
				code = 1;
		}
	}
	for (unsigned k = 0; k < s->n_keys; k++)
		if (s->keys[k].n_found == 0)
			(void)printf("%s: in none of %zu processes\n", s->keys[k].name, n);
	return code;
}

int
scan_main(const struct ctl_options *o, const struct audit_process *p, size_t n)
{
	struct scan *s =
	    mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct why why = { "" };
	int code = EX_NOINPUT;

	if (s == MAP_FAILED) {
		log_error("audit: out of memory");
		return EX_OSERR;
	}
	(void)mlock(s, sizeof(*s)); /* without the right to, it is as good as the caller's swap */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (scan_load(s, o->keys, &why) < 0)
		log_error("audit: %s", why.text);
	else
		code = scan_all(s, o, p, n);
	explicit_bzero(s, sizeof(*s));
	(void)munmap(s, sizeof(*s));
	return code;
}
