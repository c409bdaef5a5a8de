/*
 * audit_print.c - the audit as a table and as JSON. See audit.h.
 * Runs as: whoever calls `sallyport audit`.
 */
#include <fcntl.h>
#include <pwd.h>

#include "common/capname.h"
#include "common/json.h"
#include "launcher/ctl/audit.h"

#define AUDIT_JSON_VERSION 1
#define AUDIT_JSON_MAX (64u << 20)

void
audit_caps(uint64_t set, struct buf *out)
{
	bool first = true;

	if (set == 0)
		(void)buf_puts(out, "none");
	for (unsigned i = 0; i < 64; i++) {
		if (!(set & UINT64_C(1) << i))
			continue;
		if (capname_of(i))
			(void)buf_printf(out, "%s%s", first ? "" : " ", capname_of(i));
		else
			(void)buf_printf(out, "%s%u", first ? "" : " ", i);
		first = false;
	}
}

static const char *
user_name(uid_t uid, char *dst, size_t size)
{
	struct passwd storage, *pw = NULL;
	char text[4096];

	if (getpwuid_r(uid, &storage, text, sizeof(text), &pw) == 0 && pw)
		(void)snprintf(dst, size, "%s", pw->pw_name);
	else
		(void)snprintf(dst, size, "%u", uid);
	return dst;
}

static const char *
seccomp_name(unsigned mode)
{
	return mode == 0 ? "off" : mode == 1 ? "strict" : "filter";
}

/* How many capabilities it has now, and could get: "0/0", "6/6". */
static void
caps_short(const struct procstatus *s, char *dst, size_t size)
{
	const uint64_t now =
	    s->cap_permitted | s->cap_effective | s->cap_inheritable | s->cap_ambient;

	(void)snprintf(
	    dst, size, "%d/%d", __builtin_popcountll(now), __builtin_popcountll(s->cap_bounding));
}

void
audit_print_table(const struct audit_process *p, size_t n)
{
	(void)printf("%-8s %-8s %-28s %-16s %-9s %-7s %-4s %-7s %s\n", "PID", "ROLE", "UNIT",
	    "USER", "UID", "CAPS", "NNP", "SECCOMP", "VERDICT");
	for (size_t i = 0; i < n; i++) {
		const struct procstatus *s = &p[i].status;
		char user[64], caps[16];

		caps_short(s, caps, sizeof(caps));
		(void)printf("%-8d %-8s %-28s %-16s %-9u %-7s %-4s %-7s %s\n", (int)p[i].pid,
		    audit_role_name(p[i].role), p[i].unit[0] ? p[i].unit : s->name,
		    user_name(s->uid[1], user, sizeof(user)), s->uid[1], caps,
		    s->no_new_privs ? "yes" : "no", seccomp_name(s->seccomp),
		    p[i].n_reasons > 0		 ? "PRIVILEGED"
		    : p[i].role == AUDIT_MONITOR ? "by design"
						 : "ok");
	}
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < p[i].n_reasons; k++)
			(void)printf("%d: %s\n", (int)p[i].pid, p[i].reasons[k]);
}

static void
json_ids(struct json *j, const char *key, const unsigned *ids)
{
	json_open_array(j, key);
	for (size_t i = 0; i < 4; i++)
		json_u64(j, NULL, ids[i]);
	json_close(j);
}

static void
json_caps(struct json *j, const char *key, uint64_t set)
{
	json_open_array(j, key);
	for (unsigned i = 0; i < 64; i++) {
		char number[8];

		if (!(set & UINT64_C(1) << i))
			continue;
		(void)snprintf(number, sizeof(number), "%u", i);
		json_str(j, NULL, capname_of(i) ? capname_of(i) : number);
	}
	json_close(j);
}

static void
json_status(struct json *j, const struct procstatus *s)
{
	json_str(j, "name", s->name);
	json_u64(j, "ppid", (uint64_t)s->ppid);
	json_u64(j, "tracer", (uint64_t)s->tracer);
	json_ids(j, "uid", s->uid);
	json_ids(j, "gid", s->gid);
	json_open_array(j, "groups");
	for (size_t i = 0; i < s->n_groups && i < PROCSTATUS_GROUPS_MAX; i++)
		json_u64(j, NULL, s->groups[i]);
	json_close(j);
	json_open_object(j, "capabilities");
	json_caps(j, "permitted", s->cap_permitted);
	json_caps(j, "effective", s->cap_effective);
	json_caps(j, "inheritable", s->cap_inheritable);
	json_caps(j, "ambient", s->cap_ambient);
	json_caps(j, "bounding", s->cap_bounding);
	json_close(j);
	json_bool(j, "no_new_privs", s->no_new_privs);
	json_str(j, "seccomp", seccomp_name(s->seccomp));
}

static void
json_fds(struct json *j, const struct audit_process *p)
{
	static const char *const access[] = { [O_RDONLY] = "r", [O_WRONLY] = "w", [O_RDWR] = "rw" };

	json_bool(j, "descriptors_complete", p->fds_read);
	json_open_array(j, "descriptors");
	for (size_t i = 0; i < p->n_fds; i++) {
		const struct audit_fd *f = &p->fds[i];
		const unsigned mode = f->flags & O_ACCMODE;

		json_open_object(j, NULL);
		json_u64(j, "fd", (uint64_t)f->number);
		json_str(j, "type", f->type);
		json_str(j, "text", f->text);
		json_str(j, "access", mode < ELEMENTSOF(access) ? access[mode] : "?");
		json_bool(j, "listening", f->listening);
		json_bool(j, "nonblocking", f->flags & O_NONBLOCK);
		json_bool(j, "cloexec", f->flags & O_CLOEXEC);
		json_close(j);
	}
	json_close(j);
}

static void
json_process(struct json *j, const struct audit_process *p)
{
	json_open_object(j, NULL);
	json_i64(j, "pid", p->pid);
	json_str(j, "role", audit_role_name(p->role));
	json_str(j, "unit", p->unit[0] ? p->unit : NULL);
	json_status(j, &p->status);
	json_u64(j, "threads", p->n_tasks);
	json_str(j, "securebits", "unreadable"); /* the kernel shows them to the process alone */
	if (p->traceable == AUDIT_UNKNOWN)
		json_null(j, "traceable");
	else
		json_bool(j, "traceable", p->traceable == AUDIT_YES);
	json_fds(j, p);
	json_str(j, "verdict",
	    p->n_reasons > 0	       ? "privileged"
	    : p->role == AUDIT_MONITOR ? "by-design"
				       : "ok");
	json_open_array(j, "reasons");
	for (unsigned i = 0; i < p->n_reasons; i++)
		json_str(j, NULL, p->reasons[i]);
	json_close(j);
	json_close(j);
}

int
audit_print_json(const struct audit_process *p, size_t n)
{
	_cleanup_buf_ struct buf out;
	struct json j;

	buf_init_heap(&out, AUDIT_JSON_MAX);
	json_init(&j, &out);
	json_open_object(&j, NULL);
	json_u64(&j, "version", AUDIT_JSON_VERSION);
	json_open_array(&j, "processes");
	for (size_t i = 0; i < n; i++)
		json_process(&j, &p[i]);
	json_close(&j);
	json_close(&j);
	if (out.failed)
		return -ENOBUFS;
	(void)printf("%s\n", buf_cstr(&out));
	return 0;
}
