/*
 * shape.c - see shape.h.
 */
#include "signer/shape.h"

#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"

#define PREFIX_BYTES 64 /* TLS 1.3: as many spaces; TLS 1.2: client and server random */
#define CURVE_TYPE_NAMED 3 /* RFC 8422 5.4: the only one left */
#define POINT_UNCOMPRESSED 4 /* RFC 8422 5.1.2: the only format left */

/* sizeof counts the NUL, which is the separator byte of RFC 8446 4.4.3. */
static const char context_tls13[] = "TLS 1.3, server CertificateVerify";

static bool
shape_is_tls13(const uint8_t *tbs, size_t len)
{
	size_t hash;

	if (len < PREFIX_BYTES + sizeof(context_tls13))
		return false;
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		if (tbs[i] != 0x20)
			return false;
	if (memcmp(tbs + PREFIX_BYTES, context_tls13, sizeof(context_tls13)) != 0)
		return false;
	hash = len - PREFIX_BYTES - sizeof(context_tls13);
	return hash == 32 || hash == 48; /* the transcript hashes of all TLS 1.3 suites */
}

/* Groups that an ECDHE server may name, and the length of the share it then sends. */
static const struct {
	uint16_t group;
	uint8_t bytes;
	bool point; /* begins with the format byte */
} shape_groups[] = {
	{ 23, 65, true }, /* secp256r1 */
	{ 24, 97, true }, /* secp384r1 */
	{ 25, 133, true }, /* secp521r1 */
	{ 29, 32, false }, /* x25519 */
	{ 30, 56, false }, /* x448 */
};

static bool
shape_is_tls12(const uint8_t *tbs, size_t len)
{
	const uint8_t *p = tbs + PREFIX_BYTES;
	uint16_t group;

	if (len < PREFIX_BYTES + 5 || p[0] != CURVE_TYPE_NAMED)
		return false;
	group = (uint16_t)(p[1] << 8 | p[2]);
	for (size_t i = 0; i < ELEMENTSOF(shape_groups); i++) {
		if (shape_groups[i].group != group)
			continue;
		if (p[3] != shape_groups[i].bytes || len != PREFIX_BYTES + 4u + p[3])
			return false;
		return !shape_groups[i].point || p[4] == POINT_UNCOMPRESSED;
	}
	return false;
}

enum sign_shape
shape_of(const uint8_t *tbs, size_t len)
{
	if (shape_is_tls13(tbs, len))
		return SHAPE_TLS13;
	if (shape_is_tls12(tbs, len))
		return SHAPE_TLS12;
	return SHAPE_NONE;
}
