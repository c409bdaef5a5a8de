/*
 * certset.c - see certset.h.
 *
 * In each group, each name that occurs in any of its certificates gets its row; rows whose
 * certificates are the same ones, for the same policy, share a context. A lookup is a binary search
 * for the host, then one for "*.rest".
 */
#include "worker/tls/certset.h"

#include <ctype.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/buf.h"
#include "worker/tls/hello.h"
#include "worker/tls/provider.h"

#define SLOTS 3 /* EC, RSA, Ed25519: an SSL_CTX holds one certificate of each */

/* The certificates of one context, by key type; NULL where there is none. */
struct choice {
	const struct cert *slot[SLOTS];
	const struct policy *policy;
};

struct name_row {
	unsigned group;
	const char *name; /* of a certificate, or "" for the default */
	SSL_CTX *ctx; /* borrowed from contexts[] */
};

struct certset {
	const struct tls_options *o;
	size_t n_certs, n_rows, n_contexts;
	struct cert *certs;
	EVP_PKEY **keys; /* one per certificate */
	struct name_row *rows; /* sorted by name */
	struct context_row {
		struct choice choice;
		SSL_CTX *ctx;
	} * contexts;
};

static int cert_index = -1; /* of X509's application data: its struct cert */

void
certset_free(struct certset *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_contexts; i++)
		SSL_CTX_free(s->contexts[i].ctx);
	for (size_t i = 0; i < s->n_certs; i++) {
		EVP_PKEY_free(s->keys[i]);
		/* The leaf may live on in a connection, the rest of its struct cert does not. */
		if (s->certs[i].leaf)
			(void)X509_set_ex_data(s->certs[i].leaf, cert_index, NULL);
		cert_done(&s->certs[i]);
	}
	free(s->contexts);
	free(s->rows);
	free(s->keys);
	free(s->certs);
	free(s);
}

size_t
certset_count(const struct certset *s)
{
	return s->n_certs;
}

static int
slot_of(const struct cert *c)
{
	return c->type == EVP_PKEY_EC ? 0 : c->type == EVP_PKEY_RSA ? 1 : 2;
}

/* The certificates that a group chooses from: *ret_end is the one behind its last. */
static size_t
group_certs(const struct certset *s, unsigned group, size_t *ret_end)
{
	const struct tls_group *g = &s->o->groups[group];

	*ret_end = g->n > 0 ? g->first + g->n : s->n_certs;
	return g->n > 0 ? g->first : 0;
}

/* The first of each type whose name is this very name; then the first that covers it. */
static struct choice
choose(const struct certset *s, unsigned group, const char *name)
{
	struct choice ch = { .policy = NULL };
	size_t end;
	const size_t first = group_certs(s, group, &end);

	for (int exact = 1; exact >= 0; exact--)
		for (size_t i = first; i < end; i++) {
			const struct cert *c = &s->certs[i];

			if (ch.slot[slot_of(c)])
				continue;
			for (size_t k = 0; k < c->n_names; k++)
				if (exact ? strcmp(c->names[k], name) == 0
					  : cert_name_covers(c->names[k], name))
					ch.slot[slot_of(c)] = c;
		}
	return ch;
}

/* For clients that name no host, or one that we do not have: the first file, and its siblings. */
static struct choice
choose_default(const struct certset *s, unsigned group)
{
	size_t end;
	const struct cert *first = &s->certs[group_certs(s, group, &end)];
	struct choice ch = { .policy = NULL };

	if (first->n_names > 0)
		ch = choose(s, group, first->names[0]);
	ch.slot[slot_of(first)] = first;
	return ch;
}

static int
certset_on_ocsp(SSL *ssl, void *arg)
{
	const struct cert *c = X509_get_ex_data(SSL_get_certificate(ssl), cert_index);
	unsigned char *copy;

	(void)arg;
	if (!c || !c->ocsp || time(NULL) >= c->ocsp_until)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(c->ocsp, c->ocsp_len); /* libssl frees it */
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)c->ocsp_len); /* cannot fail */
	return SSL_TLSEXT_ERR_OK;
}

/* SSL_CTX_set_tlsext_servername_callback(3): that there is one makes libssl acknowledge the name.
 */
static int
certset_on_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

/* SSL_set_cert_cb(3): 1 go on, -1 stop and ask again. */
static int
certset_on_cert(SSL *ssl, void *arg)
{
	const struct certset_seat *seat = SSL_get_app_data(ssl);
	SSL_CTX *ctx;

	(void)arg;
	if (seat->now->held || !seat->now->set)
		return -1;
	ctx = certset_find(
	    seat->now->set, seat->group, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	return SSL_set_SSL_CTX(ssl, ctx) ? 1 : 0;
}

void
certset_hook(SSL_CTX *ctx, const struct tls_options *o)
{
	if (o->n_groups > 1)
		SSL_CTX_set_client_hello_cb(ctx, hello_on_client, NULL);
	/* None of these can fail. */
	(void)SSL_CTX_set_tlsext_status_cb(ctx, certset_on_ocsp);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, certset_on_name);
	SSL_CTX_set_cert_cb(ctx, certset_on_cert, NULL);
}

static SSL_CTX *
make_context(struct certset *s, struct tickets *tickets, const struct choice *ch, struct why *why)
{
	SSL_CTX *ctx = context_new(s->o, ch->policy, tickets, why);
	char text[256];

	ERR_clear_error(); /* the end of a PEM file is one */
	for (int i = 0; ctx && i < SLOTS; i++) {
		const struct cert *c = ch->slot[i];

		if (!c ||
		    SSL_CTX_use_cert_and_key(ctx, c->leaf, s->keys[c - s->certs], c->chain, 1) == 1)
			continue;
		(void)why_set(why, -EBADMSG, "%s: %s", c->path, openssl_error(text, sizeof(text)));
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	if (ctx)
		certset_hook(ctx, s->o);
	return ctx;
}

/* The context of these certificates, made if it is the first of its kind. */
static SSL_CTX *
context_for(struct certset *s, struct tickets *tickets, const struct choice *ch, struct why *why)
{
	struct context_row *rows;
	SSL_CTX *ctx;

	for (size_t i = 0; i < s->n_contexts; i++)
		if (memcmp(&s->contexts[i].choice, ch, sizeof(*ch)) == 0)
			return s->contexts[i].ctx;
	rows = reallocarray(s->contexts, s->n_contexts + 1, sizeof(*rows));
	if (!rows)
		return NULL;
	s->contexts = rows;
	ctx = make_context(s, tickets, ch, why);
	if (ctx)
		rows[s->n_contexts++] = (struct context_row){ *ch, ctx };
	return ctx;
}

static int
row_compare(const void *a, const void *b)
{
	const struct name_row *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Every group's rows, the default's first in each. */
static int
name_rows(struct certset *s)
{
	size_t max = 0, end;

	for (unsigned g = 0; g < s->o->n_groups; g++) {
		max++;
		for (size_t i = group_certs(s, g, &end); i < end; i++)
			max += s->certs[i].n_names;
	}
	s->rows = calloc(max, sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (unsigned g = 0; g < s->o->n_groups; g++) {
		s->rows[s->n_rows++] = (struct name_row){ g, "", NULL };
		for (size_t i = group_certs(s, g, &end); i < end; i++)
			for (size_t k = 0; k < s->certs[i].n_names; k++)
				s->rows[s->n_rows++] =
				    (struct name_row){ g, s->certs[i].names[k], NULL };
	}
	qsort(s->rows, s->n_rows, sizeof(*s->rows), row_compare);
	return 0;
}

static int
make_rows(
    struct certset *s, struct policy *const *policies, struct tickets *tickets, struct why *why)
{
	if (name_rows(s) < 0)
		return why_set(why, -ENOMEM, "names of certificates");
	for (size_t i = 0; i < s->n_rows; i++) {
		struct name_row *row = &s->rows[i];
		struct choice ch =
		    row->name[0] ? choose(s, row->group, row->name) : choose_default(s, row->group);

		ch.policy = policies[row->group];
		row->ctx = context_for(s, tickets, &ch, why);
		if (!row->ctx)
			return -EBADMSG;
	}
	for (size_t i = 0; i < s->n_contexts; i++)
		s->contexts[i].choice.policy = NULL; /* only borrowed, to tell them apart */
	return 0;
}

static int
load_one(struct certset *s, const char *path, const struct keyd_client *keys, int64_t now,
    struct why *note, struct why *why)
{
	struct cert *c = &s->certs[s->n_certs];
	const struct keyd_key *key;
	int r = cert_load(path, now, c, note, why);

	if (r < 0)
		return r;
	s->n_certs++;
	if (cert_index < 0)
		cert_index = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	(void)X509_set_ex_data(c->leaf, cert_index, c); /* else it is not stapled */
	key = keyd_client_key(keys, c->key_id);
	if (!key)
		return why_set(
		    why, CERTSET_NO_KEY, "%s: its private key is not at the signer", path);
	s->keys[s->n_certs - 1] = provider_key_new(key);
	if (!s->keys[s->n_certs - 1])
		return why_set(why, -EBADMSG, "%s: the signer's public key is unusable", path);
	return 0;
}

int
certset_new(const struct tls_options *o, struct policy *const *policies, struct tickets *tickets,
    const struct keyd_client *keys, int64_t now, struct certset **ret, struct why *note,
    struct why *why)
{
	struct certset *s = calloc(1, sizeof(*s));
	int r = 0;

	if (s) {
		s->o = o;
		s->certs = calloc(o->n_certs, sizeof(*s->certs));
		s->keys = calloc(o->n_certs, sizeof(EVP_PKEY *));
	}
	if (!s || !s->certs || !s->keys) {
		certset_free(s);
		return why_set(why, -ENOMEM, "certificates");
	}
	for (size_t i = 0; i < o->n_certs && r == 0; i++)
		r = load_one(s, o->certs[i], keys, now, note, why);
	if (r == 0)
		r = make_rows(s, policies, tickets, why);
	ERR_clear_error();
	if (r != 0)
		certset_free(s);
	else
		*ret = s;
	return r;
}

static SSL_CTX *
certset_find_row(const struct certset *s, unsigned group, const char *name)
{
	const struct name_row want = { group, name, NULL };
	const struct name_row *row =
	    bsearch(&want, s->rows, s->n_rows, sizeof(*s->rows), row_compare);

	return row ? row->ctx : NULL;
}

SSL_CTX *
certset_find(const struct certset *s, unsigned group, const char *host)
{
	char name[256] = "*";
	SSL_CTX *ctx = NULL;
	const char *dot;
	size_t n = host ? strlen(host) : 0;

	if (n > 0 && n < sizeof(name) - 1) {
		for (size_t i = 0; i <= n; i++)
			name[i] = (char)tolower((unsigned char)host[i]);
		if (name[n - 1] == '.') /* RFC 6066 3 forbids it; some send it */
			name[n - 1] = '\0';
		ctx = certset_find_row(s, group, name);
		dot = strchr(name, '.');
		if (!ctx && dot && dot != name) {
			memmove(name + 1, dot, strlen(dot) + 1);
			name[0] = '*';
			ctx = certset_find_row(s, group, name);
		}
	}
	return ctx ? ctx : certset_find_row(s, group, "");
}
