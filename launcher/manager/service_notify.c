/*
 * service_notify.c - a service's notify socket: who may speak, and what it changes. See service.h.
 * Runs as: manager.
 * Trusts: which socket a datagram came on (each service has its own, mode 0600, owned by its user)
 *         and the sender's pid as the kernel gives it; nothing in the text.
 */
#include "launcher/manager/service.h"

#include <string.h>
#include <sys/epoll.h>

#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/manager/accept.h"
#include "launcher/manager/notify.h"

/* The queue of a unix datagram socket is short (net.unix.max_dgram_qlen), and a flood by one
 * service must not hold up the others. */
#define NOTIFY_DATAGRAMS_PER_WAKE 32

static bool
sender_may(const struct service *s, pid_t pid)
{
	const bool is_main = process_alive(&s->main) && s->main.pid == pid;
	const bool is_control = process_alive(&s->control) && s->control.pid == pid;

	switch (s->unit->service.notify_access) {
	case NOTIFY_ACCESS_MAIN:
		return is_main;
	case NOTIFY_ACCESS_EXEC:
		return is_main || is_control;
	case NOTIFY_ACCESS_ALL:
		return true; /* only processes of its user can open the socket at all */
	case NOTIFY_ACCESS_NONE:
	case NOTIFY_ACCESS_END:
		break;
	}
	return false;
}

static void
take_status(struct service *s, struct span text)
{
	size_t n = text.len;

	if (n >= sizeof(s->status))
		for (n = sizeof(s->status) - 1;
		     n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80;)
			n--; /* cut between two characters */
	if (n > 0 && text.ptr)
		memcpy(s->status, text.ptr, n);
	memset(s->status + n, 0, sizeof(s->status) - n);
}

/* EXTEND_TIMEOUT_USEC=: of the state it is in, if that has a limit, and never to shorten it. */
static void
take_extension(struct manager *m, struct service *s, uint64_t usec)
{
	const uint64_t now = clock_usec();

	if (s->timer.at != 0 && usec < USEC_INFINITY - now && now + usec > s->timer.when_usec)
		timer_set(&m->timers, &s->timer, now + usec);
}

/* In systemd's order: main pid, then STOPPING before READY, then what is only told. */
static void
notify_apply(struct manager *m, struct service *s, const struct notify *n)
{
	/* Believed when that process is an orphan of the service's own user; the monitor looks. */
	if ((n->keys & NOTIFY_MAINPID) && process_alive(&s->main) && n->main_pid != s->main.pid)
		s->next_main = n->main_pid;
	if (n->keys & NOTIFY_EXTEND_TIMEOUT)
		take_extension(m, s, n->extend_usec);
	if (n->keys & NOTIFY_WATCHDOG_USEC)
		s->watchdog_usec = n->watchdog_usec;
	if (n->keys & NOTIFY_WATCHDOG_TRIGGER)
		service_event(m, s, EVENT_WATCHDOG);
	else if (n->keys & (NOTIFY_WATCHDOG | NOTIFY_WATCHDOG_USEC))
		service_watchdog(m, s);
	if (n->keys & NOTIFY_STATUS)
		take_status(s, n->status);
	if (n->keys & NOTIFY_ERRNO)
		s->error = n->error;
	if (n->keys & (NOTIFY_STATUS | NOTIFY_ERRNO | NOTIFY_MAINPID))
		service_save(m, s);
	if (n->keys & NOTIFY_STOPPING)
		service_event(m, s, EVENT_STOPPING);
	else if (n->keys & NOTIFY_READY)
		service_event(m, s, EVENT_READY);
}

/* Instances share their template's socket: who it is, its pid tells. */
static struct service *
notify_sender(struct service *s, pid_t pid)
{
	if (!s->owner->accepts)
		return sender_may(s, pid) ? s : NULL;
	ACCEPT_FOREACH(s->owner->accepts, x)
	if ((process_alive(&x->main) && x->main.pid == pid) ||
	    (process_alive(&x->control) && x->control.pid == pid))
		return sender_may(x, pid) ? x : NULL;
	return NULL;
}

/* Return: false when the queue is empty. */
static bool
notify_read_one(struct manager *m, struct service *s)
{
	char text[NOTIFY_BYTES_MAX];
	int fds[FDPASS_MAX];
	struct fdpass_msg got = { 0 };
	struct notify n;
	struct why why = { "" };
	int r = fdpass_recv(s->notify.fd, text, sizeof(text), fds, FDPASS_MAX, &got);

	if (r == -EAGAIN)
		return false;
	if (r == 0) {
		struct service *sender = notify_sender(s, got.cred.pid);

		r = notify_parse(text, got.len, got.n_fds, &n, &why);
		if (r == 0 && sender)
			notify_apply(m, sender, &n);
		else if (r == 0)
			r = why_set(
			    &why, -EPERM, "notify: pid %d has no access", (int)got.cred.pid);
		for (size_t i = 0; i < got.n_fds; i++)
			fdpass_discard(fds[i]); /* BARRIER=1: all before it was dealt with */
	}
	if (r < 0) {
		s->n_notify_dropped++;
		log_unit(LOG_LEVEL_DEBUG, service_name(m, s), "dropped: %s",
		    why.text[0] ? why.text : strerror(-r));
	}
	return true;
}

void
service_notify_drain(struct manager *m, struct service *instance)
{
	struct service *s = &instance->owner->service; /* itself, or its template */

	if (s->notify.fd < 0 || s->notify_muted)
		return;
	for (unsigned i = 0; i < NOTIFY_DATAGRAMS_PER_WAKE && notify_read_one(m, s); i++)
		if (s->notify_muted)
			return; /* what it said made us start a process */
}

static void
service_notify_ready(struct manager *m, void *owner, uint32_t events)
{
	(void)events;
	service_notify_drain(m, owner);
}

void
service_notify_init(struct service *s, int fd)
{
	s->notify = (struct watch){
		.fd = fd, .rank = WATCH_NOTIFY, .ready = service_notify_ready, .owner = s
	};
}

static bool
any_asked(const struct service *s)
{
	return s->main.state == PROCESS_ASKED || s->control.state == PROCESS_ASKED;
}

void
service_notify_update(struct manager *m, struct service *instance)
{
	struct service *s = &instance->owner->service;

	if (s->notify.fd < 0)
		return;
	/* A child may say READY=1 before the monitor has told us its pid: wait for that. The same
	 * for what runs since before us. */
	s->notify_muted = !m->link.settled || any_asked(s);
	if (s->owner->accepts)
		ACCEPT_FOREACH(s->owner->accepts, x)
	s->notify_muted |= any_asked(x);
	if (watch_set(m, &s->notify, s->notify_muted ? 0 : EPOLLIN) < 0)
		log_unit(LOG_LEVEL_ERROR, service_name(m, s), "notify socket: epoll_ctl");
}
