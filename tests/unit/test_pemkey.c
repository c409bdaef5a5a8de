/*
 * test_pemkey.c - launcher/ctl/pemkey.h, against keys that OpenSSL makes and writes.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "launcher/ctl/pemkey.h"

/* A key as a PEM text, and what was found in that. */
struct sample {
	char text[16384];
	size_t len;
	struct pem_pattern patterns[PEMKEY_PATTERNS_MAX];
	int n;
};

static void
sample_make(EVP_PKEY *key, bool traditional, struct sample *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct why why = { "" };
	char *data;

	(void)BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBgU=\n-----END EC PARAMETERS-----\n");
	if (traditional)
		assert_int_equal(
		    PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_int_equal(
		    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	ret->len = (size_t)BIO_get_mem_data(bio, &data);
	assert_true(ret->len < sizeof(ret->text));
	memcpy(ret->text, data, ret->len);
	BIO_free(bio);
	ret->n = pemkey_read((struct span){ ret->text, ret->len }, ret->patterns, &why);
	assert_string_equal(why.text, "");
}

/* The number is among the patterns in both orders, under this name. */
static void
assert_number(const struct sample *s, const char *what, const unsigned char *big, size_t len)
{
	unsigned char little[1024];
	unsigned found = 0;

	for (size_t i = 0; i < len; i++)
		little[len - 1 - i] = big[i];
	for (int i = 0; i < s->n; i++) {
		const struct pem_pattern *p = &s->patterns[i];

		if (strcmp(p->what, what) != 0)
			continue;
		found += memmem(big, len, p->bytes, p->len) != NULL;
		found += memmem(little, len, p->bytes, p->len) != NULL;
	}
	assert_int_equal(found, 2);
}

static void
assert_bignum(const struct sample *s, const char *what, EVP_PKEY *key, const char *name)
{
	unsigned char big[1024];
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	assert_number(s, what, big, (size_t)BN_bn2bin(n, big));
	BN_clear_free(n);
}

static void
assert_text(const struct sample *s)
{
	const struct pem_pattern *p = &s->patterns[s->n - 1];

	assert_string_equal(p->what, "text");
	assert_in_range(p->len, 16, 64);
	assert_non_null(memmem(s->text, s->len, p->bytes, p->len));
}

static void
numbers_of_rsa_keys_are_found(void **state)
{
	static const char *const names[][2] = { { "d", OSSL_PKEY_PARAM_RSA_D },
		{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1 }, { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
		{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 }, { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
		{ "qinv", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 } };
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct sample s;

	(void)state;
	for (int traditional = 0; traditional < 2; traditional++) {
		sample_make(key, traditional, &s);
		assert_int_equal(s.n, 13);
		for (size_t i = 0; i < ELEMENTSOF(names); i++)
			assert_bignum(&s, names[i][0], key, names[i][1]);
		assert_text(&s);
	}
	EVP_PKEY_free(key);
}

static void
scalars_are_found(void **state)
{
	static const char *const curves[] = { "P-256", "P-384" };
	struct sample s;

	(void)state;
	for (int i = 0; i < 200; i++) { /* some begin with a zero, or with a tag */
		EVP_PKEY *key = EVP_EC_gen(curves[i % 2]);

		sample_make(key, i % 4 < 2, &s);
		assert_int_equal(s.n, 3);
		assert_bignum(&s, "scalar", key, OSSL_PKEY_PARAM_PRIV_KEY);
		assert_text(&s);
		EVP_PKEY_free(key);
	}
}

static void
seeds_are_found(void **state)
{
	unsigned char seed[32];
	size_t len = sizeof(seed);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct sample s;

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_private_key(key, seed, &len), 1);
	sample_make(key, false, &s);
	assert_int_equal(s.n, 3);
	assert_number(&s, "scalar", seed, len);
	assert_text(&s);
	EVP_PKEY_free(key);
}

static void
other_texts(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "", 0 },
		{ "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 0 },
		{ "-----BEGIN PRIVATE KEY-----", 0 },
		{ "-----BEGIN PRIVATE KEY-----\nMAA=\n", -EBADMSG },
		{ "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", -EBADMSG },
		{ "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n", -EBADMSG },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END", -EBADMSG },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END \n", -EPERM },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END \n",
		    -EPERM },
		/* A length that is not there; one of four bytes; an octet string that ends early. */
		{ "-----BEGIN PRIVATE KEY-----\nMP8=\n-----END \n", -EBADMSG },
		{ "-----BEGIN PRIVATE KEY-----\nMIQAAAAA\n-----END \n", -EBADMSG },
		{ "-----BEGIN PRIVATE KEY-----\nMAcCAQAEEAEC\n-----END \n", -EBADMSG },
	};
	struct pem_pattern patterns[PEMKEY_PATTERNS_MAX];

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct why why = { "" };

		print_message("%zu\n", i);
		assert_int_equal(
		    pemkey_read(span_of(cases[i].text), patterns, &why), cases[i].result);
		assert_int_equal(why.text[0] != '\0', cases[i].result < 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_rsa_keys_are_found),
		cmocka_unit_test(scalars_are_found),
		cmocka_unit_test(seeds_are_found),
		cmocka_unit_test(other_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
