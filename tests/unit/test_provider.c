/*
 * test_provider.c - worker/tls/provider.h with a real signer loop in a child process: what the
 * provider's keys can do, and above all what they cannot.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <openssl/async.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "signer/serve.h"
#include "worker/tls/provider.h"

static char dir[] = "/tmp/sp-prov-XXXXXX";
static char path[64];
static struct signer_key keys[4];
static struct keyset set = { .generation = 1, .n = ELEMENTSOF(keys), .keys = keys };
static struct keyd_client client;
static pid_t signer;

static void
add_key(struct signer_key *key, enum sign_kind kind, EVP_PKEY *pkey)
{
	uint8_t *p = key->spki;
	unsigned len = 0;

	assert_non_null(pkey);
	key->kind = kind;
	key->pkey = pkey;
	key->spki_len = (uint16_t)i2d_PUBKEY(pkey, &p);
	(void)EVP_Digest(key->spki, key->spki_len, key->id, &len, EVP_sha256(), NULL);
	assert_int_equal(key_ready(key, NULL), 0);
}

/* The child: one client at a time, for ever. */
static _Noreturn void
run_signer(int listener)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		union sign_msg in, out;
		struct serve_note note;
		_cleanup_fd_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		for (ssize_t n; (n = recv(fd, &in, sizeof(in), 0)) > 0;) {
			const int len = serve_request(&set, &in, (size_t)n, &out, &note);

			if (len < 0 || send(fd, &out, (size_t)len, MSG_NOSIGNAL) < 0)
				break;
		}
	}
}

static bool
has_keys(const void *arg)
{
	(void)arg;
	return client.generation != 0;
}

static int
setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct why why;

	(void)state;
	add_key(&keys[0], SIGN_KIND_P256, EVP_EC_gen("P-256"));
	add_key(&keys[1], SIGN_KIND_P384, EVP_EC_gen("P-384"));
	add_key(&keys[2], SIGN_KIND_RSA, EVP_RSA_gen(2048));
	add_key(&keys[3], SIGN_KIND_ED25519, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sign", dir);
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (bind(listener, (const struct sockaddr *)&un, sizeof(un)) < 0 || listen(listener, 8) < 0)
		return -1;
	signer = fork();
	if (signer == 0)
		run_signer(listener);
	(void)close(listener);
	keyd_client_init(&client, path);
	if (provider_load(&client, &why) < 0)
		return -1;
	return keyd_client_wait(&client, has_keys, NULL, 5000000);
}

static int
teardown(void **state)
{
	(void)state;
	keyd_client_done(&client);
	provider_unload();
	(void)kill(signer, SIGKILL);
	(void)waitpid(signer, NULL, 0);
	(void)unlink(path);
	return rmdir(dir);
}

static EVP_PKEY *
remote(unsigned i)
{
	const struct keyd_key *k = keyd_client_key(&client, keys[i].id);
	EVP_PKEY *pkey;

	assert_non_null(k);
	pkey = provider_key_new(k);
	assert_non_null(pkey);
	return pkey;
}

static size_t
handshake_text(uint8_t *text)
{
	memset(text, ' ', 64);
	memcpy(text + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(text + 98, 0x5c, 32);
	return 130;
}

/* Return: 1 and a signature, or 0. */
static int
try_to_sign(EVP_PKEY *pkey, const char *digest, bool pss, const uint8_t *text, size_t len,
    uint8_t *sig, size_t *sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	int ok = EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, pkey, NULL) == 1;

	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	*sig_len = SIGN_SIG_MAX;
	ok = ok && EVP_DigestSign(ctx, sig, sig_len, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool
verifies(unsigned i, const char *digest, bool pss, const uint8_t *text, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok = EVP_DigestVerifyInit_ex(ctx, &pctx, digest, NULL, NULL, keys[i].pkey, NULL) == 1;

	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1;
	ok = ok && EVP_DigestVerify(ctx, sig, sig_len, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static const struct {
	unsigned key;
	const char *digest;
	bool pss;
} ways[] = { { 0, "SHA256", false }, { 1, "SHA384", false }, { 2, "SHA256", true },
	{ 2, "SHA512", true }, { 3, NULL, false } };

static void
every_kind_of_key_signs_and_the_signature_holds(void **state)
{
	uint8_t text[256], sig[SIGN_SIG_MAX];
	const size_t len = handshake_text(text);
	size_t sig_len;

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		EVP_PKEY *pkey = remote(ways[i].key);

		assert_int_equal(
		    try_to_sign(pkey, ways[i].digest, ways[i].pss, text, len, sig, &sig_len), 1);
		assert_true(
		    verifies(ways[i].key, ways[i].digest, ways[i].pss, text, len, sig, sig_len));
		assert_int_equal(EVP_PKEY_eq(pkey, keys[ways[i].key].pkey), 1);
		EVP_PKEY_free(pkey);
	}
}

static void
nothing_else_is_signed(void **state)
{
	static const uint8_t jwt[] = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyb290In0";
	uint8_t text[256], sig[SIGN_SIG_MAX];
	const size_t len = handshake_text(text);
	size_t sig_len;
	EVP_PKEY *ec = remote(0), *rsa = remote(2);

	(void)state;
	assert_int_equal(try_to_sign(ec, "SHA256", false, jwt, sizeof(jwt), sig, &sig_len), 0);
	assert_int_equal(try_to_sign(ec, "SHA256", false, text, len - 1, sig, &sig_len), 0);
	assert_int_equal(try_to_sign(ec, "SHA1", false, text, len, sig, &sig_len), 0);
	assert_int_equal(try_to_sign(ec, "SHA384", false, text, len, sig, &sig_len), 0);
	assert_int_equal(try_to_sign(rsa, "SHA256", false, text, len, sig, &sig_len), 0);
	assert_int_equal(try_to_sign(ec, "SHA256", false, text, len, sig, &sig_len), 1);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void
there_is_no_other_operation_and_no_private_half(void **state)
{
	uint8_t raw[64];
	size_t len = sizeof(raw);
	BIGNUM *d = NULL;

	(void)state;
	for (unsigned i = 0; i < ELEMENTSOF(keys); i++) {
		EVP_PKEY *pkey = remote(i);
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
		EVP_PKEY_CTX *standard = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, "provider=default");

		assert_true(EVP_PKEY_sign_init(ctx) != 1); /* over a bare digest */
		assert_true(EVP_PKEY_decrypt_init(ctx) != 1);
		assert_true(EVP_PKEY_derive_init(ctx) != 1);
		assert_true(!standard || EVP_PKEY_sign_init(standard) != 1);
		assert_true(EVP_PKEY_get_raw_private_key(pkey, raw, &len) != 1);
		assert_true(EVP_PKEY_get_bn_param(pkey, "priv", &d) != 1);
		assert_true(EVP_PKEY_get_bn_param(pkey, "d", &d) != 1);
		assert_true(i2d_PrivateKey(pkey, NULL) <= 0);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_CTX_free(standard);
		EVP_PKEY_free(pkey);
	}
	ERR_clear_error();
}

static void
the_signers_word_for_a_kind_is_checked(void **state)
{
	struct keyd_key lie = *keyd_client_key(&client, keys[0].id);
	EVP_PKEY *pkey;

	(void)state;
	lie.kind = SIGN_KIND_RSA;
	assert_null(provider_key_new(&lie));
	lie = *keyd_client_key(&client, keys[0].id);
	lie.spki[30] ^= 1; /* no point of the curve */
	assert_null(provider_key_new(&lie));
	lie = *keyd_client_key(&client, keys[0].id);
	lie.spki_len--;
	assert_null(provider_key_new(&lie));
	pkey = EVP_EC_gen("P-256"); /* and the process's own keys still work */
	assert_non_null(pkey);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
}

struct job {
	EVP_PKEY *pkey;
	uint8_t sig[SIGN_SIG_MAX];
	size_t sig_len;
};

static unsigned n_woken;

static int
on_woken(void *arg)
{
	(void)arg;
	n_woken++;
	return 1;
}

static int
sign_in_job(void *arg)
{
	struct job *job = *(struct job **)arg;
	uint8_t text[256];
	const size_t len = handshake_text(text);

	return try_to_sign(job->pkey, "SHA256", false, text, len, job->sig, &job->sig_len);
}

static bool
is_woken(const void *arg)
{
	(void)arg;
	return n_woken > 0;
}

static void
a_job_pauses_and_is_woken_or_given_up(void **state)
{
	struct job work = { .pkey = remote(0) }, *arg = &work;
	ASYNC_WAIT_CTX *wait = ASYNC_WAIT_CTX_new();
	ASYNC_JOB *job = NULL;
	uint8_t text[256];
	const size_t len = handshake_text(text);
	int result = -1;

	(void)state;
	if (!ASYNC_is_capable())
		skip();
	n_woken = 0;
	assert_int_equal(ASYNC_init_thread(4, 0), 1);
	assert_int_equal(ASYNC_WAIT_CTX_set_callback(wait, on_woken, NULL), 1);
	assert_int_equal(
	    ASYNC_start_job(&job, wait, &result, sign_in_job, &arg, sizeof(arg)), ASYNC_PAUSE);
	assert_int_equal(client.n_calls, 1);
	assert_int_equal(keyd_client_wait(&client, is_woken, NULL, 5000000), 0);
	assert_int_equal(
	    ASYNC_start_job(&job, wait, &result, sign_in_job, &arg, sizeof(arg)), ASYNC_FINISH);
	assert_int_equal(result, 1);
	assert_true(verifies(0, "SHA256", false, text, len, work.sig, work.sig_len));
	/* And once more, but nobody waits for the answer. */
	n_woken = 0;
	job = NULL;
	assert_int_equal(
	    ASYNC_start_job(&job, wait, &result, sign_in_job, &arg, sizeof(arg)), ASYNC_PAUSE);
	assert_int_equal(
	    ASYNC_start_job(&job, wait, &result, sign_in_job, &arg, sizeof(arg)), ASYNC_FINISH);
	assert_int_equal(result, 0);
	assert_int_equal(client.n_calls, 0);
	assert_int_equal(n_woken, 0);
	ASYNC_WAIT_CTX_free(wait);
	ASYNC_cleanup_thread();
	EVP_PKEY_free(work.pkey);
}

struct derivation {
	int mode;
	const char *digest, *label;
	const uint8_t *key, *salt, *data; /* of the digest's size; NULL: not given */
	size_t data_len, len;
};

static int
derive(const char *properties, const struct derivation *d, uint8_t *out)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, properties);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	const size_t bytes = strstr(d->digest, "384") ? 48 : 32;
	int mode = d->mode, n = 0, r;
	OSSL_PARAM p[9];

	assert_non_null(ctx);
	assert_string_equal(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)),
	    properties ? "default" : "sallyport");
#define OCTETS(name, p, len) OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)(p), len)
	p[n++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	p[n++] = OSSL_PARAM_construct_utf8_string(
	    OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)d->digest, 0);
	if (d->key)
		p[n++] = OCTETS(OSSL_KDF_PARAM_KEY, d->key, bytes);
	if (d->salt)
		p[n++] = OCTETS(OSSL_KDF_PARAM_SALT, d->salt, bytes);
	p[n++] = OCTETS(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6);
	p[n++] = OCTETS(OSSL_KDF_PARAM_LABEL, d->label, strlen(d->label));
	if (d->data)
		p[n++] = OCTETS(OSSL_KDF_PARAM_DATA, d->data, d->data_len);
	p[n] = OSSL_PARAM_construct_end();
	r = EVP_KDF_derive(ctx, out, d->len, p);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return r;
}

static void
the_key_schedule_is_the_default_providers(void **state)
{
	static const char *const digests[] = { "SHA256", "SHA2-256", "SHA384", "SHA2-384" };
	static const size_t lens[] = { 1, 12, 16, 32, 48, 200 };
	uint8_t key[48], salt[48], data[48], ours[200], theirs[200];

	(void)state;
	for (unsigned i = 0; i < ELEMENTSOF(digests) * ELEMENTSOF(lens) * 16; i++) {
		const size_t bytes = i % ELEMENTSOF(digests) < 2 ? 32 : 48;
		const bool extract = i / 64 % 2;
		const struct derivation d = {
			.mode = extract ? EVP_KDF_HKDF_MODE_EXTRACT_ONLY
					: EVP_KDF_HKDF_MODE_EXPAND_ONLY,
			.digest = digests[i % ELEMENTSOF(digests)],
			.label = i / 4 % 2 ? "derived" : "c hs traffic",
			.key = extract && i / 8 % 2 ? NULL : key,
			.salt = extract && i / 16 % 2 ? salt : NULL,
			.data = !extract && i / 16 % 2 ? data : NULL,
			.data_len = i / 32 % 2 ? bytes : 0,
			.len = extract ? bytes : lens[i / 64 % ELEMENTSOF(lens)],
		};

		assert_int_equal(RAND_bytes(key, sizeof(key)), 1);
		assert_int_equal(RAND_bytes(salt, sizeof(salt)), 1);
		assert_int_equal(RAND_bytes(data, sizeof(data)), 1);
		assert_int_equal(derive("provider=default", &d, theirs), 1);
		assert_int_equal(derive(NULL, &d, ours), 1);
		assert_memory_equal(ours, theirs, d.len);
	}
}

static void
the_key_schedule_refuses_what_tls_13_has_not(void **state)
{
	static const uint8_t key[48], context[300];
	uint8_t out[48];
	struct derivation d = { .mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
		.digest = "SHA256",
		.label = "key",
		.key = key,
		.data = context,
		.data_len = 255,
		.len = 16 };

	(void)state;
	assert_int_equal(derive(NULL, &d, out), 1);
	d.data_len = 256;
	assert_int_equal(derive(NULL, &d, out), 0);
	d.data_len = 0;
	d.digest = "SHA512";
	assert_int_equal(derive(NULL, &d, out), 0);
	d.digest = "SHA256";
	d.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
	assert_int_equal(derive(NULL, &d, out), 0);
	d.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY; /* makes a secret of the digest's size, or none */
	assert_int_equal(derive(NULL, &d, out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_signs_and_the_signature_holds),
		cmocka_unit_test(nothing_else_is_signed),
		cmocka_unit_test(there_is_no_other_operation_and_no_private_half),
		cmocka_unit_test(the_signers_word_for_a_kind_is_checked),
		cmocka_unit_test(a_job_pauses_and_is_woken_or_given_up),
		cmocka_unit_test(the_key_schedule_is_the_default_providers),
		cmocka_unit_test(the_key_schedule_refuses_what_tls_13_has_not),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
