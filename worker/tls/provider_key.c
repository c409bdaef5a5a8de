/*
 * provider_key.c - key objects of the provider: OSSL_OP_KEYMGMT for EC, RSA and Ed25519.
 * Runs as: worker, no rights.
 * Tests:   tests/unit/test_provider.c
 */
#include "worker/tls/provider_int.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#define SELECT_PUBLIC (OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS)

static void *
key_new(const char *type)
{
	struct provider_key *key = calloc(1, sizeof(*key));

	if (key)
		key->type = type;
	return key;
}

static void *
key_new_ec(void *context)
{
	(void)context;
	return key_new("EC");
}

static void *
key_new_rsa(void *context)
{
	(void)context;
	return key_new("RSA");
}

static void *
key_new_ed25519(void *context)
{
	(void)context;
	return key_new("ED25519");
}

static void
key_free(void *data)
{
	struct provider_key *key = data;

	if (!key)
		return;
	EVP_PKEY_free(key->public);
	free(key);
}

static int
key_has(const void *data, int selection)
{
	const struct provider_key *key = data;

	if (!key || !key->public)
		return 0;
	return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || key->kind != 0;
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct provider_key *ka = a, *kb = b;

	(void)selection; /* the public half decides about all of it */
	return ka->public && kb->public && EVP_PKEY_eq(ka->public, kb->public) == 1;
}

static enum sign_kind
key_kind(const struct provider_key *key)
{
	if (strcmp(key->type, "RSA") == 0)
		return SIGN_KIND_RSA;
	if (strcmp(key->type, "ED25519") == 0)
		return SIGN_KIND_ED25519;
	return EVP_PKEY_get_bits(key->public) == 384 ? SIGN_KIND_P384 : SIGN_KIND_P256;
}

static void
key_remember(struct provider_key *key)
{
	key->bits = EVP_PKEY_get_bits(key->public);
	key->security_bits = EVP_PKEY_get_security_bits(key->public);
	key->max_size = EVP_PKEY_get_size(key->public);
	if (EVP_PKEY_get_group_name(key->public, key->group, sizeof(key->group), NULL) != 1)
		key->group[0] = '\0';
}

static int
key_import(void *data, int selection, const OSSL_PARAM params[])
{
	struct provider_key *key = data;
	const OSSL_PARAM *id = OSSL_PARAM_locate_const(params, PROVIDER_PARAM_ID);
	EVP_PKEY_CTX *ctx;
	int ok;

	if (!key || key->public || !(selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY))
		return 0;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, key->type, "provider=default");
	ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(
		 ctx, &key->public, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (ok)
		key_remember(key);
	if (!ok || !id)
		return ok;
	if (id->data_type != OSSL_PARAM_OCTET_STRING || id->data_size != sizeof(key->id))
		return 0;
	memcpy(key->id, id->data, sizeof(key->id));
	key->kind = key_kind(key);
	return 1;
}

static int
key_export(void *data, int selection, OSSL_CALLBACK *done, void *arg)
{
	struct provider_key *key = data;
	OSSL_PARAM *params = NULL;
	int ok;

	/*
	 * Never with the private bit: libcrypto tries to move the whole key to the default provider
	 * first, and a public half would be taken for it ("missing private key", much later).
	 */
	if (!key || !key->public || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY))
		return 0;
	ok = EVP_PKEY_todata(key->public, selection & SELECT_PUBLIC, &params) == 1 &&
	     done(params, arg) == 1;
	OSSL_PARAM_free(params);
	return ok;
}

static const OSSL_PARAM *
types_ec(int selection)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_octet_string(PROVIDER_PARAM_ID, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return params;
}

static const OSSL_PARAM *
types_rsa(int selection)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_octet_string(PROVIDER_PARAM_ID, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return params;
}

static const OSSL_PARAM *
types_ed25519(int selection)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_octet_string(PROVIDER_PARAM_ID, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return params;
}

/* Return: 1 answered, 0 the answer does not fit, -1 not known here. */
static int
key_get_one(const struct provider_key *key, OSSL_PARAM *p)
{
	if (strcmp(p->key, OSSL_PKEY_PARAM_GROUP_NAME) == 0 && key->group[0])
		return OSSL_PARAM_set_utf8_string(p, key->group);
	if (strcmp(p->key, OSSL_PKEY_PARAM_BITS) == 0)
		return OSSL_PARAM_set_int(p, key->bits);
	if (strcmp(p->key, OSSL_PKEY_PARAM_SECURITY_BITS) == 0)
		return OSSL_PARAM_set_int(p, key->security_bits);
	if (strcmp(p->key, OSSL_PKEY_PARAM_MAX_SIZE) == 0)
		return OSSL_PARAM_set_int(p, key->max_size);
	return -1;
}

/* libssl asks for these one at a time, several in each handshake; the public half knows the rest. */
static int
key_get_params(void *data, OSSL_PARAM params[])
{
	const struct provider_key *key = data;

	if (!key || !key->public)
		return 0;
	for (OSSL_PARAM *p = params; p && p->key; p++) {
		const int r = key_get_one(key, p);

		if (r < 0)
			return EVP_PKEY_get_params(key->public, params) == 1;
		if (r == 0)
			return 0;
	}
	return 1;
}

static const OSSL_PARAM *
key_gettable(void *context)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)context;
	return params;
}

static const char *
operation_name_ec(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGNATURE_EC : NULL;
}

static const char *
operation_name_rsa(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGNATURE_RSA : NULL;
}

static const char *
operation_name_ed25519(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? PROVIDER_SIGNATURE_ED25519 : NULL;
}

/* clang-format off */
#define KEYMGMT(type) \
	static const OSSL_DISPATCH keymgmt_##type[] = { \
		{ OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))key_new_##type }, \
		{ OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))key_free }, \
		{ OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has }, \
		{ OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))key_match }, \
		{ OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))key_import }, \
		{ OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))types_##type }, \
		{ OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))key_export }, \
		{ OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))types_##type }, \
		{ OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))key_get_params }, \
		{ OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))key_gettable }, \
		{ OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))operation_name_##type }, \
		{ 0, NULL }, \
	}
/* clang-format on */

KEYMGMT(ec);
KEYMGMT(rsa);
KEYMGMT(ed25519);

const OSSL_ALGORITHM provider_keymgmts[] = {
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROVIDER_OF_KEYS, keymgmt_ec, NULL },
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROVIDER_OF_KEYS, keymgmt_rsa, NULL },
	{ "ED25519:1.3.101.112", PROVIDER_OF_KEYS, keymgmt_ed25519, NULL },
	{ NULL, NULL, NULL, NULL },
};
