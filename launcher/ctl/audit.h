/*
 * audit.h - `sallyport audit`: what each process is and could do, read off /proc, with a verdict.
 * Runs as: whoever calls it; as root it sees everything.
 * Trusts:  /proc and the kernel's answers about descriptors. The manager is believed only about
 *          which unit a process belongs to, never about what that process can do.
 * Tests:   tests/lifecycle/test_audit.py
 *
 * audit.c finds the processes, audit_process.c reads one, audit_fd.c its descriptors,
 * audit_verdict.c judges, audit_print.c prints.
 */
#pragma once

#include "common/buf.h"
#include "common/procstatus.h"
#include "launcher/ctl/options.h"

enum audit_role {
	AUDIT_MONITOR,
	AUDIT_MANAGER,
	AUDIT_SPAWNER, /* user/spawn.h */
	AUDIT_SERVICE,
	AUDIT_ORPHAN, /* a descendant of the monitor that belongs to no unit we know of */
	AUDIT_NAMED, /* --pid */
	AUDIT_ROLE_END,
};

enum audit_yes_no {
	AUDIT_NO,
	AUDIT_YES,
	AUDIT_UNKNOWN,
};

#define AUDIT_REASONS_MAX 32
#define AUDIT_FDS_MAX 1024

struct audit_fd {
	int number;
	unsigned flags; /* of open(2) */
	char type[24]; /* "tcp", "unix-seqpacket", "file", "pipe", ... */
	char text[256]; /* path or address; "" when it has none */
	bool listening;
};

struct audit_process {
	pid_t pid;
	enum audit_role role;
	char unit[256]; /* "" when it is none */
	struct procstatus status;
	enum audit_yes_no traceable; /* by its own user */
	struct audit_fd *fds;
	size_t n_fds;
	bool fds_read; /* false: not permitted, or too many */
	unsigned n_tasks;
	char reasons[AUDIT_REASONS_MAX][160]; /* why it has or could regain privilege; none: good */
	unsigned n_reasons;
};

/* What a verdict needs to know besides the process. */
struct audit_context {
	pid_t monitor; /* 0: none */
	/* Who is traced by whom, of all processes there are. */
	const struct audit_trace {
		pid_t pid, tracer;
	} * traces;
	size_t n_traces;
};

/* One more reason; the last place says that there are more. */
void audit_reason(struct audit_process *p, const char *format, ...) _printf_(2, 3);

/* Reads everything about p->pid. Return: 0; -ESRCH when it is gone; -errno. */
_must_check_ int audit_read(
    struct audit_process *p, const struct audit_context *c, struct why *why);
void audit_process_done(struct audit_process *p);

/* Reads the descriptors and judges each; called by audit_read(). */
void audit_read_fds(struct audit_process *p, const struct audit_context *c);

/* Fills the reasons. A monitor is not judged: it is root by design. */
void audit_judge(struct audit_process *p, const struct audit_context *c);

/* Judges one thread or process by its status alone; `who` is put in front ("" or "thread 12: "). */
void audit_judge_status(struct audit_process *p, const struct procstatus *s, const char *who);

/* "monitor", "manager", "service", ... */
const char *audit_role_name(enum audit_role role);

/* Capability names, one blank between; "none" or "all" where that is so. */
void audit_caps(uint64_t set, struct buf *out);

/* For people: a row each, then the reasons. */
void audit_print_table(const struct audit_process *p, size_t n);
/* For machines: one object, docs/PROTOCOLS.md. Return: 0, or -ENOBUFS. */
_must_check_ int audit_print_json(const struct audit_process *p, size_t n);

/* The verb. Return: exit code: 0 all is well; 1 a process has or could regain privilege, or it
 * could not be read; 69 when there is no launcher. */
int audit_main(const struct ctl_options *o);
