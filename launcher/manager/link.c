/*
 * link.c - see link.h.
 */
#include "launcher/manager/link.h"

#include <assert.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sysexits.h>

#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/manager/service.h"
#include "launcher/manager/takeover.h"

#define LINK_MESSAGES_PER_WAKE 256
#define LINK_PER_SERVICE 4u /* start and signal of either process */

static void
link_broken(struct manager *m, int exit_code, const char *reason)
{
	if (m->leave)
		return;
	log_error("monitor: %s", reason);
	m->exit_code = exit_code;
	m->leave = true;
}

static void
link_flush_queue(struct manager *m)
{
	struct link *l = &m->link;

	while (l->n > 0) {
		struct link_entry *e = &l->queue[l->head];
		const int r =
		    fdpass_send(l->watch.fd, &e->msg, sizeof(e->msg), &e->fd, e->fd >= 0 ? 1 : 0);

		if (r == -EAGAIN)
			break;
		if (!e->keep)
			fd_closep(&e->fd);
		l->head = (l->head + 1) % l->max;
		l->n--;
		if (r < 0) {
			link_broken(m, EX_IOERR, strerror(-r));
			return;
		}
	}
	if (watch_set(m, &l->watch, EPOLLIN | (l->n > 0 ? EPOLLOUT : 0)) < 0)
		link_broken(m, EX_SOFTWARE, "epoll_ctl");
}

/* Takes fd, unless it is to be kept. */
static void
link_send(struct manager *m, const struct msg *msg, int fd, bool keep)
{
	struct link *l = &m->link;

	/* Sized for all that may be open at once: an overflow is our own bug. */
	assert(l->n < l->max);
	l->queue[(l->head + l->n++) % l->max] = (struct link_entry){ *msg, fd, keep };
	link_flush_queue(m);
}

static void
link_ready(struct manager *m, void *owner, uint32_t events)
{
	(void)owner;
	if (events & EPOLLOUT)
		link_flush_queue(m);
	link_read_all(m);
}

int
link_init(struct manager *m)
{
	struct link *l = &m->link;

	l->watch =
	    (struct watch){ .fd = HERITAGE_MONITOR, .rank = WATCH_LINK, .ready = link_ready };
	l->state = MSG_STATE_LEARNING;
	/* Ahead of whatever a manager before us counted to. */
	l->next_seq = (uint32_t)clock_usec();
	l->max = 16 + m->n_notes * LINK_PER_SERVICE;
	l->queue = calloc(l->max, sizeof(*l->queue));
	m->by_slot = calloc(PROCESSES_MAX, sizeof(struct service *));
	m->by_seq = calloc(PROCESSES_MAX, sizeof(struct service *));
	return l->queue && m->by_slot && m->by_seq ? 0 : -ENOMEM;
}

void
link_done(struct manager *m)
{
	struct link *l = &m->link;

	for (; l->n > 0; l->n--, l->head = (l->head + 1) % l->max)
		if (!l->queue[l->head].keep)
			fd_closep(&l->queue[l->head].fd);
	free(l->queue);
	free(m->by_slot);
	free(m->by_seq);
	l->queue = NULL;
}

void
link_hello(struct manager *m)
{
	const struct msg hello = msg_make(MSG_HELLO);

	link_send(m, &hello, -EBADF, false);
}

void
link_start(
    struct manager *m, struct service *s, struct process *p, pid_t main_pid, struct link_pass pass)
{
	struct msg q = msg_make(MSG_START);

	assert(p->state == PROCESS_NONE);
	p->state = PROCESS_ASKED;
	p->seq = m->link.next_seq++;
	m->by_seq[p->seq % PROCESSES_MAX] = s;
	p->id = (struct msg_instance_id){ 0, 0 };
	p->pid = 0;
	p->started_usec = p->exited_usec = 0;
	p->code = p->status = p->error = p->signo = 0;
	p->step = 0;
	q.seq = p->seq;
	q.unit = s->unit->index;
	q.slot = p->slot;
	q.command = p->command;
	q.pid = main_pid;
	if (p->slot == COMMAND_STOP || p->slot == COMMAND_STOP_POST) {
		q.result = s->result;
		q.code = s->main.exited_usec ? s->main.code : 0;
		q.status = s->main.exited_usec ? s->main.status : 0;
	}
	q.watchdog_usec = p == &s->main && p->slot == COMMAND_START ? s->watchdog_usec : 0;
	q.flags = pass.flags;
	q.number = pass.flags & MSG_START_CONNECTION ? s->number : 0;
	link_send(m, &q, pass.fd, pass.keep);
}

void
link_signal(struct manager *m, struct process *p, int signo, bool group)
{
	struct msg q = msg_make(MSG_SIGNAL);

	if (p->state == PROCESS_NONE)
		return;
	if (p->id.generation == 0) {
		/* When STARTED tells who it is. The last one counts, but what is not there yet
		 * need not be woken up. */
		if (signo != SIGCONT)
			p->signo = signo;
		return;
	}
	q.instance = p->id;
	q.signo = signo;
	q.flags = group ? MSG_SIGNAL_GROUP : 0;
	link_send(m, &q, -EBADF, false);
}

static void
link_take_settled(struct manager *m)
{
	m->link.state = MSG_STATE_SETTLED;
	m->link.settled = true;
	takeover_settle(m);
}

static void
link_take_shutdown(struct manager *m)
{
	log_notice("stopping");
	m->stopping = true;
	takeover_stop_all(m);
}

void
link_take(struct manager *m, const struct msg *msg)
{
	if (msg->type != MSG_SETTLED && msg->type != MSG_SHUTDOWN &&
	    (msg->unit >= m->plan->n_units || msg->instance.slot >= PROCESSES_MAX ||
		m->units[msg->unit].plan->kind != UNIT_SERVICE)) {
		link_broken(m, EX_PROTOCOL, "named no service of the plan, or no place for one");
		return;
	}
	switch ((enum msg_type)msg->type) {
	case MSG_INSTANCE:
		takeover_learn(m, &m->units[msg->unit], msg);
		break;
	case MSG_SETTLED:
		link_take_settled(m);
		break;
	case MSG_STARTED:
		service_process_started(m, &m->units[msg->unit], msg);
		break;
	case MSG_EXITED:
		service_process_exited(m, &m->units[msg->unit], msg);
		break;
	case MSG_SHUTDOWN:
		link_take_shutdown(m);
		break;
	case MSG_HELLO:
	case MSG_START:
	case MSG_SIGNAL:
		break; /* msg_check() lets no request through at this end */
	}
}

void
link_read_all(struct manager *m)
{
	for (unsigned i = 0; i < LINK_MESSAGES_PER_WAKE && !m->leave; i++) {
		char bytes[sizeof(struct msg)];
		struct fdpass_msg got;
		struct why why = { "" };
		struct msg msg = { 0 };
		int r = fdpass_recv(m->link.watch.fd, bytes, sizeof(bytes), NULL, 0, &got);

		if (r == -EAGAIN)
			return;
		if (r == -ESHUTDOWN || r == -ECONNRESET) {
			link_broken(m, EX_IOERR, "is gone");
			return;
		}
		if (r == 0)
			r = msg_check(bytes, got.len, got.n_fds, m->link.state, &msg, &why);
		if (r < 0) {
			link_broken(m, EX_PROTOCOL, why.text[0] ? why.text : strerror(-r));
			return;
		}
		link_take(m, &msg);
	}
}
