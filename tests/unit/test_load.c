/*
 * test_load.c - launcher/load/load.h: unit files in, a frozen plan or named findings out.
 */
#include "tests/unit/units.h"

#include <netinet/in.h>

#include "common/clock.h"

static void
socket_brings_its_service_and_comes_before_it(void **state)
{
	struct units u;
	const struct plan_unit *s, *d;

	(void)state;
	units_init(&u);
	units_write(&u, "web.socket",
	    "[Socket]\nListenStream=21001\nListenStream=/run/web.sock\nSocketMode=660\n");
	units_write(&u, "web.service", "[Service]\nExecStart=/bin/true\nType=notify\n");
	assert_int_equal(units_load_one(&u, "web.socket"), 0);
	assert_int_equal(u.plan->n_units, 2);
	assert_int_equal(u.plan->n_listens, 2);
	s = plan_unit(u.plan, 0);
	d = plan_unit(u.plan, 1);
	assert_string_equal(plan_str(u.plan, s->id), "web.socket");
	assert_string_equal(plan_str(u.plan, d->id), "web.service");
	assert_true(s->wanted);
	assert_false(d->wanted);
	assert_int_equal(s->socket.service, 1);
	assert_int_equal(s->socket.mode, 0660);
	assert_string_equal(plan_str(u.plan, s->socket.fd_name), "web.socket");
	assert_string_equal(plan_str(u.plan, plan_listen(u.plan, 1)->text), "/run/web.sock");
	assert_int_equal(plan_listen(u.plan, 1)->unit, 0);
	assert_int_equal(d->service.type, SERVICE_NOTIFY);
	assert_int_equal(d->service.notify_access, NOTIFY_ACCESS_MAIN);
	assert_int_equal(d->service.timeout_start_usec, 90 * USEC_PER_SEC);
	assert_int_equal(d->service.sockets.n, 1);
	units_done(&u);
}

static void
several_sockets_of_one_service_come_in_the_order_given(void **state)
{
	const char *const names[] = { "b.socket", "a.socket" };
	static const char *const want[] = { "b.socket", "a.socket", "both.service" };
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "a.socket", "[Socket]\nListenStream=21002\nService=both.service\n");
	units_write(&u, "b.socket", "[Socket]\nListenStream=21003\nService=both.service\n");
	units_write(&u, "both.service", "[Service]\nExecStart=/bin/true\n");
	assert_int_equal(units_load(&u, names, 2), 0);
	assert_int_equal(u.plan->n_units, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_string_equal(plan_unit_id(u.plan, i), want[i]);
	assert_int_equal(plan_unit(u.plan, 2)->service.sockets.n, 2);
	units_done(&u);
}

static void
named_service_gets_the_socket_of_its_name(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "web.socket", "[Socket]\nListenStream=21001\n");
	units_write(&u, "web.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "lone.service", "[Service]\nExecStart=/bin/true\n");
	assert_int_equal(units_load_one(&u, "web.service"), 0);
	assert_string_equal(plan_unit_id(u.plan, 0), "web.socket");
	assert_true(plan_unit(u.plan, 1)->wanted);
	assert_int_equal(units_load_one(&u, "lone.service"), 0);
	assert_int_equal(u.plan->n_units, 1);
	units_done(&u);
}

/* What must not start, and the words that say why. */
static void
refused_units(void **state)
{
	static const struct {
		const char *label, *file, *text, *directive, *says;
		uint32_t line;
	} cases[] = {
		{ "unknown directive", "x.service", "[Service]\nExecStart=/bin/true\nFooBar=1\n",
		    "Service.FooBar", "not known", 3 },
		{ "directive of another section", "x.service",
		    "[Service]\nExecStart=/bin/true\nBacklog=1\n", "Service.Backlog", "[Socket]",
		    3 },
		{ "section of another type", "x.service",
		    "[Service]\nExecStart=/bin/true\n[Socket]\nListenStream=1\n", "Socket",
		    "section", 3 },
		{ "no ExecStart", "x.service", "[Service]\nType=exec\n", "Service.ExecStart",
		    "missing", 0 },
		{ "two ExecStart", "x.service",
		    "[Service]\nExecStart=/bin/true\nExecStart=/bin/false\n", "Service.ExecStart",
		    "one command", 3 },
		{ "no such user", "x.service",
		    "[Service]\nExecStart=/bin/true\nUser=no-such-user\n", "Service.User",
		    "no-such-user", 3 },
		{ "bad value of a strict directive", "x.service",
		    "[Service]\nExecStart=/bin/true\nNoNewPrivileges=perhaps\n",
		    "Service.NoNewPrivileges", "boolean", 3 },
		{ "line without '='", "x.service", "[Service]\nExecStart=/bin/true\nPrivateTmp\n",
		    NULL, "'='", 3 },
		{ "line before any section", "x.service",
		    "User=root\n[Service]\nExecStart=/bin/true\n", "User", "before any section",
		    1 },
		{ "socket without Listen", "x.socket", "[Socket]\nBacklog=1\n", NULL, "Listen", 0 },
		{ "address without port", "x.socket", "[Socket]\nListenStream=127.0.0.1\n",
		    "Socket.ListenStream", "port", 2 },
	};
	struct units u;

	(void)state;
	units_init(&u);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const struct diag_item *item;

		units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
		units_write(&u, cases[i].file, cases[i].text);
		if (units_load_one(&u, cases[i].file) != -EINVAL)
			fail_msg("%s: loaded", cases[i].label);
		item = units_finding(&u, DIAG_ERROR, cases[i].directive, cases[i].says);
		if (!item)
			item = units_finding(&u, DIAG_REFUSED, cases[i].directive, cases[i].says);
		if (!item || item->line != cases[i].line)
			fail_msg("%s: %s, line %u", cases[i].label,
			    item ? item->text : "no finding", item ? item->line : 0);
	}
	units_done(&u);
}

static void
sloppy_value_of_a_harmless_directive_only_warns(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "x.socket",
	    "[Socket]\nListenStream=21001\nBacklog=many\nX-Mine=1\n[X-Other]\n"
	    "Anything=goes\n");
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
	assert_int_equal(units_load_one(&u, "x.socket"), 0);
	assert_non_null(units_finding(&u, DIAG_WARNING, "Socket.Backlog", "ignored"));
	assert_int_equal(plan_unit(u.plan, 0)->socket.backlog, UINT32_MAX);
	units_done(&u);
}

static void
root_service_needs_permission(void **state)
{
	const struct diag_item *item;
	struct units u;

	(void)state;
	if (geteuid() != 0)
		skip();
	units_init(&u);
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "y.service", "[Service]\nExecStart=/bin/true\nUser=0\n");
	units_write(&u, "z.service", "[Service]\nExecStart=/bin/true\nUser=nobody\n");
	u.options.allow_root_services = false;
	assert_int_equal(units_load_one(&u, "x.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_REFUSED, "Service.User", "--allow-root-services"));
	assert_int_equal(units_load_one(&u, "y.service"), -EINVAL);
	assert_int_equal(units_load_one(&u, "z.service"), 0);
	assert_true(plan_unit(u.plan, 0)->exec.no_new_privs);
	assert_int_equal(plan_unit(u.plan, 0)->exec.cap_bounding, 0);
	assert_non_null(units_finding(&u, DIAG_DEFAULT, "Service.NoNewPrivileges", "not root"));
	units_write(&u, "z.service",
	    "[Service]\nExecStart=/bin/true\nUser=nobody\nExecStartPre=+/bin/true\n");
	assert_int_equal(units_load_one(&u, "z.service"), -EINVAL);
	item = units_finding(&u, DIAG_REFUSED, "Service.Exec", "by \"+\"");
	assert_non_null(item);
	assert_int_equal(item->line, 4);
	units_write(&u, "z.service", "[Service]\nExecStart=/bin/true\nUser=nobody\n");
	units_write(&u, "z.service.d/g.conf", "[Service]\nGroup=0\n");
	assert_int_equal(units_load_one(&u, "z.service"), -EINVAL);
	item = units_finding(&u, DIAG_REFUSED, "Service.Group", "root's group");
	assert_non_null(item);
	assert_true(str_ends(item->file, "z.service.d/g.conf"));
	units_write(&u, "z.service.d/g.conf", "[Unit]\n");
	u.options.manager_user = "nobody";
	assert_int_equal(units_load_one(&u, "z.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, "Service.User", "manager"));
	u.options.allow_root_services = true;
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_false(plan_unit(u.plan, 0)->exec.no_new_privs);
	assert_int_equal(plan_unit(u.plan, 0)->exec.cap_bounding, UINT64_MAX);
	units_done(&u);
}

static void
refusal_is_accepted_by_name_or_taken_back(void **state)
{
	const char *accept = "PrivateTmp";
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
	assert_int_equal(units_load_one(&u, "x.service"), -EINVAL);
	u.options.unenforced = &accept;
	u.options.n_unenforced = 1;
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_non_null(units_finding(&u, DIAG_NOTED, "Service.PrivateTmp", "--unenforced"));
	units_write(
	    &u, "x.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\nPrivateTmp=no\n");
	u.options.n_unenforced = 0;
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_non_null(units_finding(&u, DIAG_NOTED, "Service.PrivateTmp", "taken back"));
	units_done(&u);
}

/* The units of the plan as one text. */
static const char *
plan_ids(const struct units *u)
{
	static char text[512];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	for (uint32_t i = 0; i < u->plan->n_units; i++)
		(void)buf_printf(&b, "%s ", plan_unit_id(u->plan, i));
	return text;
}

static bool
depends(const struct units *u, const char *id, enum dependency kind, const char *on)
{
	PLAN_FOREACH (u->plan, plan_find(u->plan, id)->dependencies[kind], struct plan_index, i)
		if (strcmp(plan_unit_id(u->plan, i->index), on) == 0)
			return true;
	return false;
}

static void
what_is_needed_is_pulled_in_and_what_is_only_wanted_may_fail(void **state)
{
	const char *accept[] = { "Requires", "Wants", "BindsTo", "PartOf", "Conflicts" };
	struct units u;

	(void)state;
	units_init(&u);
	u.options.unenforced = accept;
	u.options.n_unenforced = ELEMENTSOF(accept);
	units_write(&u, "a.service",
	    "[Unit]\nRequires=b.service network.target\nWants=c.service d.service e.socket\n"
	    "After=b.service\nBefore=c.service\n[Service]\nExecStart=/bin/true\n");
	units_write(&u, "b.service", "[Unit]\nPartOf=a.service\n[Service]\nExecStart=/bin/true\n");
	units_write(&u, "c.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "d.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
	units_write(&u, "e.socket", "[Socket]\nListenStream=21003\nService=d.service\n");
	assert_int_equal(units_load_one(&u, "a.service"), 0);
	assert_string_equal(plan_ids(&u), "a.service b.service c.service ");
	assert_non_null(units_finding(&u, DIAG_WARNING, "Service.PrivateTmp", ""));
	assert_non_null(units_finding(&u, DIAG_WARNING, NULL, "left out"));
	assert_true(depends(&u, "a.service", DEPENDENCY_REQUIRES, "b.service"));
	assert_true(depends(&u, "a.service", DEPENDENCY_WANTS, "c.service"));
	assert_false(depends(&u, "a.service", DEPENDENCY_WANTS, "d.service"));
	assert_true(depends(&u, "a.service", DEPENDENCY_AFTER, "b.service"));
	assert_true(depends(&u, "c.service", DEPENDENCY_AFTER, "a.service")); /* by Before= */
	assert_true(depends(&u, "b.service", DEPENDENCY_PART_OF, "a.service"));
	assert_false(plan_find(u.plan, "b.service")->wanted);
	/* what is required must be there and be good */
	units_write(&u, "b.service", "[Unit]\nBindsTo=d.service\n[Service]\nExecStart=/bin/true\n");
	assert_int_equal(units_load_one(&u, "a.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_REFUSED, "Service.PrivateTmp", ""));
	units_write(&u, "b.service",
	    "[Unit]\nRequires=sallyport-no.service\n[Service]\nExecStart=/bin/true\n");
	assert_int_equal(units_load_one(&u, "a.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, NULL, "not found"));
	units_done(&u);
}

static void
links_beside_a_unit_are_dependencies(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "a.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "b.service", "[Service]\nExecStart=/bin/true\n");
	units_write(&u, "a.service.requires/b.service", "");
	assert_int_equal(units_load_one(&u, "a.service"), 0);
	assert_string_equal(plan_ids(&u), "a.service b.service ");
	units_done(&u);
}

static void
accepting_socket_takes_the_template(void **state)
{
	const char *accept[] = { "Accept", "MaxConnections" };
	struct units u;

	(void)state;
	units_init(&u);
	u.options.unenforced = accept;
	u.options.n_unenforced = ELEMENTSOF(accept);
	units_write(&u, "e.socket", "[Socket]\nListenStream=21003\nAccept=yes\n");
	units_write(
	    &u, "e@.service", "[Service]\nExecStart=-/bin/echo %i %p %%\nStandardInput=socket\n");
	assert_int_equal(units_load_one(&u, "e.socket"), 0);
	assert_string_equal(plan_ids(&u), "e.socket e@.service ");
	assert_true(plan_unit(u.plan, 1)->is_template);
	assert_string_equal(plan_str(u.plan, plan_unit(u.plan, 0)->socket.fd_name), "connection");
	assert_int_equal(plan_unit(u.plan, 0)->socket.trigger_limit_burst, 200);
	units_write(&u, "e.socket", "[Socket]\nListenDatagram=21003\nAccept=yes\n");
	assert_int_equal(units_load_one(&u, "e.socket"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, "Socket.Accept", "no connections"));
	units_write(
	    &u, "e.socket", "[Socket]\nListenStream=21003\nAccept=yes\nService=x.service\n");
	assert_int_equal(units_load_one(&u, "e.socket"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, "Socket.Service", "Accept"));
	units_write(&u, "f.socket", "[Socket]\nListenStream=21003\nAccept=yes\n");
	assert_int_equal(units_load_one(&u, "f.socket"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, NULL, "f@.service cannot be loaded"));
	units_done(&u);
}

static void
socket_as_standard_input_is_one(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "w.socket", "[Socket]\nListenStream=21003\n");
	units_write(&u, "w.service", "[Service]\nExecStart=/bin/true\nStandardInput=socket\n");
	assert_int_equal(units_load_one(&u, "w.socket"), 0);
	units_write(&u, "w.socket", "[Socket]\nListenStream=21003\nListenStream=21004\n");
	assert_int_equal(units_load_one(&u, "w.socket"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, "Service.StandardInput", "one listener"));
	units_done(&u);
}

static void
missing_and_masked_units_are_named(void **state)
{
	struct units u;
	char path[128];

	(void)state;
	units_init(&u);
	assert_int_equal(units_load_one(&u, "sallyport-nowhere.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, NULL, "not found"));
	(void)snprintf(path, sizeof(path), "%s/m.service", u.dir);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(units_load_one(&u, "m.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, NULL, "masked"));
	units_write(&u, "m.socket", "[Socket]\nListenStream=21001\n");
	assert_int_equal(units_load_one(&u, "m.socket"), -EINVAL);
	assert_int_equal(units_load_one(&u, "m@.service"), -EINVAL);
	assert_int_equal(units_load_one(&u, "m.target"), -EINVAL);
	units_done(&u);
}

static void
path_searches_its_own_folder_first(void **state)
{
	struct units u;
	char path[128];

	(void)state;
	units_init(&u);
	units_write(&u, "w.socket", "[Socket]\nListenStream=21001\n");
	units_write(&u, "w.service", "[Service]\nExecStart=/bin/false\n");
	units_write(&u, "sub/w.socket", "[Socket]\nListenStream=21002\n");
	units_write(&u, "sub/w.service", "[Service]\nExecStart=/bin/true\n");
	(void)snprintf(path, sizeof(path), "%s/sub/w.socket", u.dir);
	assert_int_equal(units_load_one(&u, path), 0);
	assert_string_equal(plan_str(u.plan, plan_listen(u.plan, 0)->text), "[::]:21002");
	assert_string_equal(
	    plan_str(u.plan, plan_command(u.plan, plan_unit(u.plan, 1), COMMAND_START, 0)->path),
	    "/bin/true");
	units_done(&u);
}

static void
file_that_others_may_write_is_refused_and_named(void **state)
{
	struct units u;
	char path[128];

	(void)state;
	units_init(&u);
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
	(void)snprintf(path, sizeof(path), "%s/x.service", u.dir);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(units_load_one(&u, "x.service"), -EINVAL);
	assert_non_null(units_finding(&u, DIAG_ERROR, NULL, "x.service is writable by everybody"));
	assert_int_equal(chmod(path, 0644), 0);
	units_write(&u, "x.service.d/10.conf", "[Unit]\nDescription=y\n");
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	(void)snprintf(path, sizeof(path), "%s/x.service.d", u.dir);
	assert_int_equal(chmod(path, 0775), 0);
	assert_int_equal(units_load_one(&u, "x.service"), -EINVAL);
	assert_non_null(
	    units_finding(&u, DIAG_ERROR, NULL, "x.service.d is writable by its group"));
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(socket_brings_its_service_and_comes_before_it),
		cmocka_unit_test(several_sockets_of_one_service_come_in_the_order_given),
		cmocka_unit_test(named_service_gets_the_socket_of_its_name),
		cmocka_unit_test(refused_units),
		cmocka_unit_test(sloppy_value_of_a_harmless_directive_only_warns),
		cmocka_unit_test(root_service_needs_permission),
		cmocka_unit_test(refusal_is_accepted_by_name_or_taken_back),
		cmocka_unit_test(what_is_needed_is_pulled_in_and_what_is_only_wanted_may_fail),
		cmocka_unit_test(links_beside_a_unit_are_dependencies),
		cmocka_unit_test(accepting_socket_takes_the_template),
		cmocka_unit_test(socket_as_standard_input_is_one),
		cmocka_unit_test(missing_and_masked_units_are_named),
		cmocka_unit_test(path_searches_its_own_folder_first),
		cmocka_unit_test(file_that_others_may_write_is_refused_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
