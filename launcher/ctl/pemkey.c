/*
 * pemkey.c - see pemkey.h. As much of PEM (RFC 7468) and DER as a private key needs.
 */
#include "launcher/ctl/pemkey.h"

#include <assert.h>

#define DER_MAX 16384 /* RSA of 16,384 bits has 9,300 */
#define TEXT_MAX (DER_MAX / 3 * 4)
#define LINE_CHARS 64 /* RFC 7468 section 2 */
#define SECRET_MIN 16
#define SECRETS_MAX 6
static_assert(PEMKEY_PATTERNS_MAX == 2 * SECRETS_MAX + 1, "two orders, and the text");

enum {
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_SEQUENCE = 0x30,
};

struct der {
	const unsigned char *ptr;
	size_t len;
};

struct pem_work {
	char text[TEXT_MAX];
	unsigned char der[DER_MAX];
	size_t text_len, der_len;
	struct der secrets[SECRETS_MAX];
	unsigned n_secrets;
	bool rsa;
};

/* The characters between the lines of the first private key. Return: 1, 0 for none, -errno. */
static int
pem_body(struct span pem, struct span *ret, struct why *why)
{
	static const char begin[] = "-----BEGIN ", kind[] = "PRIVATE KEY-----";
	const char *p = pem.ptr, *end = pem.ptr + pem.len, *line, *stop;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1))) {
		p += sizeof(begin) - 1;
		line = memchr(p, '\n', (size_t)(end - p));
		if (!line)
			break;
		if (!memmem(p, (size_t)(line - p), kind, sizeof(kind) - 1))
			continue;
		stop = memmem(line, (size_t)(end - line), "-----END ", 9);
		if (!stop)
			return why_set(why, -EBADMSG, "no end of the private key");
		if (str_starts(p, "ENCRYPTED ") || memchr(line, ':', (size_t)(stop - line)))
			return why_set(why, -EPERM, "the private key is encrypted");
		*ret = (struct span){ line, (size_t)(stop - line) };
		return 1;
	}
	return 0;
}

static int
base64_value(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Characters to w->text, bytes to w->der. */
static int
base64_read(struct span body, struct pem_work *w)
{
	unsigned bits = 0, value = 0;

	for (size_t i = 0; i < body.len && body.ptr[i] != '='; i++) {
		const int digit = base64_value(body.ptr[i]);

		if (strchr(" \t\r\n", body.ptr[i]) && body.ptr[i])
			continue;
		if (digit < 0 || w->text_len == TEXT_MAX)
			return -EBADMSG;
		w->text[w->text_len++] = body.ptr[i];
		value = value << 6 | (unsigned)digit;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		w->der[w->der_len++] = (unsigned char)(value >> bits);
	}
	return 0;
}

/* Takes one element off the front. */
static bool
der_next(struct der *d, unsigned *ret_tag, struct der *ret)
{
	size_t head = 2, len;

	if (d->len < head)
		return false;
	len = d->ptr[1];
	if (len > 0x80 && len <= 0x82) {
		head += len - 0x80;
		if (d->len < head)
			return false;
		len = head == 3 ? d->ptr[2] : (size_t)d->ptr[2] << 8 | d->ptr[3];
	} else if (len >= 0x80) {
		return false;
	}
	if (d->len - head < len)
		return false;
	*ret_tag = d->ptr[0];
	*ret = (struct der){ d->ptr + head, len };
	*d = (struct der){ d->ptr + head + len, d->len - head - len };
	return true;
}

static void
secret_add(struct pem_work *w, struct der v)
{
	for (; v.len > 0 && v.ptr[0] == 0; v.len--)
		v.ptr++;
	if (v.len >= SECRET_MIN && w->n_secrets < SECRETS_MAX)
		w->secrets[w->n_secrets++] = v;
}

/*
 * A SEQUENCE. RSA has integers: version, n, e, then the secret ones. Others have an octet string:
 * the scalar, or what another layer is in.
 */
static void
key_walk(struct der d, unsigned depth, struct pem_work *w)
{
	struct der inner, v, seed;
	unsigned tag;

	if (!der_next(&d, &tag, &inner) || tag != DER_SEQUENCE)
		return;
	for (unsigned i = 0; der_next(&inner, &tag, &v); i++) {
		if (tag == DER_INTEGER && i >= 3) {
			w->rsa = true;
			secret_add(w, v);
		}
		if (tag != DER_OCTETS)
			continue;
		if (depth == 0)
			key_walk(v, 1, w); /* PKCS#8: the key itself is in there */
		if (w->n_secrets > 0)
			return;
		/* Ed25519 is wrapped once more: RFC 8410 section 7. */
		inner = v;
		if (der_next(&inner, &tag, &seed) && tag == DER_OCTETS && inner.len == 0)
			v = seed;
		secret_add(w, v);
		return;
	}
}

/* The longest piece of one line of the text that is of this secret only. */
static size_t
text_piece(const struct pem_work *w, struct der secret, unsigned char *dst)
{
	const size_t off = (size_t)(secret.ptr - w->der);
	const size_t first = (off + 2) / 3 * 4, last = (off + secret.len) / 3 * 4;
	size_t best = 0;

	for (size_t at = first, n; at < last && at < w->text_len; at += n) {
		n = LINE_CHARS - at % LINE_CHARS;
		if (n > last - at)
			n = last - at;
		if (n > w->text_len - at)
			n = w->text_len - at;
		if (n <= best)
			continue;
		best = n;
		memcpy(dst, w->text + at, n);
	}
	return best;
}

static int
make_patterns(const struct pem_work *w, struct pem_pattern *ret)
{
	static const char *const rsa[SECRETS_MAX] = { "d", "p", "q", "dp", "dq", "qinv" };
	int n = 0;

	for (unsigned i = 0; i < w->n_secrets; i++) {
		const struct der s = w->secrets[i];
		const size_t len = s.len / 2 < 32 ? s.len / 2 : 32;
		const unsigned char *from = s.ptr + s.len / 4;
		struct pem_pattern *big = &ret[n++], *little = &ret[n++];

		big->what = little->what = w->rsa ? rsa[i] : "scalar";
		big->order = "big-endian";
		little->order = "little-endian";
		big->len = little->len = len;
		for (size_t k = 0; k < len; k++)
			big->bytes[k] = little->bytes[len - 1 - k] = from[k];
	}
	ret[n].what = "text";
	ret[n].order = "of the PEM file";
	ret[n].len = text_piece(w, w->secrets[0], ret[n].bytes);
	return n + (ret[n].len >= SECRET_MIN);
}

int
pemkey_read(struct span pem, struct pem_pattern ret[PEMKEY_PATTERNS_MAX], struct why *why)
{
	struct pem_work w = { .text_len = 0 };
	struct span body = { NULL, 0 };
	int r = pem_body(pem, &body, why);

	if (r <= 0)
		return r;
	r = base64_read(body, &w);
	if (r == 0)
		key_walk((struct der){ w.der, w.der_len }, 0, &w);
	if (w.n_secrets > 0)
		r = make_patterns(&w, ret);
	else
		r = why_set(why, -EBADMSG, "no private key that can be read");
	explicit_bzero(&w, sizeof(w));
	return r;
}
