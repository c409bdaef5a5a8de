/*
 * test_timer.c - launcher/manager/timer.h: the heap against a plain search.
 */
#include "tests/unit/unit.h"

#include "launcher/manager/timer.h"

static void
timer_fires_nothing(struct manager *m, void *owner)
{
	(void)m;
	(void)owner;
}

static void
due_timers_come_in_their_order(void **state)
{
	struct timers t;
	struct timer x[3] = { { .fire = timer_fires_nothing }, { .fire = timer_fires_nothing },
		{ .fire = timer_fires_nothing } };

	(void)state;
	assert_int_equal(timers_init(&t, 3), 0);
	assert_true(timers_next(&t) == USEC_INFINITY);
	timer_set(&t, &x[0], 30);
	timer_set(&t, &x[1], 10);
	timer_set(&t, &x[2], 20);
	timer_set(&t, &x[0], 5); /* moved */
	assert_int_equal(timers_next(&t), 5);
	assert_null(timers_due(&t, 4));
	assert_ptr_equal(timers_due(&t, 10), &x[0]);
	assert_ptr_equal(timers_due(&t, 10), &x[1]);
	assert_null(timers_due(&t, 10));
	timer_set(&t, &x[2], USEC_INFINITY);
	timer_stop(&t, &x[2]); /* twice does no harm */
	assert_true(timers_next(&t) == USEC_INFINITY);
	timers_done(&t);
}

/* Ten thousand random changes; after each the first one must be the least. */
static void
random_changes_keep_the_least_first(void **state)
{
	enum { N = 50 };
	struct timer x[N] = { 0 };
	struct timers t;
	uint32_t seed = 1;

	(void)state;
	assert_int_equal(timers_init(&t, N), 0);
	for (size_t i = 0; i < N; i++)
		x[i].fire = timer_fires_nothing;
	for (int round = 0; round < 10000; round++) {
		uint64_t least = USEC_INFINITY;
		struct timer *p;

		seed = seed * 1103515245u + 12345u;
		p = &x[(seed >> 16) % N];
		if ((seed >> 8) % 3 == 0)
			timer_stop(&t, p);
		else
			timer_set(&t, p, (seed >> 12) % 1000);
		for (size_t i = 0; i < N; i++)
			if (x[i].at != 0 && x[i].when_usec < least)
				least = x[i].when_usec;
		if (timers_next(&t) != least)
			fail_msg("round %d", round);
	}
	timers_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(due_timers_come_in_their_order),
		cmocka_unit_test(random_changes_keep_the_least_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
