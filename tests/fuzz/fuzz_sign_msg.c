/*
 * fuzz_sign_msg.c - any bytes as a request to the signer, which holds two keys: whatever comes back
 * is a well-formed reply, and nothing without a TLS shape is ever signed.
 */
#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "signer/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct signer_key fuzz_keys[2];
static struct keyset fuzz_set = { .generation = 1, .n = 2, .keys = fuzz_keys };

/* Fixed keys, so that the corpus can name them. */
static void
fuzz_key(struct signer_key *key, enum sign_kind kind, uint8_t fill)
{
	uint8_t raw[32], *p = key->spki;

	memset(raw, fill, sizeof(raw));
	key->kind = kind;
	key->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	assert(key->pkey);
	key->spki_len = (uint16_t)i2d_PUBKEY(key->pkey, &p);
	(void)SHA256(key->spki, key->spki_len, key->id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	union sign_msg in, out;
	struct serve_note note;
	int r;

	if (!ready) {
		fuzz_key(&fuzz_keys[0], SIGN_KIND_ED25519, 7);
		fuzz_key(&fuzz_keys[1], SIGN_KIND_P256, 8); /* a lie: its signing must fail well */
		assert(key_ready(&fuzz_keys[0], NULL) == 0);
		ready = true;
	}
	if (size > sizeof(in)) /* recv(2) says so by the length alone */
		data += size - sizeof(in);
	memset(&in, 0xee, sizeof(in));
	memcpy(&in, data, size > sizeof(in) ? sizeof(in) : size);
	r = serve_request(&fuzz_set, &in, size, &out, &note);
	if (r < 0)
		return 0;
	assert(sign_check(SIGN_FROM_SIGNER, &out, (size_t)r) == out.head.type);
	assert(out.head.id == in.head.id);
	if (out.head.type == SIGN_SIGNATURE && out.signature.status == SIGN_OK)
		assert(shape_of(in.sign.tbs, in.sign.tbs_len) != SHAPE_NONE);
	return 0;
}
