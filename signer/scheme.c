/*
 * scheme.c - see scheme.h.
 */
#include "signer/scheme.h"

#include <strings.h>

#define RSA (1u << SIGN_KIND_RSA)
#define P256 (1u << SIGN_KIND_P256)
#define P384 (1u << SIGN_KIND_P384)
#define ED25519 (1u << SIGN_KIND_ED25519)

/*
 * TLS 1.2 pairs any hash with any curve (RFC 8422 5.1.3 by way of RFC 5246 7.4.1.4.1); TLS 1.3 ties
 * the curve to the hash and bans PKCS#1 v1.5 from handshakes (RFC 8446 4.2.3). No SHA-1 anywhere.
 */
static const struct sign_scheme schemes[] = {
	{ 0x0403, "ecdsa_secp256r1_sha256", "SHA256", false, P256 | P384, P256 },
	{ 0x0503, "ecdsa_secp384r1_sha384", "SHA384", false, P256 | P384, P384 },
	{ 0x0603, "ecdsa_secp521r1_sha512", "SHA512", false, P256 | P384, 0 },
	{ 0x0804, "rsa_pss_rsae_sha256", "SHA256", true, RSA, RSA },
	{ 0x0805, "rsa_pss_rsae_sha384", "SHA384", true, RSA, RSA },
	{ 0x0806, "rsa_pss_rsae_sha512", "SHA512", true, RSA, RSA },
	{ 0x0401, "rsa_pkcs1_sha256", "SHA256", false, RSA, 0 },
	{ 0x0501, "rsa_pkcs1_sha384", "SHA384", false, RSA, 0 },
	{ 0x0601, "rsa_pkcs1_sha512", "SHA512", false, RSA, 0 },
	{ 0x0807, "ed25519", NULL, false, ED25519, ED25519 },
};

static_assert(ELEMENTSOF(schemes) == SCHEMES, "one each");

const struct sign_scheme *
scheme_at(unsigned index)
{
	return &schemes[index];
}

unsigned
scheme_index(const struct sign_scheme *s)
{
	return (unsigned)(s - schemes);
}

const struct sign_scheme *
scheme_by_code(unsigned code)
{
	for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
		if (schemes[i].code == code)
			return &schemes[i];
	return NULL;
}

/* "SHA256" is also "SHA2-256" and "SHA-256" to OpenSSL. */
static bool
digest_is(const char *given, const char *name)
{
	if (strcasecmp(given, name) == 0)
		return true;
	if (strncasecmp(given, "SHA2-", 5) == 0)
		return strcasecmp(given + 5, name + 3) == 0;
	return strncasecmp(given, "SHA-", 4) == 0 && strcasecmp(given + 4, name + 3) == 0;
}

const struct sign_scheme *
scheme_for(enum sign_kind kind, const char *digest, bool pss)
{
	for (size_t i = 0; i < ELEMENTSOF(schemes); i++) {
		const struct sign_scheme *s = &schemes[i];

		if (!(s->tls12 & 1u << kind) || s->pss != pss)
			continue;
		if (s->digest ? digest && digest_is(digest, s->digest) : !digest || !*digest)
			return s;
	}
	return NULL;
}

bool
scheme_allowed(const struct sign_scheme *s, enum sign_kind kind, enum sign_shape shape)
{
	switch (shape) {
	case SHAPE_TLS13:
		return s->tls13 & 1u << kind;
	case SHAPE_TLS12:
		return s->tls12 & 1u << kind;
	case SHAPE_NONE:
		break;
	}
	return false;
}
