/*
 * run_plan.c - see run_plan.h.
 */
#include "launcher/load/run_plan.h"

#include <sysexits.h>

#include "common/log.h"

#define FINDING_BYTES 1024 /* a longer one is cut: the file has the rest */

/* "/etc/.../web.socket:3: Socket.Backlog=x: not a number", as much of it as there is. */
static void
print_finding(enum log_level level, const struct diag_item *f)
{
	char text[FINDING_BYTES];
	struct buf b;

	buf_init(&b, text, sizeof(text)); /* each part that does not fit is left out */
	if (f->file)
		(void)buf_printf(&b, "%s:", f->file);
	if (f->file && f->line)
		(void)buf_printf(&b, "%u:", f->line);
	if (f->file)
		(void)buf_putc(&b, ' ');
	if (f->directive && f->value)
		(void)buf_printf(&b, "%s=%s: ", f->directive, f->value);
	else if (f->directive)
		(void)buf_printf(&b, "%s: ", f->directive);
	log_unit(level, f->unit, "%s%s", buf_cstr(&b), f->text);
}

static void
print_findings(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].level >= DIAG_WARNING)
			print_finding(
			    d->items[i].level == DIAG_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
			    &d->items[i]);
}

int
run_plan_write(void *context, int fd, const char *user)
{
	const struct run_plan *plan = context;
	struct load_options options = plan->options;
	_cleanup_fd_ int sealed = -EBADF;
	struct why why = { "" };
	struct diag diag;
	int r;

	options.plan_fd = &fd;
	options.manager_user = user;
	diag_init(&diag);
	r = plan_load(&options, plan->units, plan->n_units, &diag, &sealed, &why);
	print_findings(&diag);
	diag_done(&diag);
	if (r == 0)
		return 0;
	log_error("%s", why.text);
	return r == -EINVAL ? EX_CONFIG : EX_OSERR;
}
