/*
 * provider.c - see provider.h.
 */
#include "worker/tls/provider.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "worker/tls/provider_int.h"

static struct {
	struct keyd_client *client;
	OSSL_PROVIDER *standard, *ours;
} provider_state;

struct keyd_client *
provider_client(void)
{
	return provider_state.client;
}

static const OSSL_PARAM *
provider_gettable(void *context)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, NULL, 0),
		OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)context;
	return params;
}

static int
provider_get_params(void *context, OSSL_PARAM params[])
{
	OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);

	(void)context;
	if (p && OSSL_PARAM_set_utf8_ptr(p, "Sallyport, keys in another process") != 1)
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
	return !p || OSSL_PARAM_set_utf8_ptr(p, SALLYPORT_VERSION) == 1;
}

static const OSSL_ALGORITHM *
provider_query(void *context, int operation, int *no_store)
{
	(void)context;
	*no_store = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return provider_keymgmts;
	case OSSL_OP_SIGNATURE:
		return provider_signatures;
	case OSSL_OP_KDF:
		return provider_kdfs;
	default:
		return NULL;
	}
}

static const OSSL_DISPATCH provider_dispatch[] = {
	{ OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))provider_gettable },
	{ OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))provider_get_params },
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query },
	{ 0, NULL },
};

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
    void **context)
{
	(void)in;
	*context = (void *)(uintptr_t)handle;
	*out = provider_dispatch;
	return 1;
}

/* What is fetched without a property: no key of ours, but our key schedule. See property(7). */
#define QUERY "?sallyport.key!=remote,?sallyport.kdf=lean"

/* Only slower when it is not so, but that should be known. */
static bool
provider_has_kdf(void)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
	const bool ours = kdf && EVP_KDF_get0_provider(kdf) == provider_state.ours;

	EVP_KDF_free(kdf);
	return ours;
}

/*
 * Are key objects still the default provider's, unless ours are asked for by property? libcrypto may
 * have forgotten what it had of the default provider when ours came; to ask for it reminds it.
 */
static bool
provider_is_apart(void)
{
	static const char *const types[] = { "EC", "RSA", "ED25519" };
	bool ok = true;

	for (size_t i = 0; i < ELEMENTSOF(types); i++) {
		EVP_KEYMGMT *theirs = EVP_KEYMGMT_fetch(NULL, types[i], "provider=default");
		EVP_KEYMGMT *found = EVP_KEYMGMT_fetch(NULL, types[i], NULL);

		ok = ok && theirs && found &&
		     EVP_KEYMGMT_get0_provider(found) == EVP_KEYMGMT_get0_provider(theirs);
		EVP_KEYMGMT_free(theirs);
		EVP_KEYMGMT_free(found);
	}
	return ok;
}

/*
 * The order matters: loaded alone ours would switch the implicit default off, and loaded first it
 * would be asked for every EC key of the process.
 */
int
provider_load(struct keyd_client *client, struct why *why)
{
	provider_state.client = client;
	provider_state.standard = OSSL_PROVIDER_load(NULL, "default");
	if (!provider_state.standard)
		return why_set(why, -EIO, "OpenSSL's default provider");
	if (EVP_set_default_properties(NULL, QUERY) != 1 ||
	    OSSL_PROVIDER_add_builtin(NULL, PROVIDER_NAME, provider_init) != 1)
		return why_set(why, -EIO, "OpenSSL provider %s", PROVIDER_NAME);
	provider_state.ours = OSSL_PROVIDER_load(NULL, PROVIDER_NAME);
	if (!provider_state.ours)
		return why_set(why, -EIO, "OpenSSL provider %s", PROVIDER_NAME);
	if (!provider_kdf_ready() || !provider_has_kdf())
		return why_set(why, -EIO, "OpenSSL provider %s: TLS13-KDF", PROVIDER_NAME);
	if (!provider_is_apart())
		return why_set(
		    why, -EIO, "OpenSSL provider %s hides the default one", PROVIDER_NAME);
	return 0;
}

void
provider_unload(void)
{
	provider_kdf_done();
	if (provider_state.ours)
		(void)OSSL_PROVIDER_unload(provider_state.ours); /* at the end; it can only leak */
	if (provider_state.standard)
		(void)OSSL_PROVIDER_unload(provider_state.standard);
	provider_state.ours = provider_state.standard = NULL;
}

static EVP_PKEY *
key_from_params(const char *type, const OSSL_PARAM *public, const struct keyd_key *key)
{
	OSSL_PARAM id[] = {
		OSSL_PARAM_octet_string(
		    PROVIDER_PARAM_ID, (void *)(uintptr_t)key->id, sizeof(key->id)),
		OSSL_PARAM_END,
	};
	OSSL_PARAM *all = OSSL_PARAM_merge(public, id);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PROVIDER_PROPERTY);
	EVP_PKEY *pkey = NULL;

	if (!all || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, all) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(all);
	return pkey;
}

EVP_PKEY *
provider_key_new(const struct keyd_key *key)
{
	static const char *const types[SIGN_KIND_END] = {
		[SIGN_KIND_RSA] = "RSA",
		[SIGN_KIND_P256] = "EC",
		[SIGN_KIND_P384] = "EC",
		[SIGN_KIND_ED25519] = "ED25519",
	};
	const unsigned char *p = key->spki;
	EVP_PKEY *public = d2i_PUBKEY_ex(NULL, &p, key->spki_len, NULL, "provider=default");
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	/* The signer says what kind it is; believe it only if the key is of that type. */
	if (public && p == key->spki + key->spki_len && EVP_PKEY_is_a(public, types[key->kind]) &&
	    EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) == 1)
		pkey = key_from_params(types[key->kind], params, key);
	OSSL_PARAM_free(params);
	EVP_PKEY_free(public);
	return pkey;
}
