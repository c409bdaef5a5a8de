/*
 * hello.h - what a ClientHello decides before OpenSSL reads the rest of it: the group of its host,
 * and with that whether a client certificate is asked for and which sessions may be resumed.
 * Runs as: worker, no rights.
 * Trusts:  nothing in it. The group is kept with the connection: what the site then checks is that
 *          one, not the name.
 * Tests:   tests/tls/test_tls_mutual.py, tests/unit/test_cert.c
 *
 * OpenSSL decides about a session before it calls for the server's name (ssl_get_prev_session()
 * comes before SSL_CTX_set_tlsext_servername_callback(3)), so that would be too late.
 */
#pragma once

#include <stddef.h>

#include <openssl/types.h>

#define HELLO_HOST_BYTES 256

/*
 * hello_host - the host of a server_name extension (RFC 6066 3).
 * Return: ret, or NULL when there is none that can be read.
 */
const char *hello_host(const unsigned char *ext, size_t len, char ret[HELLO_HOST_BYTES]);

/* SSL_CTX_set_client_hello_cb(3); the SSL's application data is a struct certset_seat. */
int hello_on_client(SSL *ssl, int *alert, void *arg);
