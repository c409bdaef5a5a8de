/*
 * cert.c - see cert.h.
 */
#include "worker/tls/cert.h"

#include <ctype.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "common/buf.h"

#define OCSP_SKEW_SEC 300 /* a responder's clock may be ahead of ours by so much */

void
cert_done(struct cert *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	for (size_t i = 0; i < c->n_names; i++)
		free(c->names[i]);
	free(c->names);
	free(c->ocsp);
	*c = (struct cert){ 0 };
}

bool
cert_name_covers(const char *name, const char *host)
{
	const char *dot;

	if (!str_starts(name, "*."))
		return strcmp(name, host) == 0;
	dot = strchr(host, '.');
	return dot && dot != host && strcmp(name + 1, dot) == 0;
}

/* Lower case, and only what a host name is made of: these are compared with what clients send. */
static char *
name_copy(const unsigned char *text, int len)
{
	char *name = len > 0 && len < 254 ? malloc((size_t)len + 1) : NULL;

	for (int i = 0; name && i < len; i++) {
		const unsigned char c = text[i];

		if (!isalnum(c) && !strchr("-._*", c)) {
			free(name);
			return NULL;
		}
		name[i] = (char)tolower(c);
	}
	if (name)
		name[len] = '\0';
	return name;
}

static int
load_names(struct cert *c)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	const int n = all ? sk_GENERAL_NAME_num(all) : 0;

	c->names = calloc(n > 0 ? (size_t)n : 1, sizeof(*c->names));
	for (int i = 0; c->names && i < n && c->n_names < CERT_NAMES_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		char *name = NULL;

		if (g->type == GEN_DNS)
			name = name_copy(
			    ASN1_STRING_get0_data(g->d.dNSName), ASN1_STRING_length(g->d.dNSName));
		if (name)
			c->names[c->n_names++] = name;
	}
	GENERAL_NAMES_free(all);
	return c->names ? 0 : -ENOMEM;
}

static int
load_key_id(struct cert *c)
{
	unsigned char *spki = NULL;
	const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->leaf), &spki);
	EVP_PKEY *pkey = X509_get0_pubkey(c->leaf);

	if (len <= 0 || !pkey)
		return -EBADMSG;
	(void)SHA256(spki, (size_t)len, c->key_id); /* cannot fail */
	OPENSSL_free(spki);
	c->type = EVP_PKEY_get_base_id(pkey);
	return 0;
}

/* Leaf, then chain, to the end of the file. */
static int
load_pem(BIO *bio, struct cert *c, const char *path, struct why *why)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	int r = 0;

	c->chain = sk_X509_new_null();
	while (r == 0 && PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
		const unsigned char *p = der;
		X509 *x = NULL;

		if (strstr(name, "PRIVATE KEY"))
			r = why_set(why, -EPERM,
			    "%s holds a private key: it belongs to sallyport-keyd alone, this "
			    "process "
			    "must not be able to read it",
			    path);
		else if (strcmp(name, PEM_STRING_X509) == 0)
			x = d2i_X509(NULL, &p, len);
		if (x && !c->leaf)
			c->leaf = x;
		else if (x && (!c->chain || sk_X509_push(c->chain, x) <= 0))
			X509_free(x);
		else if (!x && r == 0)
			r = why_set(why, -EBADMSG, "%s: \"%s\" is no certificate", path, name);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
	}
	if (r == 0 && !c->leaf)
		r = why_set(why, -EBADMSG, "%s: no certificate in it", path);
	return r;
}

/* The single answer about this certificate, by its serial number: the only one in most files. */
static OCSP_SINGLERESP *
ocsp_find(const struct cert *c, OCSP_BASICRESP *basic)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_INTEGER *serial = NULL;
		OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);

		if (OCSP_id_get0_info(NULL, NULL, NULL, &serial, id) == 1 &&
		    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(c->leaf)) == 0)
			return single;
	}
	return NULL;
}

static bool
ocsp_is_good(const struct cert *c, OCSP_RESPONSE *resp, int64_t now, int64_t *ret_until)
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(resp);
	OCSP_SINGLERESP *single = basic ? ocsp_find(c, basic) : NULL;
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
	struct tm tm = { 0 };
	const bool ok = single &&
			OCSP_single_get0_status(single, NULL, NULL, &from, &until) !=
			    V_OCSP_CERTSTATUS_UNKNOWN &&
			until && OCSP_check_validity(from, until, OCSP_SKEW_SEC, -1) == 1 &&
			ASN1_TIME_to_tm(until, &tm) == 1;

	if (ok)
		*ret_until = timegm(&tm);
	OCSP_BASICRESP_free(basic);
	return ok && *ret_until > now;
}

static void
load_ocsp(struct cert *c, int64_t now, struct why *note)
{
	char path[4096];
	BIO *bio = NULL;
	OCSP_RESPONSE *resp = NULL;
	unsigned char *der = NULL;
	int len;

	if (snprintf(path, sizeof(path), "%s.ocsp", c->path) >= (int)sizeof(path))
		return;
	errno = 0;
	bio = BIO_new_file(path, "rbe");
	if (!bio && errno == ENOENT)
		return;
	resp = bio ? d2i_OCSP_RESPONSE_bio(bio, NULL) : NULL;
	if (resp && OCSP_response_status(resp) == OCSP_RESPONSE_STATUS_SUCCESSFUL &&
	    ocsp_is_good(c, resp, now, &c->ocsp_until)) {
		len = i2d_OCSP_RESPONSE(resp, &der);
		c->ocsp = len > 0 ? malloc((size_t)len) : NULL;
		c->ocsp_len = c->ocsp ? (size_t)len : 0;
		if (c->ocsp)
			memcpy(c->ocsp, der, c->ocsp_len);
		OPENSSL_free(der);
	} else {
		(void)why_set(note, -ESTALE,
		    "%s: not stapled: unreadable, of another certificate, or out of date", path);
	}
	OCSP_RESPONSE_free(resp);
	(void)BIO_free(bio);
}

int
cert_load(const char *path, int64_t now, struct cert *ret, struct why *note, struct why *why)
{
	struct cert c = { .path = path };
	BIO *bio = BIO_new_file(path, "re");
	int r;

	if (!bio)
		return why_set(why, errno ? -errno : -EIO, "%s", path);
	r = load_pem(bio, &c, path, why);
	(void)BIO_free(bio);
	if (r == 0)
		r = load_key_id(&c);
	if (r == 0)
		r = load_names(&c);
	if (r < 0) {
		cert_done(&c);
		return r;
	}
	load_ocsp(&c, now, note);
	*ret = c;
	return 0;
}
