/*
 * ticket.c - see ticket.h.
 */
#include "worker/tls/ticket.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#define SECRET_BYTES 32

enum { TICKET_PREVIOUS, TICKET_CURRENT, TICKET_NEXT, TICKET_END };

struct tickets {
	unsigned epoch_sec;
	bool shared; /* by a credential: each epoch's keys straight from it */
	bool started; /* key[] is filled */
	unsigned char
	    secret[SECRET_BYTES]; /* shared: for ever. Else of key[TICKET_PREVIOUS]'s epoch */
	struct ticket_key key[TICKET_END];
	EVP_CIPHER *cipher;
	uint64_t n_made, n_unknown;
};

/* HMAC-SHA-256 as a pseudo-random function: a label and a number to 32 bytes. */
static void
prf(const unsigned char *secret, const char *label, uint64_t n, unsigned char out[32])
{
	unsigned char text[32] = { 0 }, all[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	assert(strlen(label) < sizeof(text) - sizeof(n));
	memcpy(text, label, strlen(label));
	for (size_t i = 0; i < sizeof(n); i++)
		text[sizeof(text) - 1 - i] = (unsigned char)(n >> (8 * i));
	(void)HMAC(EVP_sha256(), secret, SECRET_BYTES, text, sizeof(text), all, &len);
	memcpy(out, all, 32);
	OPENSSL_cleanse(all, sizeof(all));
}

static void
key_make(const unsigned char *secret, uint64_t epoch, struct ticket_key *key)
{
	unsigned char name[32];

	prf(secret, "ticket name", epoch, name);
	memcpy(key->name, name, sizeof(key->name));
	prf(secret, "ticket cipher", epoch, key->aes);
	prf(secret, "ticket mac", epoch, key->mac);
	key->epoch = epoch;
}

/* One step forward: of a random secret there is no way back. */
static void
secret_step(unsigned char *secret)
{
	unsigned char next[SECRET_BYTES];

	prf(secret, "next secret", 0, next);
	memcpy(secret, next, sizeof(next));
	OPENSSL_cleanse(next, sizeof(next));
}

/* Fills key[] for the epoch before `epoch`, itself, and the next one (a clock that is ahead). */
static void
keys_fill(struct tickets *t, uint64_t epoch)
{
	unsigned char secret[SECRET_BYTES];

	memcpy(secret, t->secret, sizeof(secret));
	for (unsigned i = 0; i < TICKET_END; i++) {
		key_make(secret, epoch - 1 + i, &t->key[i]);
		if (!t->shared)
			secret_step(secret);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	t->started = true;
}

void
tickets_turn(struct tickets *t, uint64_t wall_sec)
{
	const uint64_t epoch = wall_sec / t->epoch_sec + 1; /* never 0: there is one before it */

	if (t->started && epoch <= t->key[TICKET_CURRENT].epoch)
		return;
	for (uint64_t e = t->started && !t->shared ? t->key[TICKET_CURRENT].epoch : epoch;
	     e < epoch; e++)
		secret_step(t->secret);
	keys_fill(t, epoch);
}

const struct ticket_key *
tickets_current(const struct tickets *t)
{
	return &t->key[TICKET_CURRENT];
}

const struct ticket_key *
tickets_find(const struct tickets *t, const unsigned char name[16])
{
	for (unsigned i = 0; i < TICKET_END; i++)
		if (CRYPTO_memcmp(t->key[i].name, name, sizeof(t->key[i].name)) == 0)
			return &t->key[i];
	return NULL;
}

int
tickets_new(unsigned epoch_sec, struct tickets **ret, struct why *why)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (!t)
		return why_set(why, -ENOMEM, "session tickets");
	t->epoch_sec = epoch_sec;
	t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (!t->cipher || RAND_bytes(t->secret, sizeof(t->secret)) != 1) {
		tickets_free(t);
		return why_set(why, -EIO, "session tickets: OpenSSL");
	}
	tickets_turn(t, (uint64_t)time(NULL)); /* before any fork: all have one starting point */
	*ret = t;
	return 0;
}

int
tickets_share(struct tickets *t, const char *dir, const char *name, struct why *why)
{
	unsigned char file[4096], digest[EVP_MAX_MD_SIZE];
	_cleanup_fd_ int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : why_set(why, -errno, "%s/%s", dir, name);
	n = read(fd, file, sizeof(file));
	if (n < TICKET_SECRET_MIN)
		return why_set(why, n < 0 ? -errno : -EINVAL, "%s/%s: want %d random bytes", dir,
		    name, TICKET_SECRET_MIN);
	(void)EVP_Digest(file, (size_t)n, digest, NULL, EVP_sha256(), NULL); /* any length to 32 */
	memcpy(t->secret, digest, sizeof(t->secret));
	OPENSSL_cleanse(file, sizeof(file));
	OPENSSL_cleanse(digest, sizeof(digest));
	t->shared = true;
	t->started = false;
	tickets_turn(t, (uint64_t)time(NULL));
	return 0;
}

void
tickets_free(struct tickets *t)
{
	if (!t)
		return;
	EVP_CIPHER_free(t->cipher);
	OPENSSL_cleanse(t, sizeof(*t));
	free(t);
}

void
tickets_count(const struct tickets *t, uint64_t *ret_made, uint64_t *ret_unknown)
{
	*ret_made = t->n_made;
	*ret_unknown = t->n_unknown;
}

static int tickets_index = -1; /* of SSL_CTX's application data */

static bool
mac_start(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(
		    OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac, sizeof(key->mac)),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (void *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_END,
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 use it, 2 use it and send a new one, 0 not ours. */
static int
tickets_on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int making)
{
	struct tickets *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index);
	const struct ticket_key *key;

	tickets_turn(t, (uint64_t)time(NULL));
	if (making) {
		key = tickets_current(t);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->cipher)) != 1 ||
		    EVP_EncryptInit_ex2(cipher, t->cipher, key->aes, iv, NULL) != 1)
			return -1;
		memcpy(name, key->name, sizeof(key->name));
		t->n_made++;
		return mac_start(mac, key) ? 1 : -1;
	}
	key = tickets_find(t, name);
	if (!key) {
		t->n_unknown++;
		return 0;
	}
	if (EVP_DecryptInit_ex2(cipher, t->cipher, key->aes, iv, NULL) != 1 || !mac_start(mac, key))
		return -1;
	return key == tickets_current(t) ? 1 : 2;
}

void
tickets_use(struct tickets *t, SSL_CTX *ctx)
{
	if (tickets_index < 0)
		tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	(void)SSL_CTX_set_ex_data(ctx, tickets_index, t); /* fails for lack of memory only */
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, tickets_on_ticket); /* cannot fail */
}
