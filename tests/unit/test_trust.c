/*
 * test_trust.c - launcher/load/trust.h: whose files are believed.
 */
#include "tests/unit/units.h"

#include "launcher/load/trust.h"

static struct trust_file found;
static struct why why;

/* Opens DIR/NAME; closes what was opened. */
static int
look(const struct units *u, const char *name, bool directory)
{
	char path[512];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	why.text[0] = '\0';
	r = trust_open(path, directory, &found, &why);
	if (r >= 0)
		fd_closep(&found.fd);
	return r;
}

static void
change(const struct units *u, const char *name, mode_t mode, uid_t uid)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	if (uid != 0)
		assert_int_equal(lchown(path, uid, (gid_t)-1), 0);
	if (mode != 0)
		assert_int_equal(chmod(path, mode), 0);
}

static void
mode_of_each_component_counts(void **state)
{
	static const struct {
		const char *label, *name;
		mode_t mode, back;
	} cases[] = {
		{ "file, everybody", "d/e/f", 0646, 0644 },
		{ "file, group", "d/e/f", 0664, 0644 },
		{ "folder, everybody", "d/e", 0757, 0755 },
		{ "folder, group", "d/e", 0775, 0755 },
		{ "folder above, everybody", "d", 0757, 0755 },
	};
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "d/e/f", "x");
	assert_int_equal(look(&u, "d/e/f", false), TRUST_OK);
	assert_int_equal(look(&u, "d/e", true), TRUST_OK);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		change(&u, cases[i].name, cases[i].mode, 0);
		if (look(&u, "d/e/f", false) != -EPERM)
			fail_msg("%s: was believed", cases[i].label);
		if (!strstr(why.text, cases[i].name) || !strstr(why.text, "writable"))
			fail_msg("%s: %s", cases[i].label, why.text);
		change(&u, cases[i].name, cases[i].back, 0);
	}
	change(&u, "d", 0757, 0);
	assert_int_equal(look(&u, "d/e/none", false), -ENOENT); /* nothing there to doubt */
	units_done(&u);
}

static void
owner_of_each_component_counts(void **state)
{
	static const char *const names[] = { "d/e/f", "d/e", "d", "link" };
	struct units u;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ELEMENTSOF(names); i++) {
		char target[128], path[128];

		units_init(&u);
		units_write(&u, "d/e/f", "x");
		(void)snprintf(target, sizeof(target), "%s/d", u.dir);
		(void)snprintf(path, sizeof(path), "%s/link", u.dir);
		assert_int_equal(symlink(target, path), 0);
		assert_int_equal(look(&u, "link/e/f", false), TRUST_OK);
		assert_true(str_ends(found.real, "/d/e/f"));
		change(&u, names[i], 0, 65534);
		if (look(&u, "link/e/f", false) != -EPERM || !strstr(why.text, "owned by"))
			fail_msg("%s: %s", names[i], why.text);
		units_done(&u);
	}
}

static void
sticky_folder_of_roots_is_believed_but_not_what_others_put_there(void **state)
{
	struct units u;

	(void)state;
	if (geteuid() != 0)
		skip();
	units_init(&u);
	units_write(&u, "tmp/mine", "x");
	units_write(&u, "tmp/theirs", "x");
	change(&u, "tmp", 01777, 0);
	change(&u, "tmp/theirs", 0644, 65534);
	assert_int_equal(look(&u, "tmp/mine", false), TRUST_OK);
	assert_int_equal(look(&u, "tmp/theirs", false), -EPERM);
	change(&u, "tmp", 01777, 65534);
	assert_int_equal(look(&u, "tmp/mine", false), -EPERM);
	units_done(&u);
}

static void
odd_files(void **state)
{
	struct units u;
	char path[128];

	(void)state;
	units_init(&u);
	units_write(&u, "f", "x");
	units_write(&u, "empty", "");
	(void)snprintf(path, sizeof(path), "%s/null", u.dir);
	assert_int_equal(symlink("/dev/null", path), 0);
	(void)snprintf(path, sizeof(path), "%s/loop", u.dir);
	assert_int_equal(symlink("loop", path), 0);
	(void)snprintf(path, sizeof(path), "%s/up", u.dir);
	assert_int_equal(symlink("../../..//./f", path), 0);
	(void)snprintf(path, sizeof(path), "%s/fifo", u.dir);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(look(&u, "null", false), TRUST_MASK);
	assert_int_equal(look(&u, "empty", false), TRUST_MASK);
	assert_int_equal(look(&u, "loop", false), -ELOOP);
	assert_int_equal(look(&u, "up", false), -ENOENT); /* "/f": ".." stops at the root */
	assert_int_equal(look(&u, "fifo", false), -ENXIO);
	assert_int_equal(look(&u, "f/x", false), -ENOENT);
	assert_int_equal(look(&u, "f", true), -ENOENT);
	assert_int_equal(look(&u, ".", false), -EISDIR);
	assert_int_equal(look(&u, "./../../tmp/.", true), TRUST_OK);
	assert_string_equal(found.real, "/tmp");
	assert_int_equal(chdir(u.dir), 0);
	assert_int_equal(trust_open("f", false, &found, &why), TRUST_OK);
	assert_true(str_starts(found.real, "/") && str_ends(found.real, "/f"));
	fd_closep(&found.fd);
	assert_int_equal(chdir("/"), 0);
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mode_of_each_component_counts),
		cmocka_unit_test(owner_of_each_component_counts),
		cmocka_unit_test(sticky_folder_of_roots_is_believed_but_not_what_others_put_there),
		cmocka_unit_test(odd_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
