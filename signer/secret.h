/*
 * secret.h - keeps private keys out of swap, core dumps, other processes and freed memory.
 * Runs as: sallyport-keyd, before anything else: OpenSSL must not have allocated yet.
 * Owns:    the process's allocator for OpenSSL and its locked heap, until exit.
 * Calls:   prctl(2), mlock(2), OPENSSL_secure_malloc(3).
 * Tests:   tests/tls/test_keyd.py (status and limits of the process), test_memory.py
 */
#pragma once

#include "common/why.h"

/*
 * secret_setup - not dumpable, no core, every OpenSSL allocation wiped on free; and locked in
 * memory whatever a key can be in: OpenSSL's secure heap, malloc's heap, the stack. Not
 * mlockall(2): that would count libcrypto's code too and not fit into the usual RLIMIT_MEMLOCK of 8
 * MB, which is not raised without a privilege. Return: 0, or -errno when a key must not be read by
 * this process.
 */
_must_check_ int secret_setup(struct why *why);

/*
 * secret_check_identity - refuse to hold keys with more rights than a key holder needs.
 * Return: 0; -EPERM with the reason when a user or group id is 0 or any capability is held;
 *         -errno when that cannot be told.
 */
_must_check_ int secret_check_identity(struct why *why);
