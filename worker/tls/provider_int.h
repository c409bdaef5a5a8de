/*
 * provider_int.h - what provider.c, provider_key.c, provider_sign.c and provider_kdf.c share.
 * Runs as: worker, no rights.
 * Tests:   tests/unit/test_provider.c
 */
#pragma once

#include <openssl/core.h>
#include <openssl/evp.h>

#include "worker/tls/provider.h"

#define PROVIDER_NAME "sallyport"
#define PROVIDER_PROPERTY "provider=sallyport"
#define PROVIDER_OF_KEYS PROVIDER_PROPERTY ",sallyport.key=remote" /* never by mere name */
#define PROVIDER_PARAM_ID "sallyport-key-id" /* 32 bytes, see SIGN_KEY_ID_BYTES */
#define PROVIDER_SIGNATURE_EC "SALLYPORT-ECDSA"
#define PROVIDER_SIGNATURE_RSA "SALLYPORT-RSA"
#define PROVIDER_SIGNATURE_ED25519 "SALLYPORT-ED25519"

/* The key object: what libcrypto calls keydata. */
struct provider_key {
	const char *type; /* "EC", "RSA", "ED25519" */
	enum sign_kind kind; /* 0: a public key that libcrypto wanted to compare with ours */
	uint8_t id[SIGN_KEY_ID_BYTES];
	EVP_PKEY *public; /* of the default provider */
	int bits, security_bits, max_size; /* asked for in every handshake */
	char group[32]; /* EC only */
};

extern const OSSL_ALGORITHM provider_keymgmts[];
extern const OSSL_ALGORITHM provider_signatures[];
extern const OSSL_ALGORITHM provider_kdfs[];

/* Finds what provider_kdfs[] hashes with. provider_kdf_done() undoes it, also half of it. */
_must_check_ bool provider_kdf_ready(void);
void provider_kdf_done(void);

/* The client of provider_load(). */
struct keyd_client *provider_client(void);
