/*
 * supervise.c - see supervise.h.
 */
#include "worker/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/num.h"
#include "worker/config/tls.h"
#include "worker/tls/ticket.h"

#define RESPAWN_FIRST_USEC (100 * 1000)
#define RESPAWN_LAST_USEC (10 * USEC_PER_SEC)

enum worker_state {
	WORKER_NONE,
	WORKER_STARTING, /* has not said that it serves */
	WORKER_SERVING,
	WORKER_DRAINING,
};

struct worker_slot {
	enum worker_state state;
	pid_t pid;
	int pidfd, ready_fd;
	uint32_t generation;
	uint64_t started_usec;
};

struct generation {
	uint32_t number;
	struct config *config; /* owned */
};

struct supervisor {
	const struct options *options;
	const struct listeners *listeners;
	struct shared *shared;
	struct tickets *tickets; /* of TLS sessions; each worker has a copy, and all step alike */
	unsigned ticket_sec; /* their lifetime */
	struct generation now, next; /* next.config is NULL unless a reload is under way */
	struct worker_slot slot[WORKERS_MAX];
	int signals;
	pid_t pid; /* ours, for a worker to see whether we are still there */
	bool stopping, told_ready;
	int exit_code;
	uint64_t respawn_usec; /* when missing workers are started; 0: none is missing */
	uint64_t respawn_delay_usec;
};

int
supervise_load(const struct options *o, struct config *ret, struct why *why)
{
	uint64_t workers = 0;
	int r;

	if (o->workers && num_parse_str(o->workers, 1, WORKERS_MAX / 2, &workers) < 0)
		return why_set(why, -EINVAL, "--workers %s: want a number up to %d", o->workers,
		    WORKERS_MAX / 2);
	r = o->config ? config_load(o->config, ret, why) : config_of_root(o->root, ret, why);
	if (r < 0)
		return r;
	if (workers > 0)
		ret->settings.workers = (uint32_t)workers;
	r = config_tls(ret, o, why);
	if (r < 0)
		config_done(ret);
	return r;
}

static unsigned
workers_wanted(const struct config *c)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->settings.workers > 0)
		return c->settings.workers;
	return cpus < 1 ? 1 : cpus > 64 ? 64 : (unsigned)cpus;
}

/* In the child: everything of the supervisor's that a worker must not have goes. */
static _Noreturn void
worker_main(struct supervisor *v, unsigned index, const struct generation *g, int ready_fd)
{
	struct serve_context c = { .config = g->config,
		.options = v->options,
		.listeners = v->listeners,
		.shared = v->shared,
		.tickets = v->tickets,
		.index = index,
		.ready_fd = ready_fd };
	/* The supervisor dead, nobody would start workers again or pass signals on: drain. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != v->pid)
		exit(0); /* it died before that was set */
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		if (v->slot[i].state == WORKER_NONE)
			continue;
		fd_closep(&v->slot[i].pidfd);
		fd_closep(&v->slot[i].ready_fd);
	}
	fd_closep(&v->signals);
	(void)unsetenv("NOTIFY_SOCKET"); /* the supervisor alone speaks for the service */
	/* The signals stay blocked: one that comes before the loop is there waits for it. */
	exit(serve(&c));
}

static int
worker_start(struct supervisor *v, const struct generation *g)
{
	unsigned i = 0;
	struct worker_slot *s;
	int ready[2];
	pid_t pid;

	while (i < WORKERS_MAX && v->slot[i].state != WORKER_NONE)
		i++;
	if (i == WORKERS_MAX)
		return -EAGAIN;
	s = &v->slot[i];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		const int error = errno;

		(void)close(ready[0]);
		(void)close(ready[1]);
		return -error;
	}
	if (pid == 0) {
		(void)close(ready[0]);
		worker_main(v, i, g, ready[1]);
	}
	(void)close(ready[1]);
	*s = (struct worker_slot){ .state = WORKER_STARTING,
		.pid = pid,
		.ready_fd = ready[0],
		.generation = g->number,
		.started_usec = clock_usec() };
	s->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	v->shared->workers++;
	return 0;
}

static unsigned
workers_count(const struct supervisor *v, uint32_t generation, enum worker_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (v->slot[i].state == state && v->slot[i].generation == generation)
			n++;
	return n;
}

static void
workers_signal(const struct supervisor *v, int signo)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (v->slot[i].state != WORKER_NONE)
			(void)kill(
			    v->slot[i].pid, signo); /* our child, not reaped yet: its pid is its */
}

static void
workers_drain(struct supervisor *v, uint32_t generation)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		struct worker_slot *s = &v->slot[i];

		if (s->state == WORKER_NONE || s->state == WORKER_DRAINING ||
		    s->generation != generation)
			continue;
		s->state = WORKER_DRAINING;
		(void)kill(s->pid, SIGTERM);
	}
}

/* Starts what is missing of a generation. */
static void
workers_fill(struct supervisor *v, const struct generation *g)
{
	const unsigned want = workers_wanted(g->config);

	for (unsigned n = workers_count(v, g->number, WORKER_STARTING) +
			  workers_count(v, g->number, WORKER_SERVING);
	     n < want; n++) {
		const int r = worker_start(v, g);

		if (r < 0) {
			log_error("worker: %s", strerror(-r));
			v->respawn_usec = clock_usec() + RESPAWN_LAST_USEC;
			return;
		}
	}
}

static void
generation_free(struct generation *g)
{
	if (g->config) {
		config_done(g->config);
		free(g->config);
	}
	*g = (struct generation){ 0 };
}

/* The next generation cannot serve: forget it. */
static void
reload_fail(struct supervisor *v, const char *why)
{
	log_error("reload: %s; the old configuration stays", why);
	v->shared->reloads_failed++;
	workers_drain(v, v->next.number);
	generation_free(&v->next);
	(void)sd_notifyf(0, "READY=1\nSTATUS=Reload failed: %s", why);
}

/* Made here, before a fork, so that all workers have the same keys; kept while the lifetime is. */
static int
tickets_for(struct supervisor *v, const struct config *c, struct why *why)
{
	struct tickets *made;
	int r;

	if (c->tls.n_certs == 0 || (v->tickets && v->ticket_sec == c->tls.ticket_epoch_sec))
		return 0;
	r = tickets_new(c->tls.ticket_epoch_sec, &made, why);
	if (r < 0)
		return r;
	tickets_free(v->tickets);
	v->tickets = made;
	v->ticket_sec = c->tls.ticket_epoch_sec;
	return 0;
}

static void
supervisor_reload(struct supervisor *v)
{
	struct config *config;
	struct why why = { "" };
	int r;

	if (v->stopping)
		return;
	if (v->next.config)
		reload_fail(v, "superseded by another");
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_usec());
	config = calloc(1, sizeof(*config));
	r = config ? supervise_load(v->options, config, &why) : -ENOMEM;
	if (r == 0 &&
	    (serve_check(config, v->listeners, &why) < 0 || tickets_for(v, config, &why) < 0)) {
		config_done(config);
		r = -EINVAL;
	}
	if (r < 0) {
		free(config);
		reload_fail(v, config ? why.text : "out of memory");
		return;
	}
	v->next = (struct generation){ ++v->shared->generation, config };
	workers_fill(v, &v->next);
}

/* Called when a worker has begun to serve. */
static void
supervisor_check_ready(struct supervisor *v)
{
	const struct generation *g = v->next.config ? &v->next : &v->now;

	if (v->stopping || workers_count(v, g->number, WORKER_SERVING) < workers_wanted(g->config))
		return;
	if (g == &v->next) {
		workers_drain(v, v->now.number);
		generation_free(&v->now);
		v->now = v->next;
		v->next = (struct generation){ 0 };
		v->shared->reloads++;
		log_notice("reloaded: workers of generation %u serve", v->now.number);
	}
	v->shared->ready = true;
	v->respawn_delay_usec = RESPAWN_FIRST_USEC;
	if (!v->told_ready)
		for (size_t i = 0; i < v->listeners->n; i++)
			log_info("serving %s", v->listeners->list[i].text);
	v->told_ready = true;
	(void)sd_notifyf(0, "READY=1\nSTATUS=Serving on %zu sockets by %u workers", v->listeners->n,
	    workers_wanted(v->now.config));
}

static void
worker_on_ready(struct supervisor *v, struct worker_slot *s)
{
	char byte;
	const ssize_t n = read(s->ready_fd, &byte, 1);

	if (n < 0 && errno == EINTR)
		return;
	s->ready_fd = fd_close(s->ready_fd);
	if (n == 1 && s->state == WORKER_STARTING) {
		s->state = WORKER_SERVING;
		supervisor_check_ready(v);
	}
}

static void
worker_lost(struct supervisor *v, const struct worker_slot *s, int status)
{
	if (WIFSIGNALED(status))
		log_error("worker %d died of signal %d", (int)s->pid, WTERMSIG(status));
	else
		log_error("worker %d ended with status %d", (int)s->pid, WEXITSTATUS(status));
	v->shared->deaths++;
	if (v->next.config && s->generation == v->next.number) {
		reload_fail(v, "a new worker did not start");
		return;
	}
	if (!v->told_ready && WIFEXITED(status)) {
		/* It cannot even start: say so by our own exit, and let the launcher decide. */
		v->exit_code = WEXITSTATUS(status);
		v->stopping = true;
		workers_drain(v, v->now.number);
		return;
	}
	v->respawn_usec = clock_usec() + v->respawn_delay_usec;
	v->respawn_delay_usec = v->respawn_delay_usec * 2 < RESPAWN_LAST_USEC
				    ? v->respawn_delay_usec * 2
				    : RESPAWN_LAST_USEC;
}

static void
worker_on_exit(struct supervisor *v, struct worker_slot *s)
{
	const struct worker_slot gone = *s;
	int status = 0;

	if (waitpid(s->pid, &status, WNOHANG) != s->pid)
		return;
	fd_closep(&s->pidfd);
	fd_closep(&s->ready_fd);
	s->state = WORKER_NONE;
	shared_retire(v->shared, (unsigned)(s - v->slot));
	v->shared->workers--;
	if (gone.state == WORKER_DRAINING || v->stopping) {
		if (v->stopping && !(WIFEXITED(status) && WEXITSTATUS(status) == 0) &&
		    v->exit_code == 0)
			v->exit_code = EX_SOFTWARE;
		return;
	}
	worker_lost(v, &gone, status);
}

static void
supervisor_on_signal(struct supervisor *v)
{
	struct signalfd_siginfo si;

	if (read(v->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGHUP:
		workers_signal(v, SIGHUP); /* certificates: those that are there, at once */
		if (v->options->config)
			supervisor_reload(v);
		break;
	case SIGUSR1:
		workers_signal(v, SIGUSR1);
		break;
	default:
		if (v->stopping)
			break;
		v->stopping = v->shared->stopping = true;
		log_notice("stopping: %u workers drain", v->shared->workers);
		(void)sd_notify(0, "STOPPING=1\nSTATUS=Draining");
		for (unsigned i = 0; i < WORKERS_MAX; i++)
			if (v->slot[i].state != WORKER_NONE)
				v->slot[i].state = WORKER_DRAINING;
		workers_signal(v, SIGTERM);
	}
}

/* Waits for the next event. @fds: one for signals, then two per worker slot in use. */
static int
supervisor_poll(struct supervisor *v, struct pollfd *fds, unsigned *owner)
{
	nfds_t n = 0;
	int timeout = -1;

	fds[n++] = (struct pollfd){ .fd = v->signals, .events = POLLIN };
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		if (v->slot[i].state == WORKER_NONE)
			continue;
		owner[n] = i;
		fds[n++] = (struct pollfd){ .fd = v->slot[i].pidfd, .events = POLLIN };
		owner[n] = i;
		fds[n++] = (struct pollfd){ .fd = v->slot[i].ready_fd, .events = POLLIN };
	}
	if (v->respawn_usec > 0) {
		const uint64_t now = clock_usec();

		timeout = v->respawn_usec > now ? (int)((v->respawn_usec - now) / 1000 + 1) : 0;
	}
	return poll(fds, n, timeout) < 0 ? 0 : (int)n;
}

static void
supervisor_run(struct supervisor *v)
{
	static struct pollfd fds[1 + 2 * WORKERS_MAX];
	static unsigned owner[1 + 2 * WORKERS_MAX];

	while (!v->stopping || v->shared->workers > 0) {
		const int n = supervisor_poll(v, fds, owner);

		if (n > 0 && (fds[0].revents & POLLIN))
			supervisor_on_signal(v);
		for (int i = 1; i + 1 < n; i += 2) {
			struct worker_slot *s = &v->slot[owner[i]];

			if (fds[i + 1].revents && s->ready_fd == fds[i + 1].fd)
				worker_on_ready(v, s);
			if (fds[i].revents && s->pidfd == fds[i].fd)
				worker_on_exit(v, s);
		}
		if (v->respawn_usec > 0 && clock_usec() >= v->respawn_usec) {
			v->respawn_usec = 0;
			if (!v->stopping)
				workers_fill(v, &v->now);
		}
	}
}

int
supervise(const struct options *o, const struct listeners *l, struct config *config)
{
	static struct supervisor v;
	struct why why = { "" };
	sigset_t set;

	v = (struct supervisor){ .options = o,
		.listeners = l,
		.shared = shared_new(),
		.pid = getpid(),
		.respawn_delay_usec = RESPAWN_FIRST_USEC };
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	v.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!v.shared || v.signals < 0) {
		log_error("supervisor: out of memory or descriptors");
		return EX_OSERR;
	}
	if (tickets_for(&v, config, &why) < 0) {
		log_error("%s", why.text);
		return EX_OSERR;
	}
	v.shared->started_seconds = clock_realtime_usec() / USEC_PER_SEC;
	v.now = (struct generation){ ++v.shared->generation, config };
	workers_fill(&v, &v.now);
	supervisor_run(&v);
	generation_free(&v.next);
	generation_free(&v.now);
	tickets_free(v.tickets);
	log_notice(
	    "stopped: %llu requests", (unsigned long long)v.shared->ended.server.conn.requests);
	return v.exit_code;
}
