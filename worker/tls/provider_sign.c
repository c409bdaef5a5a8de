/*
 * provider_sign.c - signatures of the provider: OSSL_OP_SIGNATURE, one-shot over the whole text, so
 * that the signer can see what it signs. There is no form over a digest.
 * Runs as: worker, no rights.
 * Tests:   tests/unit/test_provider.c, tests/tls
 */
#include "worker/tls/provider_int.h"

#include <string.h>

#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "common/buf.h"
#include "common/clock.h"
#include "signer/scheme.h"

#define BLOCKING_USEC (5 * USEC_PER_SEC)

struct sign_ctx {
	const struct provider_key *key; /* borrowed from the EVP_PKEY */
	char digest[32];
	bool pss;
};

static void *
sign_newctx(void *context, const char *properties)
{
	(void)context;
	(void)properties;
	return calloc(1, sizeof(struct sign_ctx));
}

static void
sign_freectx(void *data)
{
	free(data);
}

static void *
sign_dupctx(void *data)
{
	struct sign_ctx *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *(const struct sign_ctx *)data;
	return copy;
}

/* PKCS#1 v1.5 or PSS; libssl says so by number, others by name. */
static bool
set_padding(struct sign_ctx *ctx, const OSSL_PARAM *p)
{
	int mode = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING && p->data) {
		ctx->pss = strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
		return ctx->pss || strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
	}
	if (OSSL_PARAM_get_int(p, &mode) != 1)
		return false;
	ctx->pss = mode == RSA_PKCS1_PSS_PADDING;
	return ctx->pss || mode == RSA_PKCS1_PADDING;
}

/* The signer's salt is as long as the digest, as TLS wants it; any other wish is refused. */
static bool
set_salt(const OSSL_PARAM *p)
{
	int len = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING && p->data)
		return strcmp(p->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0;
	return OSSL_PARAM_get_int(p, &len) == 1 && len == RSA_PSS_SALTLEN_DIGEST;
}

static int
sign_set_ctx_params(void *data, const OSSL_PARAM params[])
{
	struct sign_ctx *ctx = data;
	const OSSL_PARAM *p;

	if (!params)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p && (p->data_type != OSSL_PARAM_UTF8_STRING || !p->data ||
		     str_copy(ctx->digest, sizeof(ctx->digest), p->data) < 0))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p && !set_padding(ctx, p))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	return !p || set_salt(p);
}

static const OSSL_PARAM *
sign_settable(void *data, void *context)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)data;
	(void)context;
	return params;
}

static int
sign_digest_init(void *data, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct sign_ctx *ctx = data;

	ctx->key = key;
	ctx->digest[0] = '\0';
	ctx->pss = false;
	if (!ctx->key || ctx->key->kind == 0)
		return 0;
	if (digest && str_copy(ctx->digest, sizeof(ctx->digest), digest) < 0)
		return 0;
	return sign_set_ctx_params(ctx, params);
}

/* What the signer's answer has to wake, if anything. */
struct sign_wait {
	struct keyd_call call;
	ASYNC_callback_fn wake;
	void *arg;
};

static void
sign_on_answer(void *data)
{
	struct sign_wait *w = data;

	if (w->wake)
		(void)w->wake(w->arg); /* our own transport's; it cannot fail */
}

static bool
sign_is_finished(const void *data)
{
	return ((const struct sign_wait *)data)->call.finished;
}

/* Returns when there is an answer, or when there is nobody left to want one. */
static void
sign_wait_for(struct sign_wait *w, ASYNC_JOB *job)
{
	if (!job) {
		const int r =
		    keyd_client_wait(provider_client(), sign_is_finished, w, BLOCKING_USEC);

		(void)r; /* the caller sees whether it is finished */
		return;
	}
	while (!w->call.finished) {
		if (ASYNC_pause_job() != 1)
			return;
		if (!w->call.finished) /* resumed, but not by sign_on_answer(): given up */
			return;
	}
}

static int
sign_remotely(const struct provider_key *key, const struct sign_scheme *scheme,
    const unsigned char *tbs, size_t len, struct sign_signature *reply)
{
	ASYNC_JOB *job = ASYNC_get_current_job();
	struct sign_wait w = { .call = { .done = sign_on_answer } };
	int r;

	w.call.arg = &w;
	if (job && ASYNC_WAIT_CTX_get_callback(ASYNC_get_wait_ctx(job), &w.wake, &w.arg) != 1)
		job = NULL; /* nobody would ever resume it: block instead */
	r = keyd_call_start(provider_client(), &w.call, key->id, scheme->code, tbs, len);
	if (r < 0)
		return r;
	sign_wait_for(&w, job);
	if (!w.call.finished) {
		keyd_call_cancel(provider_client(), &w.call);
		return -ETIMEDOUT;
	}
	*reply = w.call.reply;
	return reply->status == SIGN_OK ? 0 : -EKEYREJECTED;
}

static int
sign_digest_sign(void *data, unsigned char *sig, size_t *sig_len, size_t sig_size,
    const unsigned char *tbs, size_t len)
{
	const struct sign_ctx *ctx = data;
	const struct sign_scheme *scheme;
	struct sign_signature reply = { 0 };
	int r;

	if (!ctx->key)
		return 0;
	if (!sig) {
		*sig_len = (size_t)EVP_PKEY_get_size(ctx->key->public);
		return 1;
	}
	scheme = scheme_for(ctx->key->kind, ctx->digest, ctx->pss);
	if (!scheme) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_INVALID_DIGEST, "digest %s", ctx->digest);
		return 0;
	}
	r = sign_remotely(ctx->key, scheme, tbs, len, &reply);
	if (r < 0 || reply.sig_len > sig_size) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_FAILED_TO_SIGN, "signer: %s",
		    r == -EKEYREJECTED ? sign_status_text(reply.status) : strerror(-r));
		return 0;
	}
	memcpy(sig, reply.sig, reply.sig_len);
	*sig_len = reply.sig_len;
	return 1;
}

static const OSSL_DISPATCH sign_dispatch[] = {
	{ OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))sign_newctx },
	{ OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))sign_freectx },
	{ OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))sign_dupctx },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))sign_digest_init },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))sign_digest_sign },
	{ OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))sign_set_ctx_params },
	{ OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))sign_settable },
	{ 0, NULL },
};

/*
 * Under names that nobody else has, which the key objects ask for: libcrypto then finds these at
 * once instead of trying the default provider's first, and never takes them for another key.
 */
const OSSL_ALGORITHM provider_signatures[] = {
	{ PROVIDER_SIGNATURE_EC, PROVIDER_OF_KEYS, sign_dispatch, NULL },
	{ PROVIDER_SIGNATURE_RSA, PROVIDER_OF_KEYS, sign_dispatch, NULL },
	{ PROVIDER_SIGNATURE_ED25519, PROVIDER_OF_KEYS, sign_dispatch, NULL },
	{ NULL, NULL, NULL, NULL },
};
