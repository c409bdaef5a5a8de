/*
 * test_notebook.c - launcher/manager/notebook.h: what a successor may believe.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "launcher/manager/notebook.h"

static int
notebook_file(uint32_t n)
{
	const int fd = memfd_create("notebook", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)n * HERITAGE_NOTEBOOK_UNIT_BYTES), 0);
	return fd;
}

static void
record_survives_its_writer(void **state)
{
	_cleanup_fd_ int fd = notebook_file(2);
	struct note in = { .state = 4, .n_restarts = 7, .status = "serving" }, out;
	struct notebook nb;

	(void)state;
	assert_int_equal(notebook_open(&nb, fd, 2, NULL), 0);
	assert_false(notebook_read(&nb, 1, &out)); /* a fresh one says nothing */
	notebook_write(&nb, 1, &in);
	in.n_restarts = 8;
	notebook_write(&nb, 1, &in);
	notebook_done(&nb);
	assert_int_equal(notebook_open(&nb, fd, 2, NULL), 0);
	assert_true(notebook_read(&nb, 1, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_false(notebook_read(&nb, 0, &out));
	assert_false(notebook_read(&nb, 2, &out));
	notebook_done(&nb);
}

/*
 * A kill in the middle of a write: every prefix of the second write, put over the first, must
 * read as the first or the second record, never as nothing and never as a mixture.
 */
static void
torn_write_leaves_the_old_record(void **state)
{
	_cleanup_fd_ int fd = notebook_file(1);
	static char before[HERITAGE_NOTEBOOK_UNIT_BYTES], after[HERITAGE_NOTEBOOK_UNIT_BYTES];
	struct note first = { .n_restarts = 1, .status = "first" };
	struct note second = { .n_restarts = 2, .since_usec = 99, .status = "second and longer" };
	struct notebook nb;
	unsigned old = 0;

	(void)state;
	assert_int_equal(notebook_open(&nb, fd, 1, NULL), 0);
	notebook_write(&nb, 0, &first);
	memcpy(before, nb.map, sizeof(before));
	notebook_write(&nb, 0, &second);
	memcpy(after, nb.map, sizeof(after));
	for (size_t cut = 0; cut <= sizeof(after); cut++) {
		struct note out;

		memcpy(nb.map, after, cut);
		memcpy(nb.map + cut, before + cut, sizeof(before) - cut);
		if (!notebook_read(&nb, 0, &out))
			fail_msg("nothing after %zu bytes", cut);
		if (memcmp(&out, &first, sizeof(out)) == 0)
			old++;
		else if (memcmp(&out, &second, sizeof(out)) != 0)
			fail_msg("a mixture after %zu bytes", cut);
	}
	assert_true(old > 0 && old < sizeof(after));
	notebook_done(&nb);
}

/* Any single byte changed in the only copy: not believed. */
static void
changed_byte_is_noticed(void **state)
{
	_cleanup_fd_ int fd = notebook_file(1);
	struct note in = { .n_restarts = 1, .status = "first" }, out;
	struct notebook nb;
	size_t used;

	(void)state;
	assert_int_equal(notebook_open(&nb, fd, 1, NULL), 0);
	notebook_write(&nb, 0, &in);
	used = 16 + sizeof(in); /* magic, turn, sum, note */
	for (size_t i = 0; i < used; i++) {
		nb.map[i] ^= 0x40;
		if (notebook_read(&nb, 0, &out))
			fail_msg("byte %zu", i);
		nb.map[i] ^= 0x40;
	}
	assert_true(notebook_read(&nb, 0, &out));
	notebook_done(&nb);
}

/* A descriptor that cannot be grown, nor mapped for writing. */
static void
no_file_is_no_memory(void **state)
{
	_cleanup_fd_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct note out;
	struct notebook nb;

	(void)state;
	assert_int_equal(notebook_open(&nb, fd, 3, NULL), -EBADMSG);
	notebook_write(&nb, 0, &(struct note){ 0 });
	assert_false(notebook_read(&nb, 0, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_survives_its_writer),
		cmocka_unit_test(torn_write_leaves_the_old_record),
		cmocka_unit_test(changed_byte_is_noticed),
		cmocka_unit_test(no_file_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
