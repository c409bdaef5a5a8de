/*
 * provider.h - private keys that are not here: a built-in OpenSSL provider, "sallyport", whose keys
 * have a public half and the signer's name for the private one.
 * Runs as: worker, no rights.
 * Trusts:  the signer for what its keys are (provider_key_new() takes nothing from a certificate).
 * Owns:    the process's OpenSSL set-up: default provider first, then ours.
 * Calls:   keyd_client.h; pauses OpenSSL async jobs (ASYNC_start_job(3)).
 * Tests:   tests/unit/test_provider.c, tests/tls
 *
 * provider-keymgmt(7), provider-signature(7): there is no raw signing, no decryption and no
 * verification in it; libcrypto's default provider does the last with an exported public half.
 */
#pragma once

#include <openssl/types.h>

#include "common/why.h"
#include "worker/tls/keyd_client.h"

/*
 * provider_load - once per process, before any SSL_CTX.
 * @client: signs for all keys made later; borrowed for the life of the process
 * Return: 0 or -EIO.
 */
_must_check_ int provider_load(struct keyd_client *client, struct why *why);

/* Unloads; every key must be gone. */
void provider_unload(void);

/*
 * provider_key_new - the EVP_PKEY to give to SSL_CTX_use_cert_and_key(3). NULL when it cannot be.
 *
 * In an async job its signature pauses the job until the signer has answered, and the callback of
 * the job's wait context (SSL_set_async_callback(3)) is called then. A job that is resumed without
 * that has been given up: the signature fails and the call is cancelled. Outside of a job it blocks
 * for some seconds at most.
 */
EVP_PKEY *provider_key_new(const struct keyd_key *key);
