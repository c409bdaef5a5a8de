/*
 * evloop.c - see evloop.h.
 */
#include "worker/evloop.h"

#include <assert.h>
#include <ev.h>
#include <stddef.h>
#include <string.h>

#include "common/clock.h"

struct evloop {
	struct ev_loop *ev;
	ev_check turn;
	ev_prepare end;
	uint64_t now_usec;
	void (*before)(void *arg);
	void *arg;
	void (*after)(void *arg);
	void *after_arg;
};

static_assert(offsetof(struct evloop_fd, ev) == 0, "a watcher is where its ev_io is");
static_assert(sizeof(ev_io) <= sizeof(((struct evloop_fd *)0)->ev), "ev_io fits");
static_assert(sizeof(ev_timer) <= sizeof(((struct evloop_timer *)0)->ev), "ev_timer fits");
static_assert(sizeof(ev_signal) <= sizeof(((struct evloop_signal *)0)->ev), "ev_signal fits");

static ev_io *
io_of(struct evloop_fd *w)
{
	return (ev_io *)(void *)w->ev;
}

static ev_timer *
timer_of(struct evloop_timer *t)
{
	return (ev_timer *)(void *)t->ev;
}

/* An error is for the next read to find. */
static int
want_of(int events)
{
	return ((events & (EV_READ | EV_ERROR)) ? WANT_READ : 0) |
	       ((events & EV_WRITE) ? WANT_WRITE : 0);
}

static int
events_of(int want)
{
	return ((want & WANT_READ) ? EV_READ : 0) | ((want & WANT_WRITE) ? EV_WRITE : 0);
}

/* Right after the poll and, by its priority, before every other callback of the turn. */
static void
evloop_on_turn(struct ev_loop *ev, ev_check *w, int revents)
{
	struct evloop *l = w->data;

	(void)ev;
	(void)revents;
	l->now_usec = clock_usec();
	if (l->before)
		l->before(l->arg);
}

/* Before the poll; what it changes is still watched for in it. */
static void
evloop_on_end(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct evloop *l = w->data;

	(void)ev;
	(void)revents;
	l->after(l->after_arg);
}

void
evloop_after(struct evloop *l, void (*after)(void *arg), void *arg)
{
	l->after = after;
	l->after_arg = arg;
	if (after && !ev_is_active(&l->end)) {
		ev_prepare_start(l->ev, &l->end);
		ev_unref(l->ev);
	} else if (!after && ev_is_active(&l->end)) {
		ev_ref(l->ev);
		ev_prepare_stop(l->ev, &l->end);
	}
}

int
evloop_new(struct evloop **ret)
{
	struct evloop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_SIGNALFD);
	if (!l->ev) {
		free(l);
		return -ENOSYS;
	}
	ev_check_init(&l->turn, evloop_on_turn);
	ev_set_priority(&l->turn, EV_MAXPRI);
	l->turn.data = l;
	ev_check_start(l->ev, &l->turn);
	ev_unref(l->ev);
	ev_prepare_init(&l->end, evloop_on_end);
	l->end.data = l;
	l->now_usec = clock_usec();
	*ret = l;
	return 0;
}

void
evloop_free(struct evloop *l)
{
	if (!l)
		return;
	ev_loop_destroy(l->ev);
	free(l);
}

void
evloop_run(struct evloop *l, void (*before)(void *arg), void *arg)
{
	l->before = before;
	l->arg = arg;
	if (before)
		before(arg);
	(void)ev_run(l->ev, 0);
}

void
evloop_stop(struct evloop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

static void
evloop_on_io(struct ev_loop *ev, ev_io *io, int revents)
{
	struct evloop_fd *w = (struct evloop_fd *)(void *)io; /* ev is its first member */

	(void)ev;
	/* What is called will want what lies behind, and need not wait for w->arg to fetch it. */
	__builtin_prefetch(w + 1);
	w->on(w->arg, want_of(revents));
}

void
evloop_fd_init(struct evloop_fd *w, int fd, void (*on)(void *, int), void *arg)
{
	ev_io *io = io_of(w);

	w->on = on;
	w->arg = arg;
	ev_io_init(io, evloop_on_io, fd, 0);
}

int
evloop_fd_wants(const struct evloop_fd *w)
{
	const ev_io *io = (const ev_io *)(const void *)w->ev;

	return ev_is_active(io) ? want_of(io->events) : WANT_NOTHING;
}

void
evloop_fd_want(struct evloop *l, struct evloop_fd *w, int want)
{
	ev_io *io = io_of(w);

	if (want == evloop_fd_wants(w))
		return;
	ev_io_stop(l->ev, io);
	if (want == WANT_NOTHING)
		return;
	ev_io_set(io, io->fd, events_of(want));
	ev_io_start(l->ev, io);
}

void
evloop_fd_feed(struct evloop *l, struct evloop_fd *w, int ready)
{
	ev_feed_event(l->ev, io_of(w), events_of(ready));
}

static void
evloop_on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct evloop_timer *t = timer->data;

	(void)ev;
	(void)revents;
	t->on(t->arg);
}

void
evloop_timer_init(struct evloop *l, struct evloop_timer *t, void (*on)(void *), void *arg)
{
	ev_timer *timer = timer_of(t);

	t->on = on;
	t->arg = arg;
	t->loop = l;
	ev_timer_init(timer, evloop_on_timer, 0., 0.);
	timer->data = t;
}

void
evloop_timer_set(struct evloop_timer *t, uint64_t usec)
{
	ev_timer *timer = timer_of(t);

	ev_timer_stop(t->loop->ev, timer);
	ev_timer_set(timer, (double)usec / 1e6, 0.);
	ev_timer_start(t->loop->ev, timer);
}

void
evloop_timer_stop(struct evloop_timer *t)
{
	ev_timer_stop(t->loop->ev, timer_of(t));
}

bool
evloop_timer_is_set(const struct evloop_timer *t)
{
	return ev_is_active((const ev_timer *)(const void *)t->ev);
}

static void
evloop_on_signal(struct ev_loop *ev, ev_signal *signal, int revents)
{
	struct evloop_signal *s = signal->data;

	(void)ev;
	(void)revents;
	s->on(s->arg, signal->signum);
}

void
evloop_signal_add(
    struct evloop *l, struct evloop_signal *s, int signo, void (*on)(void *, int), void *arg)
{
	ev_signal *signal = (ev_signal *)(void *)s->ev;

	s->on = on;
	s->arg = arg;
	ev_signal_init(signal, evloop_on_signal, signo);
	signal->data = s;
	ev_signal_start(l->ev, signal);
	ev_unref(l->ev);
}

uint64_t
evloop_now_usec(const struct evloop *l)
{
	return l->now_usec;
}

int64_t
evloop_wall_seconds(const struct evloop *l)
{
	return (int64_t)ev_now(l->ev);
}
