/*
 * keysign.c - the private operation; see keys.h.
 *
 * Everything but the signature itself is done when a key is loaded: to fetch algorithms and set up
 * an operation costs OpenSSL as much as a P-256 signature.
 */
#include "signer/keys.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

struct key_ready {
	EVP_MD *digest[SCHEMES]; /* NULL where the scheme has none, or is not of this key */
	EVP_PKEY_CTX *op[SCHEMES];
};

void
key_unready(struct signer_key *key)
{
	if (!key->ready)
		return;
	for (unsigned i = 0; i < SCHEMES; i++) {
		EVP_MD_free(key->ready->digest[i]);
		EVP_PKEY_CTX_free(key->ready->op[i]);
	}
	free(key->ready);
	key->ready = NULL;
}

static bool
ready_one(struct key_ready *ready, unsigned i, EVP_PKEY *pkey)
{
	const struct sign_scheme *s = scheme_at(i);
	EVP_PKEY_CTX *op = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	EVP_MD *digest = EVP_MD_fetch(NULL, s->digest, NULL);

	ready->op[i] = op;
	ready->digest[i] = digest;
	if (!op || !digest || EVP_PKEY_sign_init(op) != 1)
		return false;
	if (EVP_PKEY_is_a(pkey, "RSA") &&
	    EVP_PKEY_CTX_set_rsa_padding(op, s->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) !=
		1)
		return false;
	return EVP_PKEY_CTX_set_signature_md(op, digest) == 1 &&
	       (!s->pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(op, RSA_PSS_SALTLEN_DIGEST) == 1);
}

int
key_ready(struct signer_key *key, struct why *why)
{
	key->ready = calloc(1, sizeof(*key->ready));
	if (!key->ready)
		return why_set(why, -ENOMEM, "%s", key->name);
	for (unsigned i = 0; i < SCHEMES; i++) {
		const struct sign_scheme *s = scheme_at(i);

		if (!(s->tls12 & 1u << key->kind) || !s->digest)
			continue;
		if (!ready_one(key->ready, i, key->pkey)) {
			key_unready(key);
			return why_set(why, -EIO, "%s: %s", key->name, s->name);
		}
	}
	return 0;
}

/* Ed25519 signs the text, not a digest of it: OpenSSL has no operation that could be prepared. */
static bool
sign_text(EVP_PKEY *pkey, const uint8_t *tbs, size_t len, uint8_t *sig, size_t *sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const bool ok = ctx &&
			EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
			EVP_DigestSign(ctx, sig, sig_len, tbs, len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int
key_sign(const struct signer_key *key, const struct sign_scheme *scheme, const uint8_t *tbs,
    size_t len, uint8_t *sig)
{
	const unsigned i = scheme_index(scheme);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	size_t sig_len = SIGN_SIG_MAX;
	bool ok;

	if (!scheme->digest)
		ok = sign_text(key->pkey, tbs, len, sig, &sig_len);
	else
		ok = key->ready && key->ready->op[i] &&
		     EVP_Digest(tbs, len, digest, &digest_len, key->ready->digest[i], NULL) == 1 &&
		     EVP_PKEY_sign(key->ready->op[i], sig, &sig_len, digest, digest_len) == 1;
	return ok ? (int)sig_len : -EIO;
}
