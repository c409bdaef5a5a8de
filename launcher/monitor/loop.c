/*
 * loop.c - the monitor's only loop: signals, the manager, status pipes.
 * Runs as: the monitor, confined.
 * Logs:    readiness, what signals asked for, and the end.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/monitor/monitor.h"

#define EVENTS_PER_WAKE 64
#define REAPS_PER_WAKE 64
#define MANAGER_RETRY_USEC UINT64_C(1000000)

int
monitor_watch(struct monitor *m, int fd, enum wake kind, uint32_t index)
{
	/* Of a status pipe only its end counts, which epoll always tells (EPOLLHUP). */
	struct epoll_event e = { .events = kind == WAKE_STATUS ? 0 : EPOLLIN,
		.data.u64 = (uint64_t)kind << 32 | index };

	return epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void
monitor_unwatch(struct monitor *m, int *fd)
{
	if (*fd < 0)
		return;
	(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, *fd, NULL); /* it is registered */
	fdpass_discard(fd_take(fd)); /* it may have come from the manager */
}

static void
tell_upstream(const struct monitor *m, const char *text)
{
	if (m->upstream_fd >= 0)
		(void)send(m->upstream_fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Reaps what has ended: services, managers, and orphans that fell to us as subreaper. Some at a
 * time: a service that forks without end must not keep us from signals and from the manager. */
static void
reap(struct monitor *m)
{
	m->more = true;
	for (int i = 0; i < REAPS_PER_WAKE; i++) {
		siginfo_t si = { 0 };

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0) {
			m->more = false;
			return;
		}
		if (si.si_pid == m->manager.pid) {
			link_read(m); /* its last words */
			link_manager_died(m, si.si_code, si.si_status);
		} else {
			(void)instance_reaped(
			    m, si.si_pid, si.si_code, si.si_status); /* or an orphan */
		}
	}
}

static void
on_signal(struct monitor *m, int signo)
{
	switch (signo) {
	case SIGCHLD:
		reap(m);
		return;
	case SIGHUP:
		log_warning("reload is not there yet: restart to read changed unit files");
		return;
	default:
		if (m->stopping) {
			log_warning("asked to stop again: killing what is left");
			m->leave = true;
			return;
		}
		log_notice("stopping");
		m->stopping = true;
		tell_upstream(m, "STOPPING=1");
		if (m->manager.pid == 0)
			m->leave = true; /* nobody to stop services in order */
	}
}

static void
read_signals(struct monitor *m)
{
	struct signalfd_siginfo si;

	while (read(m->signal_fd, &si, sizeof(si)) == sizeof(si))
		on_signal(m, (int)si.ssi_signo);
}

static void
on_wake(struct monitor *m, const struct epoll_event *e)
{
	switch ((enum wake)(e->data.u64 >> 32)) {
	case WAKE_SIGNAL:
		read_signals(m);
		break;
	case WAKE_MANAGER:
		if (e->events & EPOLLOUT)
			link_want_write(m, false);
		link_read(m);
		break;
	case WAKE_STATUS:
		instance_settle(m, (uint32_t)e->data.u64);
		break;
	}
}

/* Starts a manager when one is due. Return: milliseconds until then, -1: nothing to wait for. */
static int
care_for_manager(struct monitor *m)
{
	struct manager *g = &m->manager;
	const uint64_t now = clock_usec();
	int r;

	if (g->pid > 0 || m->leave)
		return -1;
	if (now < g->restart_at_usec)
		return (int)((g->restart_at_usec - now) / 1000) + 1;
	r = link_start_manager(m);
	if (r == 0)
		return -1;
	log_error("manager: cannot be started: %s; trying again", strerror(-r));
	g->restart_at_usec = now + MANAGER_RETRY_USEC;
	return (int)(MANAGER_RETRY_USEC / 1000);
}

static void
note_ready(struct monitor *m)
{
	if (m->ready || m->manager.state != MSG_STATE_UP || m->manager.pid == 0)
		return;
	m->ready = true;
	log_notice("ready");
	tell_upstream(m, "READY=1");
}

int
monitor_loop(struct monitor *m)
{
	while (!m->leave) {
		struct epoll_event events[EVENTS_PER_WAKE];
		const int timeout = care_for_manager(m);
		const int n =
		    epoll_wait(m->epoll_fd, events, EVENTS_PER_WAKE, m->more ? 0 : timeout);

		for (int i = 0; i < n; i++)
			on_wake(m, &events[i]);
		if (m->more)
			reap(m);
		note_ready(m);
		link_flush(m);
	}
	return m->exit_code;
}
