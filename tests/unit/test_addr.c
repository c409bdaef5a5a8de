/*
 * test_addr.c - launcher/load/addr.h: what systemd.socket(5) takes as an address, and what not.
 */
#include "tests/unit/unit.h"

#include <netinet/in.h>

#include "launcher/load/addr.h"

static void
good_addresses(void **state)
{
	static const struct {
		const char *text, *back;
		int family;
		socklen_t len;
		bool any;
	} cases[] = {
		{ "80", "[::]:80", AF_INET6, sizeof(struct sockaddr_in6), true },
		{ "65535", "[::]:65535", AF_INET6, sizeof(struct sockaddr_in6), true },
		{ "127.0.0.1:80", "127.0.0.1:80", AF_INET, sizeof(struct sockaddr_in), false },
		{ "0.0.0.0:1", "0.0.0.0:1", AF_INET, sizeof(struct sockaddr_in), false },
		{ "[::1]:80", "[::1]:80", AF_INET6, sizeof(struct sockaddr_in6), false },
		{ "[fe80::1]:80%lo", "[fe80::1]:80%lo", AF_INET6, sizeof(struct sockaddr_in6),
		    false },
		{ "[fe80::1]:80%1", "[fe80::1]:80%lo", AF_INET6, sizeof(struct sockaddr_in6),
		    false },
		{ "/run/x.sock", "/run/x.sock", AF_UNIX, 2 + 12, false },
		{ "@name", "@name", AF_UNIX, 2 + 5, false },
		{ "vsock::1234", "vsock::1234", AF_VSOCK, 16, false },
		{ "vsock:2:1234", "vsock:2:1234", AF_VSOCK, 16, false },
	};
	char text[256];
	struct addr a;
	struct buf b;
	struct why why;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		if (addr_parse(cases[i].text, &a, &why) < 0)
			fail_msg("%s: %s", cases[i].text, why.text);
		assert_int_equal(a.u.sa.sa_family, cases[i].family);
		assert_int_equal(a.len, cases[i].len);
		assert_int_equal(a.any_family, cases[i].any);
		buf_init(&b, text, sizeof(text));
		addr_format(&a.u.storage, a.len, &b);
		assert_string_equal(text, cases[i].back);
	}
}

static void
bad_addresses(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ "0", -ERANGE },
		{ "65536", -ERANGE },
		{ "080", -EINVAL },
		{ "127.0.0.1", -EINVAL },
		{ "127.0.0.1:0", -ERANGE },
		{ "127.0.0.1:", -EINVAL },
		{ "127.0.0.1:http", -EINVAL },
		{ "127.0.0:80", -EINVAL },
		{ ":80", -EINVAL },
		{ "localhost:80", -EINVAL },
		{ "::1", -EINVAL },
		{ "::1:80", -EINVAL },
		{ "[::1]", -EINVAL },
		{ "[::1]80", -EINVAL },
		{ "[]:80", -EINVAL },
		{ "[::1:80", -EINVAL },
		{ "[127.0.0.1]:80", -EINVAL },
		{ "[::1]:0", -ERANGE },
		{ "[fe80::1]:80%no-such-if", -ENODEV },
		{ "[fe80::1]:80%", -ENODEV },
		{ "/", -EINVAL },
		{ "@", -EINVAL },
		{ "run/x.sock", -EINVAL },
		{ "vsock:1", -EINVAL },
		{ "vsock::0", -ERANGE },
		{ "vsock:x:1", -EINVAL },
		{ "80 ", -EINVAL },
		{ "+80", -EINVAL },
	};
	struct addr a;
	struct why why;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const int r = addr_parse(cases[i].text, &a, &why);

		if (r != cases[i].r)
			fail_msg("\"%s\": %d", cases[i].text, r);
	}
}

static void
unix_path_fills_the_kernels_room_and_no_more(void **state)
{
	char path[200];
	struct addr a;
	struct why why;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	assert_int_equal(addr_parse(path, &a, &why), 0);
	path[107] = 'a';
	path[108] = '\0';
	assert_int_equal(addr_parse(path, &a, &why), -ENAMETOOLONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(unix_path_fills_the_kernels_room_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
