/*
 * test_condition.c - launcher/enter/condition.h against this machine, by way of real unit files.
 */
#include "tests/unit/units.h"

#include <sys/prctl.h>

#include "launcher/enter/condition.h"
#include "launcher/load/directive.h"

#define SERVICE "[Service]\nExecStart=/bin/true\n"

/* Conditions may be loaded whether the launcher acts on them yet or not. */
static void
allow_conditions(struct units *u)
{
	static const char *names[64];
	size_t n = 0;

	for (size_t i = 0; i < directive_count && n < ELEMENTSOF(names); i++)
		if (str_starts(directive_table[i].name, "Condition") ||
		    str_starts(directive_table[i].name, "Assert"))
			names[n++] = directive_table[i].name;
	u->options.unenforced = names;
	u->options.n_unenforced = n;
}

static void
condition_cases(void **state)
{
	static const struct {
		const char *label, *lines; /* @ is the folder */
		int want;
	} cases[] = {
		{ "none", "", CONDITIONS_MET },
		{ "there", "ConditionPathExists=@/f", CONDITIONS_MET },
		{ "not there", "ConditionPathExists=@/g", CONDITIONS_SKIP },
		{ "not there, as it should", "ConditionPathExists=!@/g", CONDITIONS_MET },
		{ "one of two is not so", "ConditionPathExists=@/f\nConditionPathExists=@/g",
		    CONDITIONS_SKIP },
		{ "one of two suffices", "ConditionPathExists=|@/g\nConditionPathExists=|@/f",
		    CONDITIONS_MET },
		{ "none of two", "ConditionPathExists=|@/g\nConditionPathExists=|!@/f",
		    CONDITIONS_SKIP },
		{ "reset", "ConditionPathExists=@/g\nConditionUser=", CONDITIONS_MET },
		{ "assertion", "AssertPathExists=@/g", CONDITIONS_FAIL },
		{ "assertion holds", "AssertPathExists=@/f", CONDITIONS_MET },
		{ "pattern", "ConditionPathExistsGlob=@/*.conf", CONDITIONS_MET },
		{ "pattern without a match", "ConditionPathExistsGlob=@/*.cfg", CONDITIONS_SKIP },
		{ "pattern does not match hidden files", "ConditionPathExistsGlob=@/*idden",
		    CONDITIONS_SKIP },
		{ "directory", "ConditionPathIsDirectory=@/d", CONDITIONS_MET },
		{ "file is no directory", "ConditionPathIsDirectory=@/f", CONDITIONS_SKIP },
		{ "link", "ConditionPathIsSymbolicLink=@/l", CONDITIONS_MET },
		{ "file is no link", "ConditionPathIsSymbolicLink=@/f", CONDITIONS_SKIP },
		{ "directory with something in it", "ConditionDirectoryNotEmpty=@",
		    CONDITIONS_MET },
		{ "empty directory", "ConditionDirectoryNotEmpty=@/d", CONDITIONS_SKIP },
		{ "file with something in it", "ConditionFileNotEmpty=@/f", CONDITIONS_MET },
		{ "empty file", "ConditionFileNotEmpty=@/e", CONDITIONS_SKIP },
		{ "program", "ConditionFileIsExecutable=/bin/sh", CONDITIONS_MET },
		{ "no program", "ConditionFileIsExecutable=@/f", CONDITIONS_SKIP },
		{ "writable", "ConditionPathIsReadWrite=@", CONDITIONS_MET },
		{ "read-only", "ConditionPathIsReadWrite=/sallyport-none", CONDITIONS_SKIP },
		{ "unknown word for the kernel", "ConditionKernelCommandLine=sallyport.none",
		    CONDITIONS_SKIP },
		{ "no such container", "ConditionVirtualization=sallyport", CONDITIONS_SKIP },
		{ "no such module", "ConditionSecurity=sallyport", CONDITIONS_SKIP },
	};
	struct units u;
	char path[128];

	(void)state;
	units_init(&u);
	allow_conditions(&u);
	units_write(&u, "f", "x");
	units_write(&u, "e", "");
	units_write(&u, "a.conf", "");
	units_write(&u, ".hidden", "");
	units_write(&u, "d/x", "");
	(void)snprintf(path, sizeof(path), "%s/d/x", u.dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/l", u.dir);
	assert_int_equal(symlink("f", path), 0);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char text[1024];
		struct buf b;
		int got;

		buf_init(&b, text, sizeof(text));
		(void)buf_puts(&b, "[Unit]\n");
		for (const char *p = cases[i].lines; *p; p++)
			if (*p == '@')
				(void)buf_puts(&b, u.dir);
			else
				(void)buf_putc(&b, *p);
		(void)buf_puts(&b, "\n" SERVICE);
		units_write(&u, "x.service", text);
		if (units_load_one(&u, "x.service") < 0)
			fail_msg("%s: %s", cases[i].label, u.diag.items[0].text);
		got = unit_conditions_met(u.plan, plan_unit(u.plan, 0));
		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].label, got);
	}
	units_done(&u);
}

static void
who_and_what_we_are(void **state)
{
	struct units u;
	char text[256];

	(void)state;
	units_init(&u);
	allow_conditions(&u);
	(void)snprintf(text, sizeof(text),
	    "[Unit]\nConditionUser=%u\nConditionCapability=%sCAP_CHOWN\n"
	    "ConditionVirtualization=|yes\nConditionVirtualization=|no\n"
	    "ConditionHost=*\nConditionGroup=%u\n" SERVICE,
	    geteuid(), prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 1 ? "" : "!", getegid());
	units_write(&u, "x.service", text);
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_int_equal(unit_conditions_met(u.plan, plan_unit(u.plan, 0)), CONDITIONS_MET);
	(void)snprintf(text, sizeof(text), "[Unit]\nConditionUser=!%u\n" SERVICE, geteuid());
	units_write(&u, "x.service", text);
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_int_equal(unit_conditions_met(u.plan, plan_unit(u.plan, 0)), CONDITIONS_SKIP);
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(condition_cases),
		cmocka_unit_test(who_and_what_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
