/*
 * test_site_file.c - worker/site: the cache against a directory that changes, MIME types, and
 * opening beneath a root.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>

#include "worker/site/beneath.h"
#include "worker/site/file.h"
#include "worker/site/mime.h"

struct fixture {
	char dir[64];
	int root;
};

static int
setup(void **state)
{
	static struct fixture f;

	if (str_copy(f.dir, sizeof(f.dir), "/tmp/sp-test-file-XXXXXX") < 0)
		return -1;
	if (!mkdtemp(f.dir))
		return -1;
	f.root = beneath_root(f.dir);
	*state = &f;
	return f.root < 0 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	fd_closep(&f->root);
	return nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
write_file(const struct fixture *f, const char *name, const char *text, size_t len)
{
	char path[256];
	_cleanup_fd_ int fd = -EBADF;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
}

static int
get(struct filecache *c, const struct fixture *f, const char *path, int64_t now, struct file **ret)
{
	const struct file_root root = { f->root, 1, NULL };

	return filecache_get(c, &root, span_of(path), now, ret);
}

static void
a_small_file_is_kept_in_memory_and_looked_at_each_second(void **state)
{
	const struct fixture *f = *state;
	struct filecache *c;
	struct file *first, *again, *changed;

	assert_int_equal(filecache_new(10, 1 << 20, &c), 0);
	write_file(f, "a.txt", "hello", 5);
	assert_int_equal(get(c, f, "/a.txt", 1, &first), 0);
	assert_int_equal(first->size, 5);
	assert_memory_equal(first->body, "hello", 5);
	assert_int_equal(first->fd, -EBADF);
	write_file(f, "a.txt", "changed", 7);
	assert_int_equal(get(c, f, "/a.txt", 1, &again), 0);
	assert_ptr_equal(again, first); /* same second: not looked at */
	assert_int_equal(get(c, f, "/a.txt", 2, &changed), 0);
	assert_ptr_not_equal(changed, first);
	assert_memory_equal(changed->body, "changed", 7);
	assert_memory_equal(first->body, "hello", 5); /* who holds the old one keeps it whole */
	file_unref(first);
	file_unref(again);
	assert_int_equal(get(c, f, "/a.txt", 3, &again), 0);
	assert_ptr_equal(again, changed);
	file_unref(again);
	file_unref(changed);
	assert_int_equal(filecache_stats(c).files, 1);
	filecache_free(c);
}

static void
the_end_of_the_head_and_the_body_stand_behind_the_block(void **state)
{
	static const char end[] = "Content-Length: 5\r\n\r\n";
	const struct fixture *f = *state;
	struct filecache *c;
	struct file *x;

	assert_int_equal(filecache_new(10, 1 << 20, &c), 0);
	write_file(f, "end.txt", "hello", 5);
	assert_int_equal(get(c, f, "/end.txt", 1, &x), 0);
	assert_int_equal(x->block_end, sizeof(end) - 1);
	assert_memory_equal(x->block.ptr + x->block.len, end, sizeof(end) - 1);
	assert_ptr_equal(x->body, x->block.ptr + x->block.len + x->block_end);
	file_unref(x);
	filecache_free(c);
}

static void
a_removed_file_is_gone_a_second_later(void **state)
{
	const struct fixture *f = *state;
	struct filecache *c;
	struct file *x;

	assert_int_equal(filecache_new(10, 1 << 20, &c), 0);
	write_file(f, "gone.txt", "x", 1);
	assert_int_equal(get(c, f, "/gone.txt", 1, &x), 0);
	file_unref(x);
	assert_int_equal(unlinkat(f->root, "gone.txt", 0), 0);
	assert_int_equal(get(c, f, "/gone.txt", 2, &x), -ENOENT);
	assert_int_equal(filecache_stats(c).files, 0);
	filecache_free(c);
}

static void
a_large_file_keeps_its_descriptor(void **state)
{
	const struct fixture *f = *state;
	static const char big[FILE_BODY_MAX + 1];
	struct filecache *c;
	struct file *x;

	assert_int_equal(filecache_new(10, 1 << 20, &c), 0);
	write_file(f, "big.bin", big, sizeof(big));
	write_file(f, "edge.bin", big, FILE_BODY_MAX);
	assert_int_equal(get(c, f, "/big.bin", 1, &x), 0);
	assert_null(x->body);
	assert_true(x->fd >= 0);
	file_unref(x);
	assert_int_equal(get(c, f, "/edge.bin", 1, &x), 0);
	assert_non_null(x->body);
	assert_true(x->fd < 0);
	file_unref(x);
	filecache_free(c);
}

static void
the_least_used_goes_first_and_bounds_hold(void **state)
{
	const struct fixture *f = *state;
	struct filecache *c;
	struct file *x;
	char name[16];

	assert_int_equal(filecache_new(3, 1 << 20, &c), 0);
	for (int i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		write_file(f, name, name, strlen(name));
		(void)snprintf(name, sizeof(name), "/%d", i);
		assert_int_equal(get(c, f, name, 1, &x), 0);
		file_unref(x);
		/* Keep "/0" fresh. */
		assert_int_equal(get(c, f, "/0", 1, &x), 0);
		file_unref(x);
	}
	/* The last was one too many, and nobody has asked for it twice. */
	assert_int_equal(filecache_stats(c).files, 3);
	assert_int_equal(filecache_stats(c).evictions, 0);
	assert_int_equal(filecache_stats(c).hits, 4);
	assert_int_equal(get(c, f, "/3", 1, &x), 0);
	assert_true(file_is_kept(x));
	file_unref(x);
	assert_int_equal(filecache_stats(c).files, 3);
	assert_int_equal(filecache_stats(c).evictions, 1);
	assert_int_equal(get(c, f, "/1", 1, &x), 0);
	assert_false(file_is_kept(x)); /* it was the least used */
	file_unref(x);
	filecache_free(c);
	assert_int_equal(filecache_new(0, 1 << 20, &c), 0);
	assert_int_equal(get(c, f, "/0", 1, &x), 0);
	assert_int_equal(x->refs, 1);
	file_unref(x);
	assert_int_equal(filecache_stats(c).files, 0);
	filecache_free(c);
}

static void
the_kernel_refuses_what_leads_out(void **state)
{
	const struct fixture *f = *state;
	_cleanup_fd_ int dir = open(f->dir, O_PATH | O_CLOEXEC);
	int fd;

	assert_int_equal(symlinkat("/etc/passwd", dir, "abs"), 0);
	assert_int_equal(symlinkat("../", dir, "up"), 0);
	assert_int_equal(symlinkat("loop", dir, "loop"), 0);
	assert_int_equal(beneath_open(f->root, "/../"), -EXDEV);
	assert_int_equal(beneath_open(f->root, "/abs"), -EXDEV);
	assert_int_equal(beneath_open(f->root, "/up/"), -EXDEV);
	assert_int_equal(beneath_open(f->root, "/loop"), -ELOOP);
	assert_int_equal(beneath_open(f->root, "/none"), -ENOENT);
	fd = beneath_open(f->root, "////");
	assert_true(fd >= 0);
	fd_closep(&fd);
}

static void
types_follow_the_last_suffix(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/a.html", "text/html; charset=utf-8" },
		{ "/a.HTML", "text/html; charset=utf-8" },
		{ "/a.tar.gz", "application/gzip" },
		{ "/a.7z", "application/x-7z-compressed" },
		{ "/a.zst", "application/zstd" },
		{ "/html", "application/octet-stream" },
		{ "/a.b/html", "application/octet-stream" },
		{ "/a.", "application/octet-stream" },
		{ "/a.unknownsuffixofgreatlength", "application/octet-stream" },
		{ "/", "application/octet-stream" },
		{ "", "application/octet-stream" },
		{ "/.html", "text/html; charset=utf-8" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (strcmp(mime_of(span_of(cases[i].path)), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].path, mime_of(span_of(cases[i].path)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_file_is_kept_in_memory_and_looked_at_each_second),
		cmocka_unit_test(the_end_of_the_head_and_the_body_stand_behind_the_block),
		cmocka_unit_test(a_removed_file_is_gone_a_second_later),
		cmocka_unit_test(a_large_file_keeps_its_descriptor),
		cmocka_unit_test(the_least_used_goes_first_and_bounds_hold),
		cmocka_unit_test(the_kernel_refuses_what_leads_out),
		cmocka_unit_test(types_follow_the_last_suffix),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
