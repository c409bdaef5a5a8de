/*
 * run_plan.c - see run_plan.h.
 */
#include "launcher/load/run_plan.h"

#include <sysexits.h>

#include "common/log.h"

static void
print_findings(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag_item *f = &d->items[i];
		enum log_level level = LOG_LEVEL_ERROR;

		if (f->level < DIAG_WARNING)
			continue;
		if (f->level == DIAG_WARNING)
			level = LOG_LEVEL_WARNING;
		if (f->file && f->line)
			log_unit(level, f->unit, "%s:%u: %s", f->file, f->line, f->text);
		else if (f->file)
			log_unit(level, f->unit, "%s: %s", f->file, f->text);
		else
			log_unit(level, f->unit, "%s", f->text);
	}
}

int
run_plan_write(void *context, int fd)
{
	const struct run_plan *plan = context;
	struct load_options options = plan->options;
	_cleanup_fd_ int sealed = -EBADF;
	struct why why = { "" };
	struct diag diag;
	int r;

	options.plan_fd = &fd;
	diag_init(&diag);
	r = plan_load(&options, plan->units, plan->n_units, &diag, &sealed, &why);
	print_findings(&diag);
	diag_done(&diag);
	if (r == 0)
		return 0;
	log_error("%s", why.text);
	return r == -EINVAL ? EX_CONFIG : EX_OSERR;
}
