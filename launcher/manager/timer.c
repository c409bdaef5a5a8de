/*
 * timer.c - see timer.h. A binary heap; each timer knows its place, so that moving one is cheap.
 */
#include "launcher/manager/timer.h"

#include <assert.h>

int
timers_init(struct timers *t, uint32_t max)
{
	*t = (struct timers){ .max = max };
	t->heap = calloc(max ? max : 1, sizeof(struct timer *));
	return t->heap ? 0 : -ENOMEM;
}

void
timers_done(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){ 0 };
}

static void
heap_put(struct timers *t, uint32_t i, struct timer *x)
{
	t->heap[i] = x;
	x->at = i + 1;
}

static void
heap_up(struct timers *t, uint32_t i, struct timer *x)
{
	while (i > 0 && t->heap[(i - 1) / 2]->when_usec > x->when_usec) {
		heap_put(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(t, i, x);
}

static void
heap_down(struct timers *t, uint32_t i, struct timer *x)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < t->n && t->heap[child + 1]->when_usec < t->heap[child]->when_usec)
			child++;
		if (child >= t->n || t->heap[child]->when_usec >= x->when_usec)
			break;
		heap_put(t, i, t->heap[child]);
		i = child;
	}
	heap_put(t, i, x);
}

void
timer_stop(struct timers *t, struct timer *x)
{
	struct timer *last;
	uint32_t i;

	if (x->at == 0)
		return;
	i = x->at - 1;
	x->at = 0;
	last = t->heap[--t->n];
	if (last == x)
		return;
	if (i > 0 && t->heap[(i - 1) / 2]->when_usec > last->when_usec)
		heap_up(t, i, last);
	else
		heap_down(t, i, last);
}

void
timer_set(struct timers *t, struct timer *x, uint64_t when_usec)
{
	timer_stop(t, x);
	if (when_usec == USEC_INFINITY)
		return;
	assert(t->n < t->max && x->fire);
	x->when_usec = when_usec;
	heap_up(t, t->n++, x);
}

uint64_t
timers_next(const struct timers *t)
{
	return t->n > 0 ? t->heap[0]->when_usec : USEC_INFINITY;
}

struct timer *
timers_due(struct timers *t, uint64_t now_usec)
{
	struct timer *x;

	if (t->n == 0 || t->heap[0]->when_usec > now_usec)
		return NULL;
	x = t->heap[0];
	timer_stop(t, x);
	return x;
}
