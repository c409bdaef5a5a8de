/*
 * test_http_head.c - worker/http/head.h: every rule of strictness by a labelled case, and every
 * case cut at every byte: the verdict may not depend on how bytes arrive.
 */
#include "tests/unit/unit.h"

#include "worker/http/field.h"
#include "worker/http/head.h"

static const struct head_limits test_limits = {
	.line_bytes = 256, .head_bytes = 1024, .fields = 20
};

struct head_case {
	const char *label;
	const char *bytes;
	int want;
};

#define H "Host: a\r\n"
#define E "\r\n"
#define GET "GET / HTTP/1.1\r\n"

static const struct head_case cases[] = {
	{ "plain request", GET H E, HEAD_DONE },
	{ "HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n" E, HEAD_DONE },
	{ "later minor version is spoken to as 1.1", "GET / HTTP/1.9\r\n" H E, HEAD_DONE },
	{ "one empty line in front", "\r\n" GET H E, HEAD_DONE },
	{ "two empty lines in front", "\r\n\r\n" GET H E, 400 },
	{ "bare LF in front", "\n" GET H E, 400 },
	{ "bare LF after the request line", "GET / HTTP/1.1\n" H E, 400 },
	{ "bare CR after the request line", "GET / HTTP/1.1\r" H E, 400 },
	{ "bare LF after a field", GET "Host: a\n" E, 400 },
	{ "bare LF as the empty line", GET H "\n", 400 },
	{ "bare CR inside a value", GET "Host: a\r\nX: a\rb\r\n" E, 400 },
	{ "two blanks before the target", "GET  / HTTP/1.1\r\n" H E, 400 },
	{ "two blanks before the version", "GET /  HTTP/1.1\r\n" H E, 400 },
	{ "tab for a blank", "GET\t/ HTTP/1.1\r\n" H E, 400 },
	{ "blank after the version", "GET / HTTP/1.1 \r\n" H E, 400 },
	{ "blank in front", " GET / HTTP/1.1\r\n" H E, 400 },
	{ "no version (HTTP/0.9)", "GET /\r\n", 400 },
	{ "lower-case version", "GET / http/1.1\r\n" H E, 400 },
	{ "two digits of minor version", "GET / HTTP/1.10\r\n" H E, 400 },
	{ "two digits of major version", "GET / HTTP/11.1\r\n" H E, 400 },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" H E, 505 },
	{ "the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	{ "HTTP/0.9 by number", "GET / HTTP/0.9\r\n" H E, 505 },
	{ "ICE/1.0", "GET / ICE/1.0\r\n" H E, 400 },
	{ "method in lower case is another method", "get / HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "method with a byte that is no tchar", "GE@T / HTTP/1.1\r\n" H E, 400 },
	{ "empty method", " / HTTP/1.1\r\n" H E, 400 },
	{ "very long method", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN / HTTP/1.1\r\n" H E, 501 },
	{ "fragment in the target", "GET /a#b HTTP/1.1\r\n" H E, 400 },
	{ "quote in the target", "GET /a\"b HTTP/1.1\r\n" H E, 400 },
	{ "obs-text in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H E, 400 },
	{ "DEL in the target", "GET /\x7f HTTP/1.1\r\n" H E, 400 },
	{ "braces in a query", "GET /?a={b|c} HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "target without a slash", "GET a HTTP/1.1\r\n" H E, 400 },
	{ "absolute-form", "GET http://b/x?y HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "absolute-form, upper-case scheme", "GET HTTP://b/ HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "absolute-form with userinfo", "GET http://u@b/ HTTP/1.1\r\n" H E, 400 },
	{ "absolute-form without authority", "GET http:///x HTTP/1.1\r\n" H E, 400 },
	{ "absolute-form, port too big", "GET http://b:65536/ HTTP/1.1\r\n" H E, 400 },
	{ "absolute-form, other scheme", "GET ftp://b/ HTTP/1.1\r\n" H E, 400 },
	{ "asterisk-form with OPTIONS", "OPTIONS * HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "asterisk-form with GET", "GET * HTTP/1.1\r\n" H E, 400 },
	{ "authority-form with CONNECT", "CONNECT a:1 HTTP/1.1\r\n" H E, HEAD_DONE },
	{ "CONNECT without port", "CONNECT a HTTP/1.1\r\n" H E, 400 },
	{ "CONNECT with a path", "CONNECT /a HTTP/1.1\r\n" H E, 400 },
	{ "authority-form with GET", "GET a:80 HTTP/1.1\r\n" H E, 400 },
	{ "no Host", GET E, 400 },
	{ "empty Host", GET "Host:\r\n" E, HEAD_DONE },
	{ "two Hosts", GET H H E, 400 },
	{ "two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" H H E, 400 },
	{ "Host with a path", GET "Host: a/b\r\n" E, 400 },
	{ "Host with userinfo", GET "Host: u@a\r\n" E, 400 },
	{ "Host with a blank inside", GET "Host: a b\r\n" E, 400 },
	{ "Host with a comma list", GET "Host: a, b\r\n" E, 400 },
	{ "Host of port only", GET "Host: :80\r\n" E, 400 },
	{ "Host with port", GET "Host: a:8080\r\n" E, HEAD_DONE },
	{ "Host with a bad port", GET "Host: a:8a\r\n" E, 400 },
	{ "Host with two ports", GET "Host: a:1:2\r\n" E, 400 },
	{ "Host IPv6", GET "Host: [::1]:80\r\n" E, HEAD_DONE },
	{ "Host IPv6 unclosed", GET "Host: [::1\r\n" E, 400 },
	{ "Host IPv6 with a zone", GET "Host: [fe80::1%25eth0]\r\n" E, 400 },
	{ "obs-fold", GET H "X: a\r\n b\r\n" E, 400 },
	{ "obs-fold with a tab", GET H "X: a\r\n\tb\r\n" E, 400 },
	{ "blank line of blanks", GET H " \r\n" E, 400 },
	{ "first field line folded", GET " X: a\r\n" H E, 400 },
	{ "blank before the colon", GET "Host : a\r\n" E, 400 },
	{ "no colon", GET H "X\r\n" E, 400 },
	{ "empty field name", GET H ": a\r\n" E, 400 },
	{ "blank in a field name", GET H "X Y: a\r\n" E, 400 },
	{ "obs-text in a value", GET H "X: \xe9\r\n" E, HEAD_DONE },
	{ "control byte in a value", GET H "X: a\x01\r\n" E, 400 },
	{ "DEL in a value", GET H "X: a\x7f\r\n" E, 400 },
	{ "tab in a value", GET H "X: a\tb\r\n" E, HEAD_DONE },
	{ "Content-Length", GET H "Content-Length: 5\r\n" E, HEAD_DONE },
	{ "Content-Length zero", GET H "Content-Length: 0\r\n" E, HEAD_DONE },
	{ "Content-Length twice, equal", GET H "Content-Length: 5\r\nContent-Length: 5\r\n" E,
	    400 },
	{ "Content-Length as a list", GET H "Content-Length: 5, 5\r\n" E, 400 },
	{ "Content-Length signed", GET H "Content-Length: +5\r\n" E, 400 },
	{ "Content-Length negative", GET H "Content-Length: -5\r\n" E, 400 },
	{ "Content-Length hexadecimal", GET H "Content-Length: 0x5\r\n" E, 400 },
	{ "Content-Length empty", GET H "Content-Length:\r\n" E, 400 },
	{ "Content-Length blank inside", GET H "Content-Length: 5 5\r\n" E, 400 },
	{ "Content-Length beyond 63 bits", GET H "Content-Length: 9223372036854775808\r\n" E, 400 },
	{ "Content-Length beyond 64 bits", GET H "Content-Length: 99999999999999999999\r\n" E,
	    400 },
	{ "chunked", GET H "Transfer-Encoding: chunked\r\n" E, HEAD_DONE },
	{ "chunked in capitals", GET H "Transfer-Encoding: CHUNKED\r\n" E, HEAD_DONE },
	{ "chunked and Content-Length",
	    GET H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" E, 400 },
	{ "Content-Length and chunked",
	    GET H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" E, 400 },
	{ "chunked in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" E, 400 },
	{ "chunked twice", GET H "Transfer-Encoding: chunked, chunked\r\n" E, 400 },
	{ "chunked not last", GET H "Transfer-Encoding: chunked, gzip\r\n" E, 400 },
	{ "another coding before chunked", GET H "Transfer-Encoding: gzip, chunked\r\n" E, 501 },
	{ "chunked and an empty element", GET H "Transfer-Encoding: chunked,\r\n" E, 400 },
	{ "an empty element and chunked", GET H "Transfer-Encoding: , chunked\r\n" E, 400 },
	{ "tab behind a Content-Length", GET H "Content-Length: 5\t\r\n" E, 400 },
	{ "tab in front of a Content-Length", GET H "Content-Length:\t 5\r\n" E, 400 },
	{ "tab in front of Host", GET "Host:\ta\r\n" E, 400 },
	{ "tab around another value", GET H "X:\ta\t\r\n" E, HEAD_DONE },
	{ "identity", GET H "Transfer-Encoding: identity\r\n" E, 400 },
	{ "gzip alone", GET H "Transfer-Encoding: gzip\r\n" E, 400 },
	{ "empty Transfer-Encoding", GET H "Transfer-Encoding:\r\n" E, 400 },
	{ "xchunked", GET H "Transfer-Encoding: xchunked\r\n" E, 400 },
	{ "vertical tab before chunked",
	    GET H "Transfer-Encoding: \x0b"
		  "chunked\r\n" E,
	    400 },
	{ "chunked in quotes", GET H "Transfer-Encoding: \"chunked\"\r\n" E, 400 },
	{ "two Transfer-Encodings",
	    GET H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" E, 400 },
	{ "Expect", GET H "Expect: 100-continue\r\n" E, HEAD_DONE },
	{ "another expectation", GET H "Expect: 200-ok\r\n" E, 417 },
	{ "two Ranges", GET H "Range: bytes=0-1\r\nRange: bytes=2-3\r\n" E, 400 },
	{ "unfinished", GET H, HEAD_MORE },
	{ "nothing", "", HEAD_MORE },
};

static int
parse_at_once(const char *bytes, size_t len, struct head *h)
{
	memset(h, 0, sizeof(*h)); /* heads are compared whole; head_init() leaves a part alone */
	head_init(h);
	return head_parse(h, bytes, len, &test_limits);
}

static int
parse_cut(const char *bytes, size_t len, size_t at, struct head *h)
{
	int r;

	memset(h, 0, sizeof(*h));
	head_init(h);
	r = head_parse(h, bytes, at, &test_limits);
	return r == HEAD_MORE ? head_parse(h, bytes, len, &test_limits) : r;
}

static void
each_rule_gives_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct head h;
		const int r = parse_at_once(cases[i].bytes, strlen(cases[i].bytes), &h);

		if (r != cases[i].want)
			fail_msg("%s: %d, not %d", cases[i].label, r, cases[i].want);
	}
}

static void
each_rule_cut_at_every_byte_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const size_t len = strlen(cases[i].bytes);
		struct head whole, cut, bytewise;
		int r = HEAD_MORE;

		(void)parse_at_once(cases[i].bytes, len, &whole);
		for (size_t at = 0; at <= len; at++) {
			if (parse_cut(cases[i].bytes, len, at, &cut) != cases[i].want)
				fail_msg("%s: cut at %zu", cases[i].label, at);
			if (cases[i].want == HEAD_DONE && memcmp(&whole, &cut, sizeof(cut)) != 0)
				fail_msg("%s: cut at %zu reads otherwise", cases[i].label, at);
		}
		head_init(&bytewise);
		for (size_t at = 0; at <= len && r == HEAD_MORE; at++)
			r = head_parse(&bytewise, cases[i].bytes, at, &test_limits);
		if (r != cases[i].want)
			fail_msg("%s: byte by byte", cases[i].label);
	}
}

static void
limits_bind_at_the_same_byte_however_cut(void **state)
{
	static const struct {
		const char *label;
		size_t target, field, fields;
		int want;
	} sizes[] = {
		{ "fits", 100, 100, 1, HEAD_DONE },
		{ "request line of the largest size", 256 - 15, 1, 1, HEAD_DONE },
		{ "one byte more", 256 - 14, 1, 1, 414 },
		{ "far more", 2000, 1, 1, 414 },
		{ "most fields", 1, 10, 19, HEAD_DONE },
		{ "one field more", 1, 10, 20, 431 },
		{ "head too long", 1, 1100, 1, 431 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
		_cleanup_buf_ struct buf b;
		struct head h;

		buf_init_heap(&b, 65536);
		(void)buf_puts(&b, "GET /");
		for (size_t n = 1; n < sizes[i].target; n++)
			(void)buf_putc(&b, 'a');
		(void)buf_puts(&b, " HTTP/1.1\r\n" H);
		for (size_t f = 0; f < sizes[i].fields; f++) {
			(void)buf_puts(&b, "X: ");
			for (size_t n = 0; n < sizes[i].field; n++)
				(void)buf_putc(&b, 'a');
			(void)buf_puts(&b, "\r\n");
		}
		(void)buf_puts(&b, "\r\n");
		for (size_t at = 0; at <= b.len; at++)
			if (parse_cut(b.data, b.len, at, &h) != sizes[i].want)
				fail_msg("%s, cut at %zu", sizes[i].label, at);
	}
}

static void
nul_is_refused_everywhere(void **state)
{
	static const char text[] = GET "Host: a\r\nX: b\r\n" E;

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char bytes[sizeof(text)];
		struct head h;

		memcpy(bytes, text, sizeof(text));
		bytes[at] = '\0';
		if (parse_at_once(bytes, sizeof(text) - 1, &h) != 400)
			fail_msg("NUL at %zu", at);
	}
}

/* Values are scanned eight bytes at a time: each byte at each place among others. */
static void
each_byte_of_a_value_gives_its_verdict_wherever_it_is(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 20; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned byte = 0; byte < 256; byte++) {
				char text[96];
				size_t n = (size_t)snprintf(text, sizeof(text), GET H "X: ");
				const size_t value = n;
				const bool bad = (byte < 0x20 && byte != '\t') || byte == 0x7f;
				struct head h;

				memset(text + n, 'v', len);
				text[value + at] = (char)byte;
				n += len;
				memcpy(text + n, "\r\n\r\n", 5);
				n += 4;
				if (parse_at_once(text, n, &h) != (bad ? 400 : HEAD_DONE) ||
				    parse_cut(text, n, value + at, &h) != (bad ? 400 : HEAD_DONE))
					fail_msg("byte %#x at %zu of %zu", byte, at, len);
			}
}

static void
what_was_read_is_right(void **state)
{
	static const char bytes[] =
	    "GET http://Ex.org:80/p/q?x=1&y HTTP/1.1\r\nHost:  other \r\nConnection: foo, Close\r\n"
	    "If-None-Match: \"a\"\r\nX: y\r\nif-none-match:\t\"b\", W/\"c\" \r\nContent-Length: "
	    "7\r\n\r\n";
	struct head h;
	struct span v;
	size_t pos = 0;

	(void)state;
	assert_int_equal(parse_at_once(bytes, sizeof(bytes) - 1, &h), HEAD_DONE);
	assert_int_equal(h.bytes, sizeof(bytes) - 1);
	assert_true(span_equal(h.req.host, "Ex.org"));
	assert_true(span_equal(h.req.path, "/p/q"));
	assert_true(span_equal(h.req.query, "x=1&y"));
	assert_true(span_equal(request_field(&h.req, FIELD_HOST), "other"));
	assert_true(h.close);
	assert_true(h.req.has_body);
	assert_int_equal(h.req.content_length, 7);
	assert_int_equal(h.req.n_fields, 6);
	assert_true(request_next(&h.req, FIELD_IF_NONE_MATCH, &pos, &v));
	assert_true(span_equal(v, "\"a\""));
	assert_true(request_next(&h.req, FIELD_IF_NONE_MATCH, &pos, &v));
	assert_true(span_equal(v, "\"b\", W/\"c\""));
	assert_false(request_next(&h.req, FIELD_IF_NONE_MATCH, &pos, &v));
}

static void
keep_alive_by_version_and_option(void **state)
{
	static const struct {
		const char *bytes;
		bool close;
	} kept[] = {
		{ GET H E, false },
		{ GET H "Connection: close\r\n" E, true },
		{ GET H "Connection: keep-alive\r\n" E, false },
		{ GET H "Connection: keep-alive, close\r\n" E, true },
		{ "GET / HTTP/1.0\r\n" E, true },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" E, false },
		{ GET H "Connection: closed\r\n" E, false },
		{ GET H "Connection: a\r\nConnection: close\r\n" E, true },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(kept); i++) {
		struct head h;

		assert_int_equal(
		    parse_at_once(kept[i].bytes, strlen(kept[i].bytes), &h), HEAD_DONE);
		if (h.close != kept[i].close)
			fail_msg("%s", kept[i].bytes);
	}
}

static void
every_field_is_found_by_its_name(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FIELD_END; f++) {
		const char *name = field_name((enum field)f);
		char upper[64];
		size_t n = strlen(name);

		for (size_t i = 0; i < n; i++)
			upper[i] =
			    name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
		if (field_lookup(name, n) != f || field_lookup(upper, n) != f)
			fail_msg("%s", name);
	}
	assert_int_equal(field_lookup("hosts", 5), FIELD_END);
	assert_int_equal(field_lookup("", 0), FIELD_END);
}

static void
list_elements_come_one_by_one(void **state)
{
	struct span rest = span_of(" a ,, \"b,\\\"c\" ,\td;q=1,"), w;

	(void)state;
	assert_true(span_word(&rest, &w));
	assert_true(span_equal(w, "a"));
	assert_true(span_word(&rest, &w));
	assert_true(span_equal(w, "\"b,\\\"c\""));
	assert_true(span_word(&rest, &w));
	assert_true(span_equal(w, "d;q=1"));
	assert_false(span_word(&rest, &w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_gives_its_verdict),
		cmocka_unit_test(each_rule_cut_at_every_byte_gives_the_same),
		cmocka_unit_test(limits_bind_at_the_same_byte_however_cut),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(each_byte_of_a_value_gives_its_verdict_wherever_it_is),
		cmocka_unit_test(what_was_read_is_right),
		cmocka_unit_test(keep_alive_by_version_and_option),
		cmocka_unit_test(every_field_is_found_by_its_name),
		cmocka_unit_test(list_elements_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
