/*
 * test_selfcheck.c - worker/selfcheck.h: every place where root could hide is looked at.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "worker/selfcheck.h"

static struct procstatus
nobody(void)
{
	struct procstatus s = { .uid = { 5, 5, 5, 5 }, .gid = { 6, 6, 6, 6 }, .n_groups = 1 };

	s.groups[0] = 6;
	s.cap_bounding = ~UINT64_C(0); /* harmless by itself */
	return s;
}

static void
refused(const struct procstatus *s, const char *text)
{
	struct why why = { "" };

	if (selfcheck_status(s, &why) != -EPERM)
		fail_msg("not refused: %s", text);
	if (!strstr(why.text, text))
		fail_msg("\"%s\" lacks \"%s\"", why.text, text);
}

static void
nobody_may_start(void **state)
{
	const struct procstatus s = nobody();

	(void)state;
	assert_int_equal(selfcheck_status(&s, NULL), 0);
}

static void
every_id_is_looked_at(void **state)
{
	static const char *const kinds[4] = { "real", "effective", "saved", "file system" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct procstatus s = nobody();
		char text[64];

		s.uid[i] = 0;
		(void)snprintf(text, sizeof(text), "the %s uid is 0", kinds[i]);
		refused(&s, text);
		s = nobody();
		s.gid[i] = 0;
		(void)snprintf(text, sizeof(text), "the %s gid is 0", kinds[i]);
		refused(&s, text);
		if (i == 0)
			continue;
		s = nobody();
		s.uid[i] = 9;
		(void)snprintf(text, sizeof(text), "the %s uid 9 differs", kinds[i]);
		refused(&s, text);
	}
}

static void
every_set_is_looked_at(void **state)
{
	struct procstatus s;

	(void)state;
	s = nobody();
	s.cap_permitted = 1;
	refused(&s, "permitted");
	s = nobody();
	s.cap_effective = 1;
	refused(&s, "effective");
	s = nobody();
	s.cap_inheritable = 1;
	refused(&s, "inheritable");
	s = nobody();
	s.cap_ambient = UINT64_C(1) << 40;
	refused(&s, "ambient capabilities 0x10000000000");
	s = nobody();
	s.n_groups = 2;
	s.groups[1] = 0;
	refused(&s, "supplementary");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_may_start),
		cmocka_unit_test(every_id_is_looked_at),
		cmocka_unit_test(every_set_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
