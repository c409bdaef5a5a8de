/*
 * test_specifier.c - launcher/load/expand.h and launcher/unit/specifier.h: "%i" and the like.
 */
#include "tests/unit/unit.h"

#include "launcher/load/expand.h"
#include "launcher/unit/specifier.h"

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
		cmocka_unit_test(specifiers_of_a_unit),
		cmocka_unit_test(template_keeps_what_depends_on_its_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
