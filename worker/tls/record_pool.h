/*
 * record_pool.h - OpenSSL's record buffers, kept instead of freed.
 * Runs as: worker, no rights; before OpenSSL has allocated anything.
 * Owns:    the process's allocator for OpenSSL, and some spare buffers.
 * Tests:   tests/tls
 *
 * With SSL_MODE_RELEASE_BUFFERS an idle connection has none, at the price of an allocation of 17 KB
 * for every record that comes or goes. These are the only large blocks that libssl uses, so the few
 * that are needed at a time are handed round.
 */
#pragma once

/* From now on. Does nothing when it is too late, or with sanitizers: it is only faster. */
void record_pool_use(void);
