/*
 * test_capname.c - common/capname.h against the kernel's own header.
 */
#include "tests/unit/unit.h"

#include <linux/capability.h>
#include <stdlib.h>

#include "common/capname.h"

static void
names_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(capname_parse("CAP_CHOWN"), CAP_CHOWN);
	assert_int_equal(capname_parse("cap_net_bind_service"), CAP_NET_BIND_SERVICE);
	assert_int_equal(capname_parse("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	assert_int_equal(capname_parse("CAP_SETFCAP"), CAP_SETFCAP);
	assert_int_equal(capname_parse("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
	assert_non_null(capname_of(CAP_LAST_CAP));
	assert_null(capname_of(64));
}

static void
what_is_no_capability_is_refused(void **state)
{
	(void)state;
	assert_int_equal(capname_parse("CHOWN"), -EINVAL);
	assert_int_equal(capname_parse(""), -EINVAL);
	assert_int_equal(capname_parse("CAP_CHOWN "), -EINVAL);
}

static void
each_name_parses_to_its_number(void **state)
{
	(void)state;
	for (unsigned cap = 0; capname_of(cap); cap++)
		assert_int_equal(capname_parse(capname_of(cap)), cap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_kernels),
		cmocka_unit_test(what_is_no_capability_is_refused),
		cmocka_unit_test(each_name_parses_to_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
