/*
 * procstatus.c - see procstatus.h.
 */
#include "common/procstatus.h"

#include <fcntl.h>
#include <string.h>

#include "common/buf.h"
#include "common/num.h"

/* The next blank-separated word of *rest. Return: false at the end. */
static bool
next_word(struct span *rest, struct span *ret)
{
	while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\t')) {
		rest->ptr++;
		rest->len--;
	}
	ret->ptr = rest->ptr;
	ret->len = 0;
	while (rest->len > 0 && *rest->ptr != ' ' && *rest->ptr != '\t') {
		rest->ptr++;
		rest->len--;
		ret->len++;
	}
	return ret->len > 0;
}

static int
parse_ids(struct span value, uint32_t ids[4])
{
	for (size_t i = 0; i < 4; i++) {
		struct span word;
		uint64_t v;

		if (!next_word(&value, &word) || num_parse(word, 10, 0, UINT32_MAX, &v) < 0)
			return -EBADMSG;
		ids[i] = (uint32_t)v;
	}
	return 0;
}

static int
parse_groups(struct span value, struct procstatus *s)
{
	struct span word;

	while (next_word(&value, &word)) {
		uint64_t v;

		if (num_parse(word, 10, 0, UINT32_MAX, &v) < 0)
			return -EBADMSG;
		if (s->n_groups < PROCSTATUS_GROUPS_MAX)
			s->groups[s->n_groups] = (gid_t)v;
		s->n_groups++;
	}
	return 0;
}

static int
parse_number(struct span value, unsigned base, uint64_t max, uint64_t *ret)
{
	struct span word;

	if (!next_word(&value, &word) || num_parse(word, base, 0, max, ret) < 0)
		return -EBADMSG;
	return 0;
}

static int
parse_name(struct span value, struct procstatus *s)
{
	while (value.len > 0 && *value.ptr == '\t') {
		value.ptr++;
		value.len--;
	}
	if (value.len >= sizeof(s->name))
		return -EBADMSG;
	memcpy(s->name, value.ptr, value.len);
	s->name[value.len] = '\0';
	return 0;
}

/* The lines we read, in the kernel's order; every one must be there. */
enum field {
	F_NAME,
	F_PPID,
	F_TRACER,
	F_UID,
	F_GID,
	F_GROUPS,
	F_CAPINH,
	F_CAPPRM,
	F_CAPEFF,
	F_CAPBND,
	F_CAPAMB,
	F_NNP,
	F_SECCOMP,
	F_END,
};

static const char *const field_names[F_END] = { "Name:", "PPid:", "TracerPid:", "Uid:", "Gid:",
	"Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:",
	"Seccomp:" };

static int
parse_field(enum field f, struct span value, struct procstatus *s)
{
	uint64_t v = 0;
	int r = 0;

	switch (f) {
	case F_NAME:
		return parse_name(value, s);
	case F_UID:
		return parse_ids(value, s->uid);
	case F_GID:
		return parse_ids(value, s->gid);
	case F_GROUPS:
		return parse_groups(value, s);
	case F_CAPINH:
		return parse_number(value, 16, UINT64_MAX, &s->cap_inheritable);
	case F_CAPPRM:
		return parse_number(value, 16, UINT64_MAX, &s->cap_permitted);
	case F_CAPEFF:
		return parse_number(value, 16, UINT64_MAX, &s->cap_effective);
	case F_CAPBND:
		return parse_number(value, 16, UINT64_MAX, &s->cap_bounding);
	case F_CAPAMB:
		return parse_number(value, 16, UINT64_MAX, &s->cap_ambient);
	case F_PPID:
		r = parse_number(value, 10, INT32_MAX, &v);
		s->ppid = (pid_t)v;
		return r;
	case F_TRACER:
		r = parse_number(value, 10, INT32_MAX, &v);
		s->tracer = (pid_t)v;
		return r;
	case F_NNP:
		r = parse_number(value, 10, 1, &v);
		s->no_new_privs = v == 1;
		return r;
	case F_SECCOMP:
		r = parse_number(value, 10, 2, &v);
		s->seccomp = (unsigned)v;
		return r;
	case F_END:
		break;
	}
	return -EBADMSG;
}

static enum field
field_of(struct span line)
{
	for (enum field f = 0; f < F_END; f++) {
		const size_t n = strlen(field_names[f]);

		if (line.len >= n && memcmp(line.ptr, field_names[f], n) == 0)
			return f;
	}
	return F_END;
}

int
procstatus_parse(const char *text, size_t len, struct procstatus *ret, struct why *why)
{
	struct procstatus s = { 0 };
	bool seen[F_END] = { false };

	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		struct span line = { text, nl ? (size_t)(nl - text) : len };
		const enum field f = field_of(line);
		const size_t step = line.len + (nl ? 1 : 0);

		if (f != F_END) {
			const size_t n = strlen(field_names[f]);

			line.ptr += n;
			line.len -= n;
			if (seen[f] || parse_field(f, line, &s) < 0)
				return why_set(
				    why, -EBADMSG, "process status: line %s", field_names[f]);
			seen[f] = true;
		}
		text += step;
		len -= step;
	}
	for (enum field f = 0; f < F_END; f++)
		if (!seen[f])
			return why_set(why, -EBADMSG, "process status: no line %s", field_names[f]);
	*ret = s;
	return 0;
}

int
procstatus_read(pid_t pid, struct procstatus *ret, struct why *why)
{
	char path[64], text[8192];
	_cleanup_fd_ int fd = -EBADF;
	size_t len = 0;
	ssize_t n;

	if (pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/status");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return why_set(why, errno == ENOENT ? -ESRCH : -errno, "%s: open", path);
	do {
		n = read(fd, text + len, sizeof(text) - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < sizeof(text));
	if (n < 0)
		return why_set(why, -errno, "%s: read", path);
	return procstatus_parse(text, len, ret, why);
}
