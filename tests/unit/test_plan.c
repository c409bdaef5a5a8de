/*
 * test_plan.c - launcher/load/build.h and launcher/unit/plan.h: a plan is sealed for good, and what
 *               is no plan is not mapped.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "launcher/load/build.h"

static struct why why;

/* A sealed plan of two units. */
static int
make_plan(void)
{
	struct build b;
	struct plan_unit *u;
	int fd = -EBADF;

	assert_int_equal(build_init(&b, &why), 0);
	u = build_unit(&b, UNIT_SERVICE, "a.service");
	assert_non_null(u);
	build_append_word(&b, &u->exec.environment, "A=1");
	build_append_word(&b, &u->exec.environment, "");
	assert_non_null(build_unit(&b, UNIT_SOCKET, "b.socket"));
	assert_int_equal(build_freeze(&b, &fd, &why), 0);
	build_done(&b);
	return fd;
}

static void
what_was_written_is_read(void **state)
{
	const int fd = make_plan();
	const struct plan *p;
	const struct plan_unit *u;
	uint32_t n = 0;

	(void)state;
	assert_int_equal(plan_map(fd, &p, &why), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(p->n_units, 2);
	u = plan_find(p, "a.service");
	assert_non_null(u);
	assert_int_equal(u->index, 0);
	PLAN_FOREACH (p, u->exec.environment, struct plan_word, w)
		assert_string_equal(plan_str(p, w->text), n++ == 0 ? "A=1" : "");
	assert_int_equal(n, 2);
	assert_null(plan_find(p, "c.service"));
	assert_null(plan_unit(p, 2));
	assert_null(plan_listen(p, 0));
	assert_string_equal(plan_unit_id(p, 1), "b.socket");
	assert_string_equal(plan_unit_id(p, 99), "?");
	plan_unmap(p);
}

static void
sealed_plan_cannot_be_changed(void **state)
{
	const int fd = make_plan();

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(close(fd), 0);
}

static void
what_is_no_plan_is_not_mapped(void **state)
{
	static const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	const struct plan *p = NULL;
	char *bytes = calloc(1, sizeof(struct plan));
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(plan_map(fd, &p, &why), -EBADMSG); /* not sealed */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	assert_int_equal(plan_map(fd, &p, &why), -EBADMSG); /* empty */
	assert_int_equal(close(fd), 0);
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, bytes, sizeof(struct plan)), sizeof(struct plan));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	assert_int_equal(plan_map(fd, &p, &why), -EBADMSG); /* no magic */
	assert_int_equal(close(fd), 0);
	assert_null(p);
	free(bytes);
}

static void
too_much_sticks_and_is_told(void **state)
{
	struct build b;
	struct ref r;
	int fd = -EBADF;

	(void)state;
	assert_int_equal(build_init(&b, &why), 0);
	for (uint32_t i = 0; i < PLAN_BYTES_MAX / 65536 + 2; i++)
		memset(build_alloc(&b, 65536, &r), 'x', 65536); /* always writable */
	assert_true(b.full);
	assert_int_equal(r.off, 0);
	assert_null(build_unit(&b, UNIT_SOCKET, "a.socket"));
	assert_int_equal(build_freeze(&b, &fd, &why), -ENOSPC);
	build_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(sealed_plan_cannot_be_changed),
		cmocka_unit_test(what_is_no_plan_is_not_mapped),
		cmocka_unit_test(too_much_sticks_and_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
