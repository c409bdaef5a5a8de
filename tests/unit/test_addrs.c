/*
 * test_addrs.c - worker/addrs.h: connections and request rates by client address.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>

#include "common/clock.h"
#include "worker/addrs.h"

static struct peer
peer_of_text(const char *text)
{
	struct peer p = { .port = 1 };

	if (inet_pton(AF_INET, text, p.addr + 12) == 1)
		p.addr[10] = p.addr[11] = 0xff;
	else
		assert_int_equal(inet_pton(AF_INET6, text, p.addr), 1);
	return p;
}

static void
connections_are_counted_by_address_and_64(void **state)
{
	const struct addrs_limits l = { .connections = 2 };
	const struct peer a = peer_of_text("192.0.2.1"), b = peer_of_text("192.0.2.2");
	const struct peer c = peer_of_text("2001:db8::1"), d = peer_of_text("2001:db8::ffff:2");
	const struct peer e = peer_of_text("2001:db8:0:1::1"), unix_peer = { .port = 0 };
	int error;
	struct addrs_table *table = addrs_table_new();
	struct addrs *t = addrs_new(&l, table, 0, &error);

	(void)state;
	assert_non_null(t);
	assert_true(addrs_open(t, &a));
	assert_true(addrs_open(t, &a));
	assert_false(addrs_open(t, &a));
	assert_true(addrs_open(t, &b));
	addrs_close(t, &a);
	assert_true(addrs_open(t, &a));
	assert_true(addrs_open(t, &c));
	assert_true(addrs_open(t, &d)); /* the same /64 */
	assert_false(addrs_open(t, &c));
	assert_true(addrs_open(t, &e)); /* another */
	for (int i = 0; i < 10; i++)
		assert_true(addrs_open(t, &unix_peer));
	addrs_free(t);
	addrs_table_free(table);
}

static void
a_bucket_fills_at_its_rate_and_no_further(void **state)
{
	const struct addrs_limits l = { .rate = 10, .burst = 3 };
	const struct peer a = peer_of_text("192.0.2.1"), b = peer_of_text("192.0.2.2");
	const uint64_t t0 = 1000 * USEC_PER_SEC;
	int error;
	struct addrs_table *table = addrs_table_new();
	struct addrs *t = addrs_new(&l, table, 0, &error);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(addrs_request(t, &a, t0));
	assert_false(addrs_request(t, &a, t0));
	assert_true(addrs_request(t, &b, t0));
	assert_false(addrs_request(t, &a, t0 + USEC_PER_SEC / 20));
	assert_true(addrs_request(t, &a, t0 + USEC_PER_SEC / 10));
	assert_false(addrs_request(t, &a, t0 + USEC_PER_SEC / 10));
	for (int i = 0; i < 3; i++)
		assert_true(addrs_request(t, &a, t0 + 10000 * USEC_PER_SEC));
	assert_false(addrs_request(t, &a, t0 + 10000 * USEC_PER_SEC));
	addrs_free(t);
	addrs_table_free(table);
}

static void
no_limit_needs_no_table(void **state)
{
	const struct addrs_limits l = { 0 };
	const struct peer a = peer_of_text("192.0.2.1");
	int error = 1;

	(void)state;
	assert_null(addrs_new(&l, NULL, 0, &error));
	assert_int_equal(error, 0);
	assert_true(addrs_open(NULL, &a));
	assert_true(addrs_request(NULL, &a, 0));
	addrs_close(NULL, &a);
}

static void
a_flood_of_addresses_cannot_push_out_one_that_is_connected(void **state)
{
	const struct addrs_limits l = { .connections = 1 };
	const struct peer a = peer_of_text("192.0.2.1");
	int error;
	struct addrs_table *table = addrs_table_new();
	struct addrs *t = addrs_new(&l, table, 0, &error);

	(void)state;
	assert_true(addrs_open(t, &a));
	for (uint32_t i = 0; i < 200000; i++) {
		struct peer p = peer_of_text("2001:db8::");

		memcpy(p.addr + 4, &i, sizeof(i));
		(void)addrs_open(t, &p); /* counted or not: the table has a fixed size */
	}
	assert_false(addrs_open(t, &a));
	addrs_free(t);
	addrs_table_free(table);
}

static void
workers_share_what_they_count_and_leave_nothing_behind(void **state)
{
	const struct addrs_limits l = { .connections = 3, .rate = 1, .burst = 3 };
	const struct peer a = peer_of_text("192.0.2.1");
	struct addrs_table *table = addrs_table_new();
	int error;
	struct addrs *one = addrs_new(&l, table, 0, &error);
	struct addrs *two = addrs_new(&l, table, ADDRS_WORKERS_MAX - 1, &error);

	(void)state;
	assert_true(addrs_open(one, &a));
	assert_true(addrs_open(two, &a));
	assert_true(addrs_open(two, &a));
	assert_false(addrs_open(one, &a));
	addrs_table_retire(table, ADDRS_WORKERS_MAX - 1); /* it died with two of them */
	addrs_close(two, &a); /* not counted twice */
	assert_true(addrs_open(one, &a));
	assert_true(addrs_open(one, &a));
	assert_false(addrs_open(one, &a));
	for (int i = 0; i < 3; i++)
		assert_true(addrs_request(i % 2 ? one : two, &a, USEC_PER_SEC));
	assert_false(addrs_request(one, &a, USEC_PER_SEC));
	assert_false(addrs_request(two, &a, USEC_PER_SEC));
	addrs_free(one);
	addrs_free(two);
	addrs_table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_counted_by_address_and_64),
		cmocka_unit_test(a_bucket_fills_at_its_rate_and_no_further),
		cmocka_unit_test(no_limit_needs_no_table),
		cmocka_unit_test(workers_share_what_they_count_and_leave_nothing_behind),
		cmocka_unit_test(a_flood_of_addresses_cannot_push_out_one_that_is_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
