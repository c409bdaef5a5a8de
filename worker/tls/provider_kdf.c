/*
 * provider_kdf.c - the key schedule of TLS 1.3 (RFC 8446 7.1) as a "TLS13-KDF" of the provider.
 * Runs as: worker, no rights; in one thread.
 * Tests:   tests/unit/test_provider.c compares it with the default provider's
 *
 * libssl derives some twenty keys in each handshake. The default provider looks its digest and HMAC
 * up by name and allocates them for every one, which costs several times what the hashing does: a
 * tenth of a handshake. Here the digests are found once and there is nothing to allocate. The
 * hashing itself is still the default provider's.
 */
#include "worker/tls/provider_int.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define HASH_MAX 48
#define BLOCK_MAX 128
#define LABEL_MAX 255 /* RFC 8446: the length is one byte, and so is the context's */
#define INFO_MAX (2 + 1 + LABEL_MAX + 1 + LABEL_MAX)

/* The two digests that TLS 1.3 has. */
static struct kdf_hash {
	const char *name;
	size_t bytes, block;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	uint8_t of_nothing[HASH_MAX];
} kdf_hashes[] = {
	{ .name = "SHA2-256", .bytes = 32, .block = 64 },
	{ .name = "SHA2-384", .bytes = 48, .block = 128 },
};

struct octets {
	const uint8_t *data;
	size_t len;
};

struct kdf_wish {
	int mode; /* EVP_KDF_HKDF_MODE_... ; -1: not said */
	struct kdf_hash *hash;
	struct octets key, salt, prefix, label, data;
};

void
provider_kdf_done(void)
{
	for (size_t i = 0; i < ELEMENTSOF(kdf_hashes); i++) {
		EVP_MD_CTX_free(kdf_hashes[i].ctx);
		EVP_MD_free(kdf_hashes[i].md);
		kdf_hashes[i].ctx = NULL;
		kdf_hashes[i].md = NULL;
	}
}

bool
provider_kdf_ready(void)
{
	for (size_t i = 0; i < ELEMENTSOF(kdf_hashes); i++) {
		struct kdf_hash *h = &kdf_hashes[i];

		h->md = EVP_MD_fetch(NULL, h->name, "provider=default");
		h->ctx = EVP_MD_CTX_new();
		if (!h->md || !h->ctx || EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1 ||
		    EVP_DigestFinal_ex(h->ctx, h->of_nothing, NULL) != 1)
			return false;
	}
	return true;
}

static bool
hash_padded(
    struct kdf_hash *h, struct octets key, uint8_t pad, const struct octets *text, uint8_t *out)
{
	uint8_t block[BLOCK_MAX];
	bool ok;

	memset(block, pad, h->block);
	for (size_t i = 0; i < key.len; i++)
		block[i] ^= key.data[i];
	ok = EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1 &&
	     EVP_DigestUpdate(h->ctx, block, h->block) == 1;
	for (; ok && text->data; text++)
		ok = EVP_DigestUpdate(h->ctx, text->data, text->len) == 1;
	OPENSSL_cleanse(block, h->block);
	return ok && EVP_DigestFinal_ex(h->ctx, out, NULL) == 1;
}

/* RFC 2104. text ends with an entry without data. No key of TLS 1.3 is longer than a block. */
static bool
kdf_hmac(struct kdf_hash *h, struct octets key, const struct octets *text, uint8_t *out)
{
	uint8_t inner[HASH_MAX];
	const struct octets outer[] = { { inner, h->bytes }, { NULL, 0 } };

	return key.len <= h->block && hash_padded(h, key, 0x36, text, inner) &&
	       hash_padded(h, key, 0x5c, outer, out);
}

static size_t
info_add(uint8_t *info, size_t n, struct octets what)
{
	if (what.len > 0)
		memcpy(info + n, what.data, what.len);
	return n + what.len;
}

/* HKDF-Expand-Label: RFC 8446 7.1, RFC 5869 2.3. */
static bool
kdf_expand(
    const struct kdf_wish *w, struct octets secret, struct octets context, uint8_t *out, size_t len)
{
	uint8_t info[INFO_MAX], block[HASH_MAX], counter = 0;
	size_t n = 0;
	bool ok = true;

	if (w->prefix.len + w->label.len > LABEL_MAX || context.len > LABEL_MAX ||
	    len > 255 * w->hash->bytes)
		return false;
	info[n++] = (uint8_t)(len >> 8);
	info[n++] = (uint8_t)len;
	info[n++] = (uint8_t)(w->prefix.len + w->label.len);
	n = info_add(info, n, w->prefix);
	n = info_add(info, n, w->label);
	info[n++] = (uint8_t)context.len;
	n = info_add(info, n, context);
	for (size_t done = 0; ok && done < len; done += w->hash->bytes) {
		const size_t part = len - done < w->hash->bytes ? len - done : w->hash->bytes;
		const struct octets text[] = { { block, counter > 0 ? w->hash->bytes : 0 },
			{ info, n }, { &counter, 1 }, { NULL, 0 } };

		counter++;
		ok = kdf_hmac(w->hash, secret, text, block);
		if (ok)
			memcpy(out + done, block, part);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

/* The next secret of the schedule: HKDF-Extract(Derive-Secret(salt, label, ""), key). */
static bool
kdf_extract(const struct kdf_wish *w, uint8_t *out, size_t len)
{
	static const uint8_t zeros[HASH_MAX];
	const struct octets nothing = { w->hash->of_nothing, w->hash->bytes };
	const struct octets text[] = {
		w->key.data ? w->key : (struct octets){ zeros, w->hash->bytes }, { NULL, 0 }
	};
	uint8_t salt[HASH_MAX] = { 0 };
	bool ok = len == w->hash->bytes;

	if (ok && w->salt.data)
		ok = w->salt.len == w->hash->bytes &&
		     kdf_expand(w, w->salt, nothing, salt, w->hash->bytes);
	ok = ok && kdf_hmac(w->hash, (struct octets){ salt, w->hash->bytes }, text, out);
	OPENSSL_cleanse(salt, sizeof(salt));
	return ok;
}

static struct kdf_hash *
kdf_hash_of(const OSSL_PARAM *p)
{
	if (p->data_type != OSSL_PARAM_UTF8_STRING || !p->data)
		return NULL;
	for (size_t i = 0; i < ELEMENTSOF(kdf_hashes); i++)
		if (strcmp(p->data, kdf_hashes[i].name) == 0)
			return &kdf_hashes[i];
	for (size_t i = 0; i < ELEMENTSOF(kdf_hashes); i++)
		if (EVP_MD_is_a(kdf_hashes[i].md, p->data))
			return &kdf_hashes[i];
	return NULL;
}

static bool
kdf_take(struct kdf_wish *w, const OSSL_PARAM *p)
{
	const struct {
		const char *key;
		struct octets *to;
	} rows[] = {
		{ OSSL_KDF_PARAM_KEY, &w->key },
		{ OSSL_KDF_PARAM_PREFIX, &w->prefix },
		{ OSSL_KDF_PARAM_LABEL, &w->label },
		{ OSSL_KDF_PARAM_DATA, &w->data },
		{ OSSL_KDF_PARAM_SALT, &w->salt },
	};

	if (strcmp(p->key, OSSL_KDF_PARAM_MODE) == 0)
		return OSSL_PARAM_get_int(p, &w->mode) == 1;
	if (strcmp(p->key, OSSL_KDF_PARAM_DIGEST) == 0) {
		w->hash = kdf_hash_of(p);
		return w->hash != NULL;
	}
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		if (strcmp(p->key, rows[i].key) != 0)
			continue;
		if (p->data_type != OSSL_PARAM_OCTET_STRING)
			return false;
		*rows[i].to = (struct octets){ p->data, p->data_size };
		return true;
	}
	return true; /* of no concern to it, such as "properties" */
}

static int
kdf_derive(void *context, unsigned char *out, size_t len, const OSSL_PARAM params[])
{
	struct kdf_wish w = { .mode = -1 };

	(void)context;
	for (const OSSL_PARAM *p = params; p && p->key; p++)
		if (!kdf_take(&w, p))
			return 0;
	if (!w.hash)
		return 0;
	if (w.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY)
		return kdf_extract(&w, out, len);
	return w.mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY && w.key.data &&
	       kdf_expand(&w, w.key, w.data, out, len);
}

/* libssl says everything with each derivation: there is nothing to remember in between. */
static void *
kdf_newctx(void *context)
{
	return context;
}

static void
kdf_freectx(void *context)
{
	(void)context;
}

static const OSSL_DISPATCH kdf_dispatch[] = {
	{ OSSL_FUNC_KDF_NEWCTX, (void (*)(void))kdf_newctx },
	{ OSSL_FUNC_KDF_FREECTX, (void (*)(void))kdf_freectx },
	{ OSSL_FUNC_KDF_DERIVE, (void (*)(void))kdf_derive },
	{ 0, NULL },
};

const OSSL_ALGORITHM provider_kdfs[] = {
	{ "TLS13-KDF", PROVIDER_PROPERTY ",sallyport.kdf=lean", kdf_dispatch, NULL },
	{ NULL, NULL, NULL, NULL },
};
