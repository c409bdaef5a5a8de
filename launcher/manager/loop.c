/*
 * loop.c - the manager's only loop: descriptors by rank, timers by deadline. See state.h.
 * Runs as: manager. Sleeps until something happens: an idle launcher never wakes up.
 */
#include <assert.h>
#include <limits.h>
#include <sys/epoll.h>

#include "launcher/manager/job.h"
#include "launcher/manager/state.h"

#define EVENTS_PER_WAKE 128

int
watch_set(struct manager *m, struct watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };
	const int op = w->events == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

	if (w->events == events)
		return 0;
	w->events = events; /* what fails now will not work the next time either */
	return epoll_ctl(m->epoll, op, w->fd, &e) < 0 ? -errno : 0;
}

void
watch_stop(struct manager *m, struct watch *w)
{
	const int r = watch_set(m, w, 0);

	assert(r == 0); /* it was in, or it was out */
}

static int
loop_timeout(const struct manager *m)
{
	const uint64_t next = timers_next(&m->timers), now = clock_usec();
	uint64_t ms;

	if (next == USEC_INFINITY)
		return -1;
	if (next <= now)
		return 0;
	ms = (next - now + 999) / 1000; /* never early: that would be a second wake-up */
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void
loop_fire(struct manager *m)
{
	const uint64_t now = clock_usec();

	for (struct timer *t = timers_due(&m->timers, now); t && !m->leave;
	     t = timers_due(&m->timers, now)) {
		t->fire(m, t->owner);
		settle(m);
	}
}

int
loop_run(struct manager *m)
{
	while (!m->leave) {
		struct epoll_event events[EVENTS_PER_WAKE];
		const int n = epoll_wait(m->epoll, events, EVENTS_PER_WAKE, loop_timeout(m));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (enum watch_rank rank = 0; rank < WATCH_RANK_END; rank++)
			for (int i = 0; i < n && !m->leave; i++) {
				struct watch *w = events[i].data.ptr;

				/* An event before it may have closed or muted this one. */
				if (w->rank != rank || w->fd < 0 || w->events == 0)
					continue;
				w->ready(m, w->owner, events[i].events);
				settle(m);
			}
		loop_fire(m);
	}
	return 0;
}
