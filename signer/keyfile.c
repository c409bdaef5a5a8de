/*
 * keyfile.c - see keyfile.h.
 */
#include "signer/keyfile.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define KEYFILE_MAX ((size_t)64 << 10) /* a PEM of RSA-4096 with its chain is under 20 KB */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096

/* File content in locked memory. */
struct secret_text {
	char *data;
	size_t len;
};

static void
secret_text_done(struct secret_text *t)
{
	OPENSSL_secure_clear_free(t->data, KEYFILE_MAX);
	*t = (struct secret_text){ 0 };
}

#define _cleanup_secret_ __attribute__((cleanup(secret_text_done)))

static int
secret_read(int dir, const char *name, struct secret_text *ret, struct why *why)
{
	_cleanup_secret_ struct secret_text t = { 0 };
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return why_set(why, -errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EINVAL, "%s: not a regular file", name);
	t.data = OPENSSL_secure_zalloc(KEYFILE_MAX);
	if (!t.data)
		return why_set(why, -ENOMEM, "%s: locked memory", name);
	while (t.len < KEYFILE_MAX - 1) {
		const ssize_t n = read(fd, t.data + t.len, KEYFILE_MAX - 1 - t.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_set(why, -errno, "%s: read", name);
		if (n == 0) {
			*ret = t;
			t = (struct secret_text){ 0 };
			return 0;
		}
		t.len += (size_t)n;
	}
	return why_set(why, -EFBIG, "%s: over %zu bytes", name, KEYFILE_MAX - 1);
}

struct password {
	int dir;
	const char *name;
	bool asked; /* the key is encrypted */
	struct why *why;
	int r;
};

/* pem_password_cb: only called for an encrypted key. */
static int
password_get(char *out, int size, int writing, void *data)
{
	struct password *p = data;
	_cleanup_secret_ struct secret_text t = { 0 };
	char path[PATH_MAX];
	size_t n;

	(void)writing;
	p->asked = true;
	if (snprintf(path, sizeof(path), "%s" KEYFILE_PASS_SUFFIX, p->name) >= (int)sizeof(path)) {
		p->r = why_set(p->why, -ENAMETOOLONG, "%s", p->name);
		return -1;
	}
	p->r = secret_read(p->dir, path, &t, p->why);
	if (p->r < 0)
		return -1;
	n = strcspn(t.data, "\r\n");
	if (n == 0 || n > (size_t)size) {
		p->r = why_set(p->why, -EINVAL, "%s: no usable password in it", path);
		return -1;
	}
	memcpy(out, t.data, n);
	return (int)n;
}

static int
kind_of(EVP_PKEY *pkey, struct signer_key *key)
{
	char group[32] = "";

	key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
	if (EVP_PKEY_is_a(pkey, "RSA")) {
		key->kind = SIGN_KIND_RSA;
		return key->bits >= RSA_BITS_MIN && key->bits <= RSA_BITS_MAX ? 0 : -ENOTSUP;
	}
	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		key->kind = SIGN_KIND_ED25519;
		return 0;
	}
	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_utf8_string_param(
		pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1)
		return -ENOTSUP;
	if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0)
		key->kind = SIGN_KIND_P256;
	else if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0)
		key->kind = SIGN_KIND_P384;
	else
		return -ENOTSUP;
	return 0;
}

/* Does the private half belong to the public one? A damaged file must fail here, not at 3 a.m. */
static bool
is_consistent(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	const bool ok = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int
describe(EVP_PKEY *pkey, const char *name, struct signer_key *key, struct why *why)
{
	unsigned char *p = key->spki;
	const char *base = strrchr(name, '/');
	int len;

	(void)snprintf(key->name, sizeof(key->name), "%s", base ? base + 1 : name); /* for people */
	if (kind_of(pkey, key) < 0)
		return why_set(why, -ENOTSUP,
		    "%s: %s of %u bits: want RSA of %d to %d bits, P-256, P-384 or Ed25519", name,
		    EVP_PKEY_get0_type_name(pkey), key->bits, RSA_BITS_MIN, RSA_BITS_MAX);
	if (!is_consistent(pkey))
		return why_set(why, -EBADMSG, "%s: private and public half do not match", name);
	len = i2d_PUBKEY(pkey, NULL);
	if (len <= 0 || len > SIGN_SPKI_MAX)
		return why_set(why, -ENOTSUP, "%s: public key of %d bytes", name, len);
	key->spki_len = (uint16_t)i2d_PUBKEY(pkey, &p);
	(void)SHA256(key->spki, key->spki_len, key->id); /* cannot fail */
	return 0;
}

int
keyfile_read(int dir, const char *name, struct signer_key *ret, struct why *why)
{
	_cleanup_secret_ struct secret_text text = { 0 };
	struct password pass = { .dir = dir, .name = name, .why = why };
	EVP_PKEY *pkey;
	BIO *bio;
	int r = secret_read(dir, name, &text, why);

	if (r < 0)
		return r;
	if (!strstr(text.data, "PRIVATE KEY-----"))
		return KEYFILE_NOT_A_KEY;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	if (!bio)
		return why_set(why, -ENOMEM, "%s", name);
	pkey = PEM_read_bio_PrivateKey_ex(bio, NULL, password_get, &pass, NULL, NULL);
	(void)BIO_free(bio); /* read-only, over our own memory: nothing to flush */
	ERR_clear_error();
	if (!pkey && pass.r < 0)
		return why_prefix(why, -ENOKEY, "%s is encrypted", name);
	if (!pkey)
		return why_set(why, pass.asked ? -ENOKEY : -EBADMSG, "%s%s", name,
		    pass.asked ? ": the password does not open it" : "");
	r = describe(pkey, name, ret, why);
	if (r < 0)
		EVP_PKEY_free(pkey);
	else
		ret->pkey = pkey;
	return r;
}
