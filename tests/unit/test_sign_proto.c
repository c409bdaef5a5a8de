/*
 * test_sign_proto.c - signer/proto.h: what passes sign_check() and every way not to.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "signer/proto.h"

static size_t
good_request(union sign_msg *m)
{
	static const uint8_t text[] = "text";
	size_t len = sign_begin(m, SIGN_SIGN, 7);

	assert_int_equal(sign_set_tbs(&m->sign, text, sizeof(text)), 0);
	return len;
}

static size_t
good_key(union sign_msg *m)
{
	size_t len = sign_begin(m, SIGN_KEY, 7);

	m->key.generation = 1;
	m->key.total = 1;
	m->key.kind = SIGN_KIND_P256;
	m->key.spki_len = 91;
	m->key.spki[90] = 1;
	return len;
}

static size_t
good_signature(union sign_msg *m)
{
	size_t len = sign_begin(m, SIGN_SIGNATURE, 7);

	m->signature.sig_len = 64;
	return len;
}

static void
each_type_passes_from_its_own_side_only(void **state)
{
	union sign_msg m;
	size_t len;

	(void)state;
	len = sign_begin(&m, SIGN_LIST, 1);
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), SIGN_LIST);
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	len = good_request(&m);
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), SIGN_SIGN);
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	len = good_key(&m);
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), SIGN_KEY);
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
	len = good_signature(&m);
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), SIGN_SIGNATURE);
	len = sign_begin(&m, SIGN_CHANGED, 0);
	m.changed.generation = 3;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), SIGN_CHANGED);
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
}

static void
every_other_size_is_refused(void **state)
{
	union sign_msg m;
	const size_t len = good_request(&m);

	(void)state;
	for (size_t n = 0; n <= sizeof(m); n++)
		if (n != len)
			assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, n), -EBADMSG);
}

static void
another_version_is_told_apart(void **state)
{
	union sign_msg m;
	const size_t len = good_request(&m);

	(void)state;
	m.head.version = SIGN_VERSION + 1;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EPROTONOSUPPORT);
	m.head.version = 0;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EPROTONOSUPPORT);
}

static void
request_fields_are_checked(void **state)
{
	union sign_msg m;
	size_t len = good_request(&m);

	(void)state;
	m.head.id = 0;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
	(void)good_request(&m);
	m.sign.tbs_len = 0;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
	(void)good_request(&m);
	m.sign.tbs_len = SIGN_TBS_MAX + 1;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
	(void)good_request(&m);
	m.sign.tbs[SIGN_TBS_MAX - 1] = 1; /* left over behind the text */
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
	len = sign_begin(&m, SIGN_LIST, 1);
	m.list.index = SIGN_KEYS_MAX;
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, len), -EBADMSG);
}

static void
reply_fields_are_checked(void **state)
{
	union sign_msg m;
	size_t len = good_signature(&m);

	(void)state;
	m.signature.status = SIGN_REFUSED_SHAPE; /* a refusal with a signature in it */
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	m.signature.sig_len = 0;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), SIGN_SIGNATURE);
	m.signature.status = SIGN_STATUS_END;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	(void)good_signature(&m);
	m.signature.sig_len = SIGN_SIG_MAX + 1;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	len = good_key(&m);
	m.key.kind = SIGN_KIND_END;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	(void)good_key(&m);
	m.key.spki_len = SIGN_SPKI_MAX + 1;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	(void)good_key(&m);
	m.key.index = 1; /* beyond the end, yet a key is in it */
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
	(void)good_key(&m);
	m.key.generation = 0;
	assert_int_equal(sign_check(SIGN_FROM_SIGNER, &m, len), -EBADMSG);
}

static void
text_that_is_too_long_never_enters_a_request(void **state)
{
	static const uint8_t text[SIGN_TBS_MAX + 1] = { 1 };
	union sign_msg m;

	(void)state;
	(void)sign_begin(&m, SIGN_SIGN, 1);
	assert_int_equal(sign_set_tbs(&m.sign, text, sizeof(text)), -EMSGSIZE);
	assert_int_equal(sign_set_tbs(&m.sign, text, 0), -EMSGSIZE);
	assert_int_equal(m.sign.tbs_len, 0);
	assert_int_equal(sign_set_tbs(&m.sign, text, SIGN_TBS_MAX), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_passes_from_its_own_side_only),
		cmocka_unit_test(every_other_size_is_refused),
		cmocka_unit_test(another_version_is_told_apart),
		cmocka_unit_test(request_fields_are_checked),
		cmocka_unit_test(reply_fields_are_checked),
		cmocka_unit_test(text_that_is_too_long_never_enters_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
