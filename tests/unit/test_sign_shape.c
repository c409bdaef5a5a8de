/*
 * test_sign_shape.c - signer/shape.h and scheme.h: the two shapes, everything near them, and which
 * key may sign which of them how.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "signer/scheme.h"
#include "signer/shape.h"

static size_t
tls13(uint8_t *out, const char *context, size_t hash)
{
	memset(out, ' ', 64);
	memcpy(out + 64, context, strlen(context) + 1);
	memset(out + 64 + strlen(context) + 1, 0xaa, hash);
	return 64 + strlen(context) + 1 + hash;
}

static size_t
tls12(uint8_t *out, unsigned group, unsigned bytes, unsigned first)
{
	memset(out, 0x5a, 64);
	out[64] = 3;
	out[65] = (uint8_t)(group >> 8);
	out[66] = (uint8_t)group;
	out[67] = (uint8_t)bytes;
	memset(out + 68, 0x77, bytes);
	out[68] = (uint8_t)first;
	return 68 + bytes;
}

static void
certificate_verify_of_a_server_is_the_only_tls13_shape(void **state)
{
	static const char server[] = "TLS 1.3, server CertificateVerify";
	static const struct {
		const char *label;
		const char *context;
		size_t hash;
		enum sign_shape want;
	} cases[] = {
		{ "SHA-256 transcript", server, 32, SHAPE_TLS13 },
		{ "SHA-384 transcript", server, 48, SHAPE_TLS13 },
		{ "no hash", server, 0, SHAPE_NONE },
		{ "one byte short", server, 31, SHAPE_NONE },
		{ "one byte more", server, 33, SHAPE_NONE },
		{ "a SHA-512 one: no suite has it", server, 64, SHAPE_NONE },
		{ "client", "TLS 1.3, client CertificateVerify", 32, SHAPE_NONE },
		{ "delegated credential", "TLS, server delegated credentials", 32, SHAPE_NONE },
		{ "exported authenticator", "Exported Authenticator", 32, SHAPE_NONE },
	};
	uint8_t text[256];

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		if (shape_of(text, tls13(text, cases[i].context, cases[i].hash)) != cases[i].want)
			fail_msg("%s", cases[i].label);
	for (size_t i = 0; i < 64 + sizeof(server); i++) { /* any single byte of the frame */
		const size_t len = tls13(text, server, 32);

		text[i] ^= 0x80;
		assert_int_equal(shape_of(text, len), SHAPE_NONE);
	}
}

static void
ecdhe_parameters_are_the_only_tls12_shape(void **state)
{
	static const struct {
		const char *label;
		unsigned group, bytes, first;
		enum sign_shape want;
	} cases[] = {
		{ "P-256", 23, 65, 4, SHAPE_TLS12 },
		{ "P-384", 24, 97, 4, SHAPE_TLS12 },
		{ "P-521", 25, 133, 4, SHAPE_TLS12 },
		{ "X25519", 29, 32, 0x99, SHAPE_TLS12 },
		{ "X448", 30, 56, 0x99, SHAPE_TLS12 },
		{ "compressed point", 23, 33, 2, SHAPE_NONE },
		{ "right length, wrong format", 23, 65, 2, SHAPE_NONE },
		{ "length of another group", 23, 97, 4, SHAPE_NONE },
		{ "unknown group", 26, 65, 4, SHAPE_NONE },
		{ "FFDHE group number", 256, 32, 4, SHAPE_NONE },
	};
	uint8_t text[256] = { 0 };

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const size_t len = tls12(text, cases[i].group, cases[i].bytes, cases[i].first);

		if (shape_of(text, len) != cases[i].want)
			fail_msg("%s", cases[i].label);
		assert_int_equal(shape_of(text, len - 1), SHAPE_NONE);
		assert_int_equal(shape_of(text, len + 1), SHAPE_NONE);
	}
	for (unsigned type = 0; type < 256; type++) { /* explicit curves are types 1 and 2 */
		const size_t len = tls12(text, 23, 65, 4);

		text[64] = (uint8_t)type;
		assert_int_equal(shape_of(text, len), type == 3 ? SHAPE_TLS12 : SHAPE_NONE);
	}
}

static void
what_other_protocols_sign_has_no_shape(void **state)
{
	static const char jwt[] = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9."
				  "eyJpc3MiOiJodHRwczovL2V4YW1wbGUub3JnIiwic3ViIjoiYWRtaW4iLCJleH"
				  "AiOjk5OTk5OTk5OTl9";
	uint8_t bytes[256];

	(void)state;
	assert_int_equal(shape_of((const uint8_t *)jwt, strlen(jwt)), SHAPE_NONE);
	memset(bytes, 0xab, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n++) /* bare digests among them */
		assert_int_equal(shape_of(bytes, n), SHAPE_NONE);
	memset(bytes, ' ', sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n++)
		assert_int_equal(shape_of(bytes, n), SHAPE_NONE);
}

static void
schemes_follow_the_tls_version(void **state)
{
	static const struct {
		unsigned code;
		enum sign_kind kind;
		bool tls12, tls13;
	} cases[] = {
		{ 0x0403, SIGN_KIND_P256, true, true },
		{ 0x0403, SIGN_KIND_P384, true, false },
		{ 0x0503, SIGN_KIND_P384, true, true },
		{ 0x0503, SIGN_KIND_P256, true, false },
		{ 0x0401, SIGN_KIND_RSA, true, false },
		{ 0x0804, SIGN_KIND_RSA, true, true },
		{ 0x0807, SIGN_KIND_ED25519, true, true },
		{ 0x0807, SIGN_KIND_P256, false, false },
		{ 0x0403, SIGN_KIND_RSA, false, false },
		{ 0x0401, SIGN_KIND_P256, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const struct sign_scheme *s = scheme_by_code(cases[i].code);

		assert_non_null(s);
		assert_int_equal(scheme_allowed(s, cases[i].kind, SHAPE_TLS12), cases[i].tls12);
		assert_int_equal(scheme_allowed(s, cases[i].kind, SHAPE_TLS13), cases[i].tls13);
		assert_false(scheme_allowed(s, cases[i].kind, SHAPE_NONE));
	}
	assert_null(scheme_by_code(0x0201)); /* rsa_pkcs1_sha1 */
	assert_null(scheme_by_code(0x0203)); /* ecdsa_sha1 */
	assert_null(scheme_by_code(0));
}

static void
the_scheme_is_found_by_what_libssl_says(void **state)
{
	(void)state;
	assert_int_equal(scheme_for(SIGN_KIND_P256, "SHA2-256", false)->code, 0x0403);
	assert_int_equal(scheme_for(SIGN_KIND_P384, "sha384", false)->code, 0x0503);
	assert_int_equal(scheme_for(SIGN_KIND_RSA, "SHA256", true)->code, 0x0804);
	assert_int_equal(scheme_for(SIGN_KIND_RSA, "SHA-512", false)->code, 0x0601);
	assert_int_equal(scheme_for(SIGN_KIND_ED25519, NULL, false)->code, 0x0807);
	assert_null(scheme_for(SIGN_KIND_ED25519, "SHA256", false));
	assert_null(scheme_for(SIGN_KIND_RSA, "SHA1", false));
	assert_null(scheme_for(SIGN_KIND_RSA, "SHA3-256", false));
	assert_null(scheme_for(SIGN_KIND_P256, NULL, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_verify_of_a_server_is_the_only_tls13_shape),
		cmocka_unit_test(ecdhe_parameters_are_the_only_tls12_shape),
		cmocka_unit_test(what_other_protocols_sign_has_no_shape),
		cmocka_unit_test(schemes_follow_the_tls_version),
		cmocka_unit_test(the_scheme_is_found_by_what_libssl_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
