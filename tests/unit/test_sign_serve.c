/*
 * test_sign_serve.c - signer/serve.h, keys.h and limit.h without a process around them.
 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "signer/limit.h"
#include "signer/serve.h"

static char dir[] = "/tmp/sp-keys-XXXXXX";

static void
write_key(const char *name, EVP_PKEY *pkey)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	EVP_PKEY_free(pkey);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a.key", dir);
	return unlink(path) == 0 ? rmdir(dir) : -1;
}

static size_t
request(union sign_msg *m, const struct signer_key *key, unsigned scheme)
{
	uint8_t text[64 + 34 + 32];
	const size_t len = sign_begin(m, SIGN_SIGN, 9);

	memset(text, ' ', 64);
	memcpy(text + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(text + 98, 0xab, 32);
	memcpy(m->sign.key, key->id, sizeof(m->sign.key));
	m->sign.scheme = (uint16_t)scheme;
	assert_int_equal(sign_set_tbs(&m->sign, text, sizeof(text)), 0);
	return len;
}

static void
a_reload_keeps_old_keys_for_a_while_and_lists_only_new_ones(void **state)
{
	const struct key_sources src = { .directory = dir };
	struct keyset set = { 0 };
	struct signer_key old;
	union sign_msg in, out;
	struct serve_note note;
	struct why why;
	size_t len;

	(void)state;
	write_key("a.key", EVP_EC_gen("P-256"));
	assert_int_equal(keyset_load(&set, &src, 5, &why), 0);
	old = set.keys[0];
	write_key("a.key", EVP_EC_gen("P-256"));
	assert_int_equal(keyset_load(&set, &src, 100, &why), 0);
	assert_int_equal(set.n, 2);
	assert_int_equal(keyset_current(&set), 1);
	len = sign_begin(&in, SIGN_LIST, 1);
	assert_int_equal(serve_request(&set, &in, len, &out, &note), sizeof(out.key));
	assert_int_equal(out.key.total, 1);
	assert_memory_not_equal(out.key.key, old.id, sizeof(old.id));
	len = request(&in, &old, 0x0403);
	assert_int_equal(serve_request(&set, &in, len, &out, &note), sizeof(out.signature));
	assert_int_equal(out.signature.status, SIGN_OK);
	assert_int_equal(keyset_expire(&set, 50, 10), 0); /* a clock that seems to go back */
	assert_int_equal(keyset_expire(&set, 109, 10), 0);
	assert_int_equal(keyset_expire(&set, 110, 10), 1);
	assert_int_equal(serve_request(&set, &in, len, &out, &note), sizeof(out.signature));
	assert_int_equal(out.signature.status, SIGN_UNKNOWN_KEY);
	keyset_done(&set);
}

static void
a_key_that_comes_back_is_current_again(void **state)
{
	const struct key_sources src = { .directory = dir };
	EVP_PKEY *first = EVP_EC_gen("P-256");
	struct keyset set = { 0 };
	struct why why;

	(void)state;
	assert_int_equal(EVP_PKEY_up_ref(first), 1);
	write_key("a.key", first);
	assert_int_equal(keyset_load(&set, &src, 1, &why), 0);
	write_key("a.key", EVP_EC_gen("P-384"));
	assert_int_equal(keyset_load(&set, &src, 2, &why), 0);
	write_key("a.key", first);
	assert_int_equal(keyset_load(&set, &src, 3, &why), 0);
	assert_int_equal(set.n, 2);
	assert_int_equal(set.keys[0].kind, SIGN_KIND_P256);
	assert_int_equal(set.keys[0].retired_usec, 0);
	assert_int_equal(set.keys[1].retired_usec, 3);
	keyset_done(&set);
}

static void
the_same_key_twice_is_an_error_that_changes_nothing(void **state)
{
	const struct key_sources src = { .directory = dir };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct keyset set = { 0 };
	struct why why;
	char path[64];
	uint64_t generation;

	(void)state;
	assert_int_equal(EVP_PKEY_up_ref(key), 1);
	write_key("a.key", key);
	assert_int_equal(keyset_load(&set, &src, 1, &why), 0);
	generation = set.generation;
	write_key("b.key", key);
	assert_int_equal(keyset_load(&set, &src, 2, &why), -EEXIST);
	assert_non_null(strstr(why.text, "b.key: the same key as a.key"));
	assert_int_equal(set.n, 1);
	assert_int_equal(set.generation, generation);
	(void)snprintf(path, sizeof(path), "%s/b.key", dir);
	assert_int_equal(unlink(path), 0);
	keyset_done(&set);
}

static void
a_bucket_lets_a_burst_through_and_then_its_rate(void **state)
{
	struct limit l;
	unsigned taken = 0;

	(void)state;
	limit_init(&l, 10, 5);
	for (int i = 0; i < 100; i++)
		taken += limit_take(&l, 1000);
	assert_int_equal(taken, 5);
	assert_int_equal(limit_wait(&l, 1000), 100000);
	assert_false(limit_take(&l, 100999));
	assert_true(limit_take(&l, 101000));
	taken = 0;
	for (int i = 0; i < 100; i++) /* after a long rest: the burst, not more */
		taken += limit_take(&l, UINT64_C(3600000000));
	assert_int_equal(taken, 5);
	limit_init(&l, 0, 0); /* no limit */
	for (int i = 0; i < 100; i++)
		assert_true(limit_take(&l, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reload_keeps_old_keys_for_a_while_and_lists_only_new_ones),
		cmocka_unit_test(a_key_that_comes_back_is_current_again),
		cmocka_unit_test(the_same_key_twice_is_an_error_that_changes_nothing),
		cmocka_unit_test(a_bucket_lets_a_burst_through_and_then_its_rate),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
