/*
 * spawner.c - see spawner.h.
 */
#include "launcher/manager/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/fdpass.h"
#include "common/log.h"
#include "launcher/manager/link.h"
#include "launcher/manager/service.h"
#include "launcher/user/spawn.h"

#define SPAWNER_AGAIN_USEC USEC_PER_SEC /* a new one at most so often */
#define SPAWNER_STUCK_USEC (2 * USEC_PER_SEC) /* asked, and nothing heard for so long */
#define SPAWNER_ASKED_MAX \
	16 /* descriptors under way are limited, too; the others go the plain way */

static struct service *
spawner_service(const struct socket *k)
{
	return &k->service->service;
}

/* Stopped, most likely. SIGKILL works on those, too. */
static void
spawner_stuck(struct manager *m, void *owner)
{
	struct service *s = spawner_service(owner);

	log_unit(LOG_LEVEL_WARNING, plan_str(m->plan, s->unit->id),
	    "spawner %d does not answer: killing it", (int)s->main.pid);
	link_signal(m, &s->main, SIGKILL, false);
	spawner_lost(owner); /* what it has not read is done the plain way now */
}

void
spawner_init(struct socket *k)
{
	k->spawner = (struct spawner){ .sock = -EBADF, .far_end = -EBADF };
	k->spawner.stuck.fire = spawner_stuck;
	k->spawner.stuck.owner = k;
}

static bool
spawner_ready(struct manager *m, struct socket *k)
{
	struct spawner *w = &k->spawner;
	struct service *s = spawner_service(k);
	int pair[2], copy;

	if (w->sock >= 0)
		return true;
	if (process_alive(&s->main) || clock_usec() < w->again_usec ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	w->again_usec = clock_usec() + SPAWNER_AGAIN_USEC;
	w->sock = pair[0];
	w->far_end = pair[1];
	copy = fcntl(w->far_end, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) {
		spawner_lost(k);
		return false;
	}
	s->main.slot = COMMAND_SPAWN;
	s->main.command = 0;
	link_start(m, s, &s->main, 0, (struct link_pass){ copy, MSG_START_CONNECTION, false });
	return true;
}

/* The near end for the monitor, whom the kernel shall tell who speaks at the far end. */
static int
status_socket(int *ret_far)
{
	const int on = 1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	*ret_far = pair[1];
	if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return fd_close(pair[0]);
	return pair[0];
}

bool
spawner_run(struct manager *m, struct service *s)
{
	struct socket *k = s->socket;
	struct spawner *w = &k->spawner;
	_cleanup_fd_ int far = -EBADF;
	int near;

	if (!s->unit->spawns || s->plainly || m->stopping || w->n_asked >= SPAWNER_ASKED_MAX ||
	    !spawner_ready(m, k) || m->link.n > 0)
		return false;
	near = status_socket(&far);
	if (near < 0)
		return false;
	link_start(m, s, &s->main, 0, (struct link_pass){ near, MSG_START_SPAWNED, false });
	s->spawned = true;
	if (w->n_asked++ == 0)
		timer_set(&m->timers, &w->stuck, clock_usec() + SPAWNER_STUCK_USEC);
	/* The monitor must have been told before there can be a child. */
	if (m->link.n == 0) {
		const struct spawn_request q = { s->number, s->watchdog_usec };
		const int fds[] = { s->connection, far };

		(void)!fdpass_send(w->sock, &q, sizeof(q), fds, ELEMENTSOF(fds));
	}
	return true; /* if it was not sent, closing the far end tells the monitor, and it us */
}

void
spawner_answered(struct manager *m, struct service *s)
{
	struct spawner *w = &s->socket->spawner;

	s->spawned = false;
	w->n_asked--;
	timer_set(&m->timers, &w->stuck,
	    w->n_asked > 0 ? clock_usec() + SPAWNER_STUCK_USEC : USEC_INFINITY);
}

/* What it has not read is still there, and with it the status sockets: when those are closed the
 * monitor knows, and tells us. */
static void
spawner_take_back(struct spawner *w)
{
	struct spawn_request q;
	struct fdpass_msg got;
	int fds[2];

	while (w->far_end >= 0 &&
	       fdpass_recv(w->far_end, &q, sizeof(q), fds, ELEMENTSOF(fds), &got) == 0)
		for (size_t i = 0; i < got.n_fds; i++)
			fd_closep(&fds[i]);
}

void
spawner_lost(struct socket *k)
{
	spawner_take_back(&k->spawner);
	fd_closep(&k->spawner.sock);
	fd_closep(&k->spawner.far_end);
}

void
spawner_stop(struct manager *m, struct socket *k)
{
	link_signal(m, &spawner_service(k)->main, SIGKILL, false);
}
