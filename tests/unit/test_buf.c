/*
 * test_buf.c - common/buf.h: growth, limits, and the failure that sticks.
 */
#include "tests/unit/unit.h"

#include "common/buf.h"

static void
lent_buffer_never_writes_past_its_end(void **state)
{
	char storage[9];
	struct buf b;

	(void)state;
	memset(storage, 'Z', sizeof(storage));
	buf_init(&b, storage, 8);
	assert_int_equal(buf_puts(&b, "1234567"), 0);
	assert_int_equal(buf_putc(&b, '8'), -ENOBUFS);
	assert_true(b.failed);
	assert_string_equal(buf_cstr(&b), "1234567");
	assert_int_equal(storage[8], 'Z');
}

static void
heap_buffer_grows_to_its_maximum_and_no_further(void **state)
{
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init_heap(&b, 1000);
	for (int i = 0; i < 999; i++)
		assert_int_equal(buf_putc(&b, 'x'), 0);
	assert_int_equal(buf_putc(&b, 'x'), -ENOBUFS);
	assert_int_equal(b.len, 999);
	assert_true(b.cap <= 1000);
}

static void
printf_that_does_not_fit_appends_nothing(void **state)
{
	char storage[16];
	struct buf b;

	(void)state;
	buf_init(&b, storage, sizeof(storage));
	assert_int_equal(buf_puts(&b, "abc"), 0);
	assert_int_equal(buf_printf(&b, "%s", "0123456789012345"), -ENOBUFS);
	assert_string_equal(buf_cstr(&b), "abc");
	buf_reset(&b);
	assert_false(b.failed);
	assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), 0);
	assert_string_equal(buf_cstr(&b), "42-x");
}

static void
huge_length_is_refused_not_wrapped(void **state)
{
	char storage[16];
	struct buf b;

	(void)state;
	buf_init(&b, storage, sizeof(storage));
	assert_int_equal(buf_puts(&b, "abc"), 0);
	assert_int_equal(buf_put(&b, "x", SIZE_MAX), -ENOBUFS);
	assert_int_equal(buf_put(&b, "x", SIZE_MAX - 3), -ENOBUFS);
}

static void
str_copy_does_not_truncate(void **state)
{
	char dst[4] = "old";

	(void)state;
	assert_int_equal(str_copy(dst, sizeof(dst), "1234"), -ENOBUFS);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, sizeof(dst), "123"), 0);
	assert_string_equal(dst, "123");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lent_buffer_never_writes_past_its_end),
		cmocka_unit_test(heap_buffer_grows_to_its_maximum_and_no_further),
		cmocka_unit_test(printf_that_does_not_fit_appends_nothing),
		cmocka_unit_test(huge_length_is_refused_not_wrapped),
		cmocka_unit_test(str_copy_does_not_truncate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
