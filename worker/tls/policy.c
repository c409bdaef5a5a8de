/*
 * policy.c - see policy.h.
 */
#include "worker/tls/policy.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/buf.h"

#define POLICY_NAME_BYTES 32 /* SSL_MAX_SID_CTX_LENGTH too */

struct policy {
	int verify; /* SSL_CTX_set_verify(3) */
	X509_STORE *store; /* NULL: nobody is asked */
	STACK_OF(X509_NAME) * names; /* of the authorities, to tell clients */
	unsigned char name[POLICY_NAME_BYTES];
};

void
policy_free(struct policy *p)
{
	if (!p)
		return;
	X509_STORE_free(p->store);
	sk_X509_NAME_pop_free(p->names, X509_NAME_free);
	free(p);
}

/* The name of what is asked: the mode, and the whole file of authorities. */
static int
policy_name(const struct tls_policy *t, struct policy *p, struct why *why)
{
	_cleanup_free_ char *block = malloc(65536);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	BIO *file = t->client_ca ? BIO_new_file(t->client_ca, "r") : NULL;
	const unsigned char mode = (unsigned char)t->auth;
	bool good = block && md && (file || !t->client_ca) &&
		    EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(md, &mode, sizeof(mode)) == 1;
	int n = 0;

	while (good && file && (n = BIO_read(file, block, 65536)) > 0)
		good = EVP_DigestUpdate(md, block, (size_t)n) == 1;
	good = good && n >= 0 && EVP_DigestFinal_ex(md, p->name, NULL) == 1;
	(void)BIO_free(file);
	EVP_MD_CTX_free(md);
	if (good)
		return 0;
	return why_set(why, errno ? -errno : -EIO, "%s", t->client_ca ? t->client_ca : "SHA-256");
}

int
policy_load(const struct tls_policy *t, struct policy **ret, struct why *why)
{
	struct policy *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p)
		return why_set(why, -ENOMEM, "client certificates");
	errno = 0;
	if (t->auth != TLS_CLIENT_AUTH_NONE) {
		p->verify = SSL_VERIFY_PEER;
		if (t->auth == TLS_CLIENT_AUTH_REQUIRED)
			p->verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
		p->store = X509_STORE_new();
		p->names = SSL_load_client_CA_file(t->client_ca);
		if (!p->store || !p->names || X509_STORE_load_file(p->store, t->client_ca) != 1)
			r = errno == 0 || errno == EINVAL
				? why_set(why, -EBADMSG, "%s: no CA certificates", t->client_ca)
				: why_set(why, -errno, "%s", t->client_ca);
	}
	if (r == 0)
		r = policy_name(t, p, why);
	ERR_clear_error();
	if (r < 0)
		policy_free(p);
	else
		*ret = p;
	return r;
}

int
policy_use(const struct policy *p, SSL_CTX *ctx, struct why *why)
{
	STACK_OF(X509_NAME) *names = p->names ? SSL_dup_CA_list(p->names) : NULL;

	if (SSL_CTX_set_session_id_context(ctx, p->name, sizeof(p->name)) != 1 ||
	    (p->names && !names))
		return why_set(why, -ENOMEM, "client certificates");
	if (!p->store)
		return 0;
	SSL_CTX_set_client_CA_list(ctx, names); /* takes them */
	SSL_CTX_set1_cert_store(ctx, p->store);
	SSL_CTX_set_verify(ctx, p->verify, NULL);
	return 0;
}

int
policy_switch(const struct policy *p, SSL *ssl)
{
	SSL_set_verify(ssl, p->verify, NULL);
	return SSL_set_session_id_context(ssl, p->name, sizeof(p->name)) == 1 ? 0 : -ENOMEM;
}
