/*
 * test_directive.c - launcher/load/directive.h: the table itself, and what its parsers make of
 *                    values, read back out of the plan by launcher/ctl/effective.h.
 */
#include "tests/unit/units.h"

#include <sys/resource.h>

#include "launcher/ctl/effective.h"
#include "launcher/load/directive.h"

/* The value of [section] name in the unit of this index, or NULL. */
static const char *
value_of(const struct units *u, uint32_t unit, const char *section, const char *name, uint32_t n)
{
	static char storage[4096];
	const struct directive *row = directive_find(section, name);
	struct buf out;

	assert_non_null(row);
	buf_init(&out, storage, sizeof(storage));
	return effective_value(row, u->plan, plan_unit(u->plan, unit), n, &out) ? storage : NULL;
}

static void
table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < directive_count; i++) {
		const struct directive *row = &directive_table[i];

		if (directive_find(section_name(row->section), row->name) != row)
			fail_msg("%s has a row before this one", row->name);
		if (row->class <= DIRECTIVE_PENDING && !row->parse)
			fail_msg("%s has no parser", row->name);
		if (!row->text[0])
			fail_msg("%s says nothing", row->name);
	}
	assert_null(directive_find("Socket", "ExecStart"));
	assert_null(directive_find("Service", "ListenStream"));
	assert_non_null(directive_find("Socket", "User"));
}

/* A value in, the effective value out. NULL: the load must refuse it. */
static void
service_values(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} cases[] = {
		{ "ExecStart", "/bin/a b \"c d\" 'e'", "/bin/a b \"c d\" e" },
		{ "ExecStart", "-@/bin/a z b", "-@/bin/a z b" },
		{ "ExecStart", ":/bin/a $X ${Y}", ":/bin/a $X ${Y}" },
		{ "ExecStart", "+/bin/a", "+/bin/a" },
		{ "ExecStart", "!!/bin/a", "!!/bin/a" },
		{ "ExecStart", "/bin/a \\; \";\"", "/bin/a \";\" \";\"" },
		{ "ExecStart", "a-name-to-find", "a-name-to-find" },
		{ "ExecStart", "/bin/%p %n %%", "/bin/x x.service %" },
		{ "ExecStart", "//bin/./a b//", "/bin/a b//" },
		{ "ExecStart", "bin/a", NULL },
		{ "ExecStart", "/bin/", NULL },
		{ "ExecStart", "/bin/a \"b", NULL },
		{ "ExecStart", "@/bin/a", NULL },
		{ "ExecStart", "-", NULL },
		{ "Type", "notify", "notify" },
		{ "Type", "idle", "simple" },
		{ "Type", "dbus", NULL },
		{ "Environment", "A=1 \"B=2 3\" C=", "A=1" },
		{ "WorkingDirectory", "-/srv", "-/srv" },
		{ "WorkingDirectory", "srv", NULL },
		{ "UMask", "27", "0027" },
		{ "User", "a:b", NULL },
		{ "LimitNOFILE", "1024:infinity", "1024:infinity" },
		{ "LimitNOFILE", "2:1", NULL },
		{ "LimitMEMLOCK", "64K", "65536:65536" },
		{ "LimitCPU", "1min", "60:60" },
		{ "StandardOutput", "append:/var/log/x", "append:/var/log/x" },
		{ "StandardOutput", "journal+console", "journal" },
		{ "StandardOutput", "tty", NULL },
		{ "StandardInput", "journal", NULL },
		{ "StandardError", "null", "null" },
		{ "EnvironmentFile", "-/etc/default/x", "-/etc/default/x" },
		{ "EnvironmentFile", "etc", NULL },
		{ "RuntimeDirectory", "a/b c", "a/b" },
		{ "RuntimeDirectory", "/run/a", NULL },
		{ "RuntimeDirectory", "../a", NULL },
		{ "StateDirectory", "private", NULL },
		{ "KillSignal", "INT", "SIGINT" },
		{ "TimeoutStopSec", "0", "infinity" },
		{ "TimeoutStartSec", "1min 5s", "65s" },
		{ "Nice", "-5", "-5" },
		{ "CapabilityBoundingSet", "CAP_CHOWN CAP_KILL", "cap_chown cap_kill" },
		{ "CapabilityBoundingSet", "", "" },
		{ "CapabilityBoundingSet", "~", "~" },
		{ "CapabilityBoundingSet", "CAP_NONE", NULL },
	};
	struct units u;
	char text[512];

	(void)state;
	units_init(&u);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *name = cases[i].name, *want = cases[i].want, *got;
		int r;

		(void)snprintf(text, sizeof(text), "[Service]\n%s%s=%s\n",
		    strcmp(name, "ExecStart") == 0 ? "" : "ExecStart=/bin/true\n", name,
		    cases[i].value);
		units_write(&u, "x.service", text);
		r = units_load_one(&u, "x.service");
		if ((r == 0) != (want != NULL))
			fail_msg(
			    "%s=%s: %s", name, cases[i].value, r == 0 ? "was taken" : u.why.text);
		got = r == 0 ? value_of(&u, 0, "Service", name, 0) : NULL;
		if (want && (!got || strcmp(got, want) != 0))
			fail_msg("%s=%s: %s", name, cases[i].value, got ? got : "(nothing)");
	}
	units_done(&u);
}

static void
socket_values(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} cases[] = {
		{ "ListenStream", "%t/x.sock", "/run/x.sock" },
		{ "ListenDatagram", "127.0.0.1:21500", "127.0.0.1:21500" },
		{ "ListenSequentialPacket", "@x", "@x" },
		{ "ListenSequentialPacket", "80", NULL },
		{ "ListenFIFO", "/run/f", "/run/f" },
		{ "ListenFIFO", "f", NULL },
		{ "ListenNetlink", "kobject-uevent 1", "kobject-uevent 1" },
		{ "ListenNetlink", "none", NULL },
		{ "ListenMessageQueue", "/q", "/q" },
		{ "SocketMode", "777", "0777" },
		{ "SocketMode", "9", NULL },
		{ "BindIPv6Only", "ipv6-only", "ipv6-only" },
		{ "BindIPv6Only", "yes", "ipv6-only" },
		{ "BindIPv6Only", "no", "both" },
		{ "KeepAliveTimeSec", "2min", "120s" },
		{ "ReceiveBuffer", "128M", "134217728" },
		{ "IPTOS", "low-delay", "16" },
		{ "IPTOS", "3", "3" },
		{ "Timestamping", "us", "us" },
		{ "ReusePort", "1", "yes" },
		{ "SocketProtocol", "x", NULL },
		{ "FileDescriptorName", "http", "http" },
	};
	struct units u;
	char text[512];

	(void)state;
	units_init(&u);
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/true\n");
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *name = cases[i].name, *want = cases[i].want, *got;
		int r;

		(void)snprintf(text, sizeof(text), "[Socket]\n%s%s=%s\n",
		    str_starts(name, "Listen") ? "" : "ListenStream=21501\n", name, cases[i].value);
		units_write(&u, "x.socket", text);
		r = units_load_one(&u, "x.socket");
		if ((r == 0) != (want != NULL))
			fail_msg(
			    "%s=%s: %s", name, cases[i].value, r == 0 ? "was taken" : u.why.text);
		got = r == 0 ? value_of(&u, 0, "Socket", name, 0) : NULL;
		if (want && (!got || strcmp(got, want) != 0))
			fail_msg("%s=%s: %s", name, cases[i].value, got ? got : "(nothing)");
	}
	units_done(&u);
}

static void
lists_grow_and_an_empty_value_resets_them(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "x.service",
	    "[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\nEnvironment=A=1\n"
	    "Environment=B=2\nExecStartPre=/bin/c\nExecStartPre=/bin/d\n"
	    "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_KILL\n"
	    "CapabilityBoundingSet=~CAP_CHOWN\n");
	units_write(&u, "x.service.d/10.conf", "[Service]\nEnvironment=\nEnvironment=C=3\n");
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_string_equal(value_of(&u, 0, "Service", "ExecStart", 0), "/bin/b");
	assert_string_equal(value_of(&u, 0, "Service", "Environment", 0), "C=3");
	assert_null(value_of(&u, 0, "Service", "Environment", 1));
	assert_string_equal(value_of(&u, 0, "Service", "ExecStartPre", 1), "/bin/d");
	assert_string_equal(value_of(&u, 0, "Service", "CapabilityBoundingSet", 0), "cap_kill");
	units_done(&u);
}

static void
legacy_permissions_are_a_plus_sign(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "x.service",
	    "[Service]\nExecStart=/bin/a\nExecStartPre=/bin/b\nExecStopPost=-/bin/c\n"
	    "PermissionsStartOnly=yes\n");
	assert_int_equal(units_load_one(&u, "x.service"), 0);
	assert_string_equal(value_of(&u, 0, "Service", "ExecStart", 0), "/bin/a");
	assert_string_equal(value_of(&u, 0, "Service", "ExecStartPre", 0), "+/bin/b");
	assert_string_equal(value_of(&u, 0, "Service", "ExecStopPost", 0), "-+/bin/c");
	units_done(&u);
}

static void
sloppy_lines_of_shipped_units_only_warn(void **state)
{
	struct units u;

	(void)state;
	units_init(&u);
	units_write(&u, "x.socket",
	    "[Socket]\nListenStream=21501\nBindIPv6Only=perhaps\nSocketMode=777\nRemoveOnStop="
	    "True\n"
	    "RuntimeDirectory=x\n");
	units_write(&u, "x.service", "[Service]\nExecStart=/bin/a \\q\n");
	assert_int_equal(units_load_one(&u, "x.socket"), 0);
	assert_non_null(units_finding(&u, DIAG_WARNING, "Socket.BindIPv6Only", "ignored"));
	assert_non_null(units_finding(&u, DIAG_NOTED, "Socket.RuntimeDirectory", "socket's own"));
	assert_non_null(units_finding(&u, DIAG_WARNING, "Service.ExecStart", "escape"));
	assert_string_equal(value_of(&u, 1, "Service", "ExecStart", 0), "/bin/a \"\\\\q\"");
	units_done(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(service_values),
		cmocka_unit_test(socket_values),
		cmocka_unit_test(lists_grow_and_an_empty_value_resets_them),
		cmocka_unit_test(legacy_permissions_are_a_plus_sign),
		cmocka_unit_test(sloppy_lines_of_shipped_units_only_warn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
