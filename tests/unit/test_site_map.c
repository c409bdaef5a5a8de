/*
 * test_site_map.c - worker/site/map.h: hosts, routes, address rules.
 */
#include "tests/unit/unit.h"

#include "worker/site/map.h"

static char names_a_0[] = "example.org";
static char names_a_1[] = "*.example.org";
static char *names_a[] = { names_a_0, names_a_1 };
static char names_b_0[] = "b.example.org";
static char names_b_1[] = "*.com";
static char *names_b[] = { names_b_0, names_b_1 };
static char names_c_0[] = "C.NET";
static char names_c_1[] = "[::1]";
static char *names_c[] = { names_c_0, names_c_1 };

static struct route
prefix(const char *match)
{
	return (struct route){
		.kind = MATCH_PREFIX, .match = match, .match_len = strlen(match), .root = -EBADF
	};
}

static struct route
other(enum match_kind kind, const char *match)
{
	struct route r = prefix(match);

	r.kind = kind;
	return r;
}

static void
hosts_by_name_wildcard_or_default(void **state)
{
	static const struct {
		const char *host;
		int want;
	} cases[] = {
		{ "example.org", 0 },
		{ "EXAMPLE.Org", 0 },
		{ "example.org.", 0 },
		{ "a.example.org", 0 },
		{ "x.y.example.org", 0 },
		{ "b.example.org", 1 },
		{ "x.b.example.org", 0 },
		{ "any.com", 1 },
		{ "com", 2 },
		{ "c.net", 2 },
		{ "[::1]", 2 },
		{ "notexample.org", 2 },
		{ "", 2 },
		{ ".", 2 },
	};
	struct route route = prefix("/");
	struct vhost hosts[] = {
		{ .title = "a", .names = { 2, names_a }, .n_routes = 1, .routes = &route },
		{ .title = "b", .names = { 2, names_b }, .n_routes = 1, .routes = &route },
		{ .title = "c",
		    .names = { 2, names_c },
		    .n_routes = 1,
		    .routes = &route,
		    .is_default = true },
	};
	struct map m = { .n_hosts = 3, .hosts = hosts };

	(void)state;
	assert_int_equal(map_finish(&m, NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (map_host(&m, span_of(cases[i].host)) != &hosts[cases[i].want])
			fail_msg("%s", cases[i].host);
	pool_done(&m.pool);
}

static void
a_name_belongs_to_one_site(void **state)
{
	struct route route = prefix("/");
	struct vhost hosts[] = {
		{ .title = "a", .names = { 2, names_a }, .n_routes = 1, .routes = &route },
		{ .title = "b", .names = { 1, names_a }, .n_routes = 1, .routes = &route },
	};
	struct map m = { .n_hosts = 2, .hosts = hosts };
	struct why why;

	(void)state;
	assert_int_equal(map_finish(&m, &why), -EEXIST);
	assert_string_equal(why.text, "the name example.org belongs to site \"a\" and to \"b\": "
				      "File exists");
	pool_done(&m.pool);
}

static void
the_most_exact_route_wins(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/", "/" },
		{ "/x", "/" },
		{ "/static", "/static" },
		{ "/static/", "/static" },
		{ "/static/a", "/static" },
		{ "/staticx", "/" },
		{ "/static/img/a", "/static/img/" },
		{ "/static/img", "/static" },
		{ "/static/img/a.php", ".php" },
		{ "/a.php", ".php" },
		{ "/a.php/", "/" },
		{ "/index.php", "/index.php" },
	};
	struct route routes[] = { prefix("/static"), other(MATCH_SUFFIX, ".php"),
		prefix("/static/img/"), other(MATCH_EXACT, "/index.php"), prefix("/") };
	struct vhost host = { .title = "a", .n_routes = ELEMENTSOF(routes), .routes = routes };
	struct map m = { .n_hosts = 1, .hosts = &host };

	(void)state;
	assert_int_equal(map_finish(&m, NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const struct route *r = vhost_route(&host, span_of(cases[i].path));

		if (strcmp(r->match, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].path, r->match);
	}
	pool_done(&m.pool);
}

static void
v4(const char *d, uint8_t ret[16])
{
	struct net_rule r = { 0 };

	assert_int_equal(net_parse(d, &r), 0);
	memcpy(ret, r.addr, 16);
}

static void
the_first_rule_that_holds_decides(void **state)
{
	struct net_rule rules[] = { { .allow = false }, { .allow = true }, { .allow = true },
		{ .allow = false } };
	uint8_t addr[16];

	(void)state;
	assert_int_equal(net_parse("10.1.2.3", &rules[0]), 0);
	assert_int_equal(net_parse("10.0.0.0/9", &rules[1]), 0);
	assert_int_equal(net_parse("2001:db8::/33", &rules[2]), 0);
	assert_int_equal(net_parse("all", &rules[3]), 0);
	v4("10.1.2.3", addr);
	assert_false(net_allowed(rules, 4, addr));
	v4("10.1.2.4", addr);
	assert_true(net_allowed(rules, 4, addr));
	v4("10.128.0.1", addr);
	assert_false(net_allowed(rules, 4, addr));
	v4("2001:db8:7fff::1", addr);
	assert_true(net_allowed(rules, 4, addr));
	v4("2001:db8:8000::1", addr);
	assert_false(net_allowed(rules, 4, addr));
	assert_true(net_allowed(rules, 0, addr));
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = { "10.0.0.0/33", "10.0.0", "x", "::1/129", "/8",
			"10.0.0.0/" };

		if (net_parse(bad[i], &rules[0]) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_by_name_wildcard_or_default),
		cmocka_unit_test(a_name_belongs_to_one_site),
		cmocka_unit_test(the_most_exact_route_wins),
		cmocka_unit_test(the_first_rule_that_holds_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
