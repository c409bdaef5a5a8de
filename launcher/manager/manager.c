/*
 * manager.c - see manager.h: takes what it was handed, confines itself, and runs the loop.
 */
#include "launcher/manager/manager.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/num.h"
#include "launcher/manager/confine.h"
#include "launcher/manager/control_server.h"
#include "launcher/manager/link.h"
#include "launcher/manager/takeover.h"

/* Descriptors beyond the heritage: epoll, clients, one accepted and not yet passed on, and those
 * that come with a notify datagram before they are closed. */
#define FDS_OF_OUR_OWN (8u + CONTROL_CLIENTS + 256u)

static int
manager_arguments(int argc, char **argv, struct why *why)
{
	enum log_format format = LOG_FORMAT_TEXT;
	uint64_t level = LOG_LEVEL_INFO;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--log-format=text") == 0)
			format = LOG_FORMAT_TEXT;
		else if (strcmp(argv[i], "--log-format=json") == 0)
			format = LOG_FORMAT_JSON;
		else if (!str_starts(argv[i], "--log-level=") ||
			 num_parse_str(argv[i] + strlen("--log-level="), LOG_LEVEL_ERROR,
			     LOG_LEVEL_DEBUG, &level) < 0)
			return why_set(why, -EINVAL, "argument %s", argv[i]);
	}
	log_setup("sallyport[manager]", format, (enum log_level)level);
	return 0;
}

static unsigned
fds_needed(const struct plan *p)
{
	unsigned n = HERITAGE_FIRST + p->n_listens + FDS_OF_OUR_OWN;

	for (uint32_t i = 0; i < p->n_units; i++)
		if (plan_unit(p, i)->kind == UNIT_SERVICE)
			n += 3; /* at most one notify socket each; of a template, to its spawner */
	return n;
}

/* Everything that can fail for lack of something, before anybody is heard. */
static int
manager_build(struct manager *m, struct why *why)
{
	int r;

	r = plan_map(HERITAGE_PLAN, &m->plan, why);
	if (r < 0)
		return r;
	m->changed_tail = &m->changed;
	m->uid = getuid();
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll < 0)
		return why_set(why, -errno, "epoll_create1");
	takeover_count(m);
	if (timers_init(&m->timers, 3 * m->n_notes + CONTROL_CLIENTS) < 0 || link_init(m) < 0)
		return why_set(why, -ENOMEM, "timers and queue");
	r = notebook_open(&m->notebook, HERITAGE_NOTEBOOK, m->n_notes, why);
	if (r < 0) /* it can work without; only a successor will know less */
		log_warning("%s", why->text);
	r = takeover_build(m, why);
	if (r < 0)
		return r;
	control_server_init(m);
	return 0;
}

static int
manager_confine(const struct manager *m, struct why *why)
{
	int r = confine_rootdir(HERITAGE_RUNTIME, why);

	if (r < 0)
		return r;
	if (r == 0)
		log_notice("no CAP_SYS_CHROOT: the root directory stays the one of all");
	r = confine_self(fds_needed(m->plan), why);
	return r < 0 ? r : confine_calls_of_manager(why);
}

static void
manager_done(struct manager *m)
{
	control_server_done(m);
	link_done(m);
	takeover_done(m);
	notebook_done(&m->notebook);
	timers_done(&m->timers);
	fd_closep(&m->epoll);
	plan_unmap(m->plan);
}

/*
 * A stop is the monitor's to announce. ^C at a terminal and a service manager's SIGTERM reach both
 * halves; a manager that left by itself could stop nothing in order.
 */
static void
manager_ignore_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
		(void)signal(ignored[i], SIG_IGN); /* cannot fail for these */
}

int
manager_main(int argc, char **argv)
{
	static struct manager m = { .epoll = -EBADF };
	struct why why = { "" };
	int r;

	manager_ignore_signals();
	log_setup("sallyport[manager]", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	if (manager_arguments(argc, argv, &why) < 0 || manager_build(&m, &why) < 0 ||
	    manager_confine(&m, &why) < 0) {
		log_error("%s", why.text);
		return EX_SOFTWARE;
	}
	link_hello(&m);
	r = loop_run(&m);
	if (r < 0) {
		log_error("epoll_wait: %s", strerror(-r));
		m.exit_code = EX_OSERR;
	}
	manager_done(&m);
	return m.exit_code;
}
