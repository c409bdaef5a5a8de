/*
 * test_http_target.c - worker/http/target.h: paths that cannot climb, hosts, and back to text.
 */
#include "tests/unit/unit.h"

#include "worker/http/target.h"

static void
paths_come_out_decoded_and_flat(void **state)
{
	static const struct {
		const char *raw;
		const char *want; /* NULL: see status */
		int status;
	} cases[] = {
		{ "/", "/", 0 },
		{ "/a/b", "/a/b", 0 },
		{ "/a/b/", "/a/b/", 0 },
		{ "//a///b//", "/a/b/", 0 },
		{ "/a/./b", "/a/b", 0 },
		{ "/a/.", "/a/", 0 },
		{ "/a/..", "/", 0 },
		{ "/a/../", "/", 0 },
		{ "/a/b/../c", "/a/c", 0 },
		{ "/a/b/../../c", "/c", 0 },
		{ "/a//../b", "/b", 0 },
		{ "/%41%2D", "/A-", 0 },
		{ "/a/%2e%2e/b", "/b", 0 },
		{ "/a/.%2E/b", "/b", 0 },
		{ "/%252e%252e/x", "/%2e%2e/x", 0 },
		{ "/...", "/...", 0 },
		{ "/..a", "/..a", 0 },
		{ "/a..", "/a..", 0 },
		{ "/%c0%ae%c0%ae/", "/\xc0\xae\xc0\xae/", 0 },
		{ "/a%5cb", "/a\\b", 0 },
		{ "/..", NULL, 400 },
		{ "/../x", NULL, 400 },
		{ "/a/../../x", NULL, 400 },
		{ "/%2e%2e", NULL, 400 },
		{ "//..", NULL, 400 },
		{ "/a\\b", NULL, 400 },
		{ "/%", NULL, 400 },
		{ "/%4", NULL, 400 },
		{ "/%4g", NULL, 400 },
		{ "/%00", NULL, 400 },
		{ "/a%2fb", NULL, 404 },
		{ "/a%2Fb", NULL, 404 },
		{ "a", NULL, 400 },
		{ "", NULL, 400 },
		{ "*", NULL, 400 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char dst[128];
		size_t len = 0;
		const int r = path_normalise(span_of(cases[i].raw), dst, &len);

		if (r != cases[i].status)
			fail_msg("%s: %d", cases[i].raw, r);
		if (r == 0 && (strcmp(dst, cases[i].want) != 0 || len != strlen(dst)))
			fail_msg("%s: %s", cases[i].raw, dst);
	}
}

static void
normalising_never_writes_beyond_its_promise(void **state)
{
	char raw[64], *dst = malloc(sizeof(raw) + 2); /* exactly: ASan looks */
	size_t len;

	(void)state;
	assert_non_null(dst);
	memset(raw, 'a', sizeof(raw));
	raw[0] = '/';
	assert_int_equal(path_normalise((struct span){ raw, sizeof(raw) }, dst, &len), 0);
	assert_int_equal(len, sizeof(raw));
	memset(raw, '/', sizeof(raw));
	assert_int_equal(path_normalise((struct span){ raw, sizeof(raw) }, dst, &len), 0);
	assert_int_equal(len, 1);
	free(dst);
}

static void
hosts_are_split_or_refused(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ "a", "a" },
		{ "a.b-c_d~e", "a.b-c_d~e" },
		{ "a:", "a" },
		{ "a:0", "a" },
		{ "a:65535", "a" },
		{ "127.0.0.1:80", "127.0.0.1" },
		{ "[::1]", "[::1]" },
		{ "[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]" },
		{ "a:65536", NULL },
		{ "a:+1", NULL },
		{ "a:1 ", NULL },
		{ ":1", NULL },
		{ "a b", NULL },
		{ "a@b", NULL },
		{ "a%41", NULL },
		{ "[]", NULL },
		{ "[::1", NULL },
		{ "[::1]x", NULL },
		{ "[g::1]", NULL },
		{ "::1", NULL },
		{ "a/", NULL },
		{ "\xc3\xa9", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct span host;
		const int r = host_split(span_of(cases[i].text), &host);

		if ((r == 0) != (cases[i].host != NULL))
			fail_msg("%s: %d", cases[i].text, r);
		if (r == 0 && !span_equal(host, cases[i].host))
			fail_msg("%s: %.*s", cases[i].text, (int)host.len, host.ptr);
	}
}

static void
encoding_and_decoding_are_inverse(void **state)
{
	char path[256], storage[1024], back[1024];
	struct buf b;
	size_t len;

	(void)state;
	path[0] = '/';
	for (int c = 1; c < 256; c++)
		path[c] = c == '/' || c == '.' ? 'x' : (char)c;
	buf_init(&b, storage, sizeof(storage));
	path_encode((struct span){ path, 256 }, &b);
	assert_false(b.failed);
	assert_int_equal(path_normalise((struct span){ b.data, b.len }, back, &len), 0);
	assert_int_equal(len, 256);
	assert_memory_equal(back, path, 256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_come_out_decoded_and_flat),
		cmocka_unit_test(normalising_never_writes_beyond_its_promise),
		cmocka_unit_test(hosts_are_split_or_refused),
		cmocka_unit_test(encoding_and_decoding_are_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
