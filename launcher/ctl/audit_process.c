/*
 * audit_process.c - reads one process. See audit.h.
 * Runs as: whoever calls `sallyport audit`.
 */
#include <stdarg.h>
#include <sys/stat.h>

#include "launcher/ctl/audit.h"

void
audit_reason(struct audit_process *p, const char *format, ...)
{
	va_list args;

	if (p->n_reasons == AUDIT_REASONS_MAX) {
		(void)snprintf(p->reasons[AUDIT_REASONS_MAX - 1], sizeof(p->reasons[0]),
		    "and more reasons than are shown");
		return;
	}
	va_start(args, format);
	(void)vsnprintf(p->reasons[p->n_reasons++], sizeof(p->reasons[0]), format, args);
	va_end(args);
}

/* proc(5): the files below the folder of a process that is not dumpable belong to root. */
static enum audit_yes_no
read_traceable(pid_t pid, const struct procstatus *s)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (stat(path, &st) < 0 || s->uid[1] == 0)
		return AUDIT_UNKNOWN;
	return st.st_uid == s->uid[1] ? AUDIT_YES : AUDIT_NO;
}

int
audit_read(struct audit_process *p, const struct audit_context *c, struct why *why)
{
	int r = procstatus_read(p->pid, &p->status, why);

	if (r < 0)
		return r;
	p->traceable = read_traceable(p->pid, &p->status);
	audit_read_fds(p, c);
	return 0;
}

void
audit_process_done(struct audit_process *p)
{
	free(p->fds);
	p->fds = NULL;
	p->n_fds = 0;
}
