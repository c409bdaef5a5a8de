/*
 * audit_verdict.c - has it privilege, or a way back to it? See audit.h.
 * Runs as: whoever calls `sallyport audit`.
 * Source:  credentials(7), capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS, ptrace(2).
 */
#include <dirent.h>
#include <grp.h>

#include "common/num.h"
#include "launcher/ctl/audit.h"

/* Groups whose members own the machine by another door. */
static const struct {
	const char *name, *door;
} bad_groups[] = {
	{ "disk", "raw disks" },
	{ "kmem", "kernel memory" },
	{ "shadow", "password hashes" },
	{ "docker", "a root container" },
	{ "lxd", "a root container" },
	{ "libvirt", "a root virtual machine" },
};

static void
judge_ids(struct audit_process *p, const struct procstatus *s, const char *who)
{
	static const char *const kinds[] = { "real", "effective", "saved", "file system" };

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
		if (s->uid[i] == 0)
			audit_reason(p, "%s%s uid is 0", who, kinds[i]);
		else if (s->uid[i] != s->uid[1])
			audit_reason(
			    p, "%s%s uid %u is not the effective one", who, kinds[i], s->uid[i]);
		if (s->gid[i] == 0)
			audit_reason(p, "%s%s gid is 0", who, kinds[i]);
		else if (s->gid[i] != s->gid[1])
			audit_reason(
			    p, "%s%s gid %u is not the effective one", who, kinds[i], s->gid[i]);
	}
}

static void
judge_groups(struct audit_process *p, const struct procstatus *s, const char *who)
{
	const size_t n = s->n_groups < PROCSTATUS_GROUPS_MAX ? s->n_groups : PROCSTATUS_GROUPS_MAX;

	if (s->n_groups > n)
		audit_reason(p, "%s%zu groups, more than can be checked", who, s->n_groups);
	for (size_t i = 0; i < n; i++) {
		struct group storage, *g = NULL;
		char text[16384];

		if (s->groups[i] == 0)
			audit_reason(p, "%sis in group 0", who);
		if (getgrgid_r(s->groups[i], &storage, text, sizeof(text), &g) != 0)
			g = NULL; /* a name too long to be one of those */
		for (size_t k = 0; g && k < ELEMENTSOF(bad_groups); k++)
			if (strcmp(g->gr_name, bad_groups[k].name) == 0)
				audit_reason(
				    p, "%sis in group %s: %s", who, g->gr_name, bad_groups[k].door);
	}
}

static void
judge_capabilities(struct audit_process *p, const struct procstatus *s, const char *who)
{
	const struct {
		const char *name;
		uint64_t set;
	} sets[] = {
		{ "permitted", s->cap_permitted },
		{ "effective", s->cap_effective },
		{ "inheritable", s->cap_inheritable },
		{ "ambient", s->cap_ambient },
	};

	for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
		char storage[96];
		struct buf text;

		if (sets[i].set == 0)
			continue;
		buf_init(&text, storage, sizeof(storage));
		audit_caps(sets[i].set, &text);
		audit_reason(p, "%s%s capabilities: %s", who, sets[i].name, buf_cstr(&text));
	}
	if (s->no_new_privs)
		return;
	audit_reason(p, "%sno_new_privs is off: a setuid program gives it root", who);
	if (s->cap_bounding != 0)
		audit_reason(p, "%sand nothing bounds its capabilities then", who);
}

void
audit_judge_status(struct audit_process *p, const struct procstatus *s, const char *who)
{
	judge_ids(p, s, who);
	judge_groups(p, s, who);
	judge_capabilities(p, s, who);
}

/* Credentials belong to threads: one that kept root is a way back for all of them. */
static void
judge_threads(struct audit_process *p)
{
	char path[64];
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)p->pid);
	d = opendir(path);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		struct procstatus s;
		char who[48];
		uint64_t tid;

		if (num_parse_str(e->d_name, 1, INT32_MAX, &tid) < 0)
			continue;
		p->n_tasks++;
		if ((pid_t)tid == p->pid || procstatus_read((pid_t)tid, &s, NULL) < 0)
			continue;
		(void)snprintf(who, sizeof(who), "thread %d: ", (int)tid);
		audit_judge_status(p, &s, who);
	}
	if (d)
		(void)closedir(d);
}

static void
judge_tracing(struct audit_process *p, const struct audit_context *c)
{
	if (p->status.tracer > 0)
		audit_reason(p, "is traced by process %d", (int)p->status.tracer);
	for (size_t i = 0; i < c->n_traces; i++)
		if (c->traces[i].tracer == p->pid)
			audit_reason(p, "traces process %d", (int)c->traces[i].pid);
}

void
audit_judge(struct audit_process *p, const struct audit_context *c)
{
	if (p->role == AUDIT_MONITOR)
		return; /* root by design; what it has is shown */
	audit_judge_status(p, &p->status, "");
	judge_threads(p);
	judge_tracing(p, c);
	if (p->role == AUDIT_MANAGER) {
		if (p->status.seccomp != 2)
			audit_reason(p, "has no system-call filter");
		return; /* its descriptors are heritage.h's */
	}
	if (!p->fds_read)
		audit_reason(p, "its descriptors cannot all be read: run as root");
}
