/*
 * keys.h - the private keys: found in files, checked, held, replaced as a whole, wiped.
 * Runs as: sallyport-keyd.
 * Trusts:  the files that the service manager passed in $CREDENTIALS_DIRECTORY, or named by --key.
 * Owns:    every EVP_PKEY with a private half in this project.
 * Calls:   OpenSSL's decoders and EVP_DigestSign; logs nothing.
 * Tests:   tests/unit/test_sign_serve.c, tests/tls/test_keyd.py
 *
 * Where keys come from is one table of sources in keys.c; a token (PKCS#11, TPM) would be one more
 * row there, which fills the same struct signer_key.
 */
#pragma once

#include <openssl/types.h>

#include "common/buf.h"
#include "common/why.h"
#include "signer/proto.h"
#include "signer/scheme.h"

#define KEYS_FILES_MAX 64
#define KEYS_NAME_MAX 128

struct signer_key {
	uint8_t id[SIGN_KEY_ID_BYTES];
	enum sign_kind kind;
	unsigned bits;
	uint16_t spki_len;
	uint8_t spki[SIGN_SPKI_MAX];
	char name[KEYS_NAME_MAX]; /* the credential's or file's name, for log lines */
	EVP_PKEY *pkey;
	struct key_ready *ready; /* keysign.c's: one prepared operation per scheme */
	uint64_t retired_usec; /* 0: current. Else it was replaced then, and signs for a while */
};

struct keyset {
	uint64_t generation; /* never 0 once loaded */
	size_t n;
	struct signer_key *keys; /* current ones first */
};

/* Where to look; the strings are borrowed for the life of the process. */
struct key_sources {
	const char *directory; /* $CREDENTIALS_DIRECTORY, or NULL */
	const char *files[KEYS_FILES_MAX]; /* --key */
	size_t n_files;
};

/*
 * keyset_load - read all sources into *set, or leave it as it is.
 * A file that holds no PEM private key is passed over in the directory; everything else that is
 * wrong (an encrypted key without its NAME.pass, an unsupported kind, the same key twice) fails the
 * whole load: half a set of keys would be half a service. Keys of the former set that are gone stay
 * as retired ones.
 * Return: 0; -ENOKEY when there is none; -errno.
 */
_must_check_ int keyset_load(
    struct keyset *set, const struct key_sources *src, uint64_t now_usec, struct why *why);

/* Wipes retired keys older than max_age_usec. Return: how many. */
size_t keyset_expire(struct keyset *set, uint64_t now_usec, uint64_t max_age_usec);

/* Wipes all. Safe on an empty set. */
void keyset_done(struct keyset *set);

/* Current and retired ones. NULL when there is none of this id. */
const struct signer_key *keyset_find(const struct keyset *set, const uint8_t *id);

/* How many current ones; they are keys[0..n). */
size_t keyset_current(const struct keyset *set);

/*
 * key_ready - prepare every operation that this key is for, so that a signature is nothing but one.
 * Return: 0 or -errno with why. key_unready() undoes it; safe when it was not done.
 */
_must_check_ int key_ready(struct signer_key *key, struct why *why);
void key_unready(struct signer_key *key);

/*
 * key_sign - the only private operation there is.
 * @sig: SIGN_SIG_MAX bytes
 * Return: the length of the signature, or -EIO.
 */
_must_check_ int key_sign(const struct signer_key *key, const struct sign_scheme *scheme,
    const uint8_t *tbs, size_t len, uint8_t *sig);
