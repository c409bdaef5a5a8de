/*
 * test_name.c - launcher/unit/name.h and specifier.h: unit names and what is made from them.
 */
#include "tests/unit/unit.h"

#include "launcher/load/expand.h"
#include "launcher/unit/name.h"
#include "launcher/unit/specifier.h"

static void
names_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *prefix, *instance;
		bool template, instantiated;
		enum unit_kind kind;
	} cases[] = {
		{ "web.socket", "web", "", false, false, UNIT_SOCKET },
		{ "a-b.c.service", "a-b.c", "", false, false, UNIT_SERVICE },
		{ "echo@.service", "echo", "", true, false, UNIT_SERVICE },
		{ "echo@1-2:3.service", "echo", "1-2:3", false, true, UNIT_SERVICE },
		{ "a@b@c.service", "a", "b@c", false, true, UNIT_SERVICE },
		{ "dev-sda\\x2d1.mount", "dev-sda\\x2d1", "", false, false, UNIT_KIND_END },
		{ "network.target", "network", "", false, false, UNIT_KIND_END },
	};
	struct unit_name n;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		assert_int_equal(unit_name_parse(cases[i].text, &n), 0);
		assert_true(span_equal(unit_name_prefix(&n), cases[i].prefix));
		assert_true(span_equal(unit_name_instance(&n), cases[i].instance));
		assert_int_equal(unit_name_is_template(&n), cases[i].template);
		assert_int_equal(unit_name_is_instance(&n), cases[i].instantiated);
		assert_int_equal(n.kind, cases[i].kind);
	}
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const cases[] = { "", ".service", "web", "web.", "web.conf", "@.service",
		"@x.service", "a b.service", "a/b.service", "\xc3\xa4.service" };
	char longest[300];
	struct unit_name n;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (unit_name_parse(cases[i], &n) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i]);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + 247, ".service", 9);
	assert_int_equal(unit_name_parse(longest, &n), 0);
	longest[247] = 'a';
	memcpy(longest + 248, ".service", 9);
	assert_int_equal(unit_name_parse(longest, &n), -EINVAL);
}

static void
names_are_put_together(void **state)
{
	struct unit_name n;

	(void)state;
	assert_int_equal(unit_name_make(span_of("a"), span_of("b"), "service", &n), 0);
	assert_string_equal(n.id, "a@b.service");
	assert_int_equal(unit_name_make(span_of("a"), (struct span){ 0 }, "socket", &n), 0);
	assert_string_equal(n.id, "a.socket");
	assert_int_equal(unit_name_make(span_of(""), span_of("b"), "service", &n), -EINVAL);
}

/* Expands for a unit of this name. */
static const char *
expand(const char *id, const char *text)
{
	static char out[512];
	struct unit_name n;
	const struct specifier_of of = { &n, "/etc/systemd/system/f.service" };
	struct buf b;
	struct why why;

	assert_int_equal(unit_name_parse(id, &n), 0);
	buf_init(&b, out, sizeof(out));
	assert_int_equal(specifier_static(text, &of, &b, &why), 0);
	return out;
}

static void
specifiers_of_a_unit(void **state)
{
	(void)state;
	assert_string_equal(expand("a-b@c-d.service", "%n|%N|%p|%i|%I|%j|%J|%f|%P"),
	    "a-b@c-d.service|a-b@c-d|a-b|c-d|c/d|b|b|/c/d|a/b");
	assert_string_equal(expand("x.service", "%i|%f|%j"), "|/x|x");
	assert_string_equal(expand("a@b\\x2dc.service", "%i|%I"), "b\\x2dc|b-c");
	assert_string_equal(expand("x.service", "%t %S %C %L %E %T %V"),
	    "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp");
	assert_string_equal(expand("x.service", "100%% %! %"), "100% %! %");
	assert_string_equal(
	    expand("x.service", "%y %Y"), "/etc/systemd/system/f.service /etc/systemd/system");
	if (geteuid() == 0)
		assert_string_equal(expand("x.service", "%u %U %g %G %h"), "root 0 root 0 /root");
	assert_string_not_equal(expand("x.service", "%H"), "");
	assert_string_not_equal(expand("x.service", "%v"), "");
}

static void
template_keeps_what_depends_on_its_instance(void **state)
{
	char out[256];
	struct unit_name n;
	struct buf b;

	(void)state;
	assert_string_equal(expand("a@.service", "%p %i %I %n %% %t"), "a %i %I %n %% /run");
	assert_int_equal(unit_name_parse("a@b-c.service", &n), 0);
	buf_init(&b, out, sizeof(out));
	assert_int_equal(specifier_expand("a %i %I %n %% /run %z %", &n, &b), 0);
	assert_string_equal(out, "a b-c b/c a@b-c.service % /run %z %");
	buf_init(&b, out, 4);
	assert_int_equal(specifier_expand("%n", &n, &b), -ENOBUFS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(names_are_put_together),
		cmocka_unit_test(specifiers_of_a_unit),
		cmocka_unit_test(template_keeps_what_depends_on_its_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
