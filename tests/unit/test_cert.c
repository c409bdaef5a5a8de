/*
 * test_cert.c - worker/tls/cert.h: what a certificate file may hold, and which host a name covers.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "worker/tls/cert.h"
#include "worker/tls/hello.h"

static char dir[] = "/tmp/sp-cert-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/cert", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void
put_certificate(FILE *f, EVP_PKEY *pkey, const char *names)
{
	X509 *x = X509_new();
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

	assert_non_null(ext);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(X509_set_pubkey(x, pkey), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 1000));
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	X509_EXTENSION_free(ext);
	X509_free(x);
}

static FILE *
open_file(void)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	return f;
}

static void
names_cover_hosts_as_rfc_9525_says(void **state)
{
	static const struct {
		const char *name, *host;
		bool want;
	} cases[] = {
		{ "a.test", "a.test", true },
		{ "a.test", "b.a.test", false },
		{ "*.a.test", "b.a.test", true },
		{ "*.a.test", "c.b.a.test", false },
		{ "*.a.test", "a.test", false },
		{ "*.a.test", ".a.test", false },
		{ "*", "a", false },
		{ "b*.a.test", "bc.a.test", false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (cert_name_covers(cases[i].name, cases[i].host) != cases[i].want)
			fail_msg("%s for %s", cases[i].name, cases[i].host);
}

static void
leaf_chain_and_names_are_read(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct why note = { "" }, why = { "" };
	struct cert c;
	FILE *f = open_file();

	(void)state;
	put_certificate(f, pkey, "DNS:A.Test,DNS:*.w.test,IP:127.0.0.1,DNS:bad name,DNS:x_1.test");
	put_certificate(f, pkey, "DNS:issuer");
	(void)fclose(f);
	assert_int_equal(cert_load(path, 0, &c, &note, &why), 0);
	assert_int_equal(sk_X509_num(c.chain), 1);
	assert_int_equal(c.type, EVP_PKEY_EC);
	assert_int_equal(c.n_names, 3);
	assert_string_equal(c.names[0], "a.test");
	assert_string_equal(c.names[1], "*.w.test");
	assert_string_equal(c.names[2], "x_1.test");
	assert_string_equal(note.text, "");
	cert_done(&c);
	cert_done(&c); /* empty now */
	EVP_PKEY_free(pkey);
}

static void
a_private_key_in_the_file_is_refused(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct why note = { "" }, why = { "" };
	struct cert c;
	FILE *f = open_file();

	(void)state;
	put_certificate(f, pkey, "DNS:a.test");
	assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	assert_int_equal(cert_load(path, 0, &c, &note, &why), -EPERM);
	assert_non_null(strstr(why.text, "private key"));
	EVP_PKEY_free(pkey);
}

static void
what_is_no_certificate_is_named(void **state)
{
	struct why note = { "" }, why = { "" };
	struct cert c;
	FILE *f = open_file();

	(void)state;
	(void)fputs("no PEM at all\n", f);
	(void)fclose(f);
	assert_int_equal(cert_load(path, 0, &c, &note, &why), -EBADMSG);
	assert_non_null(strstr(why.text, path));
	f = open_file();
	(void)fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
	(void)fclose(f);
	assert_int_equal(cert_load(path, 0, &c, &note, &why), -EBADMSG);
	assert_int_equal(cert_load("/nonexistent/x", 0, &c, &note, &why), -ENOENT);
}

static void
the_host_of_a_hello_is_read_strictly(void **state)
{
	static const struct {
		const char *ext;
		size_t len;
		const char *host;
	} cases[] = {
		{ "\0\7\0\0\4a.tt", 9, "a.tt" },
		{ "\0\7\0\0\4a.tt", 8, NULL }, /* cut */
		{ "\0\6\0\0\4a.tt", 9, NULL }, /* the list is longer than it says */
		{ "\0\7\1\0\4a.tt", 9, NULL }, /* no host */
		{ "\0\7\0\0\3a.tt", 9, NULL }, /* something behind it */
		{ "\0\7\0\0\5a.tt", 9, NULL },
		{ "\0\7\0\0\4a\0tt", 9, NULL },
		{ "\0\3\0\0\0", 5, NULL }, /* empty */
		{ "\0\3\0\0", 4, NULL },
		{ "", 0, NULL },
	};
	unsigned char longest[5 + 256] = { 1, 3, 0, 1, 0 };
	char host[HELLO_HOST_BYTES];

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *got =
		    hello_host((const unsigned char *)cases[i].ext, cases[i].len, host);

		assert_int_equal(!got, !cases[i].host);
		if (got)
			assert_string_equal(got, cases[i].host);
	}
	memset(longest + 5, 'a', 256);
	assert_null(hello_host(longest, sizeof(longest), host));
	longest[1] = 2, longest[3] = 0, longest[4] = 255;
	assert_non_null(hello_host(longest, sizeof(longest) - 1, host));
	assert_int_equal(strlen(host), 255);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_cover_hosts_as_rfc_9525_says),
		cmocka_unit_test(leaf_chain_and_names_are_read),
		cmocka_unit_test(a_private_key_in_the_file_is_refused),
		cmocka_unit_test(what_is_no_certificate_is_named),
		cmocka_unit_test(the_host_of_a_hello_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
