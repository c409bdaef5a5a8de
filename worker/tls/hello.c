/*
 * hello.c - see hello.h.
 */
#include "worker/tls/hello.h"

#include <string.h>

#include <openssl/ssl.h>

#include "worker/tls/certset.h"

#define NAME_TYPE_HOST 0

static size_t
big16(const unsigned char *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* One list of one name: 2 bytes its length, 1 byte a type, 2 bytes the name's length, the name. */
const char *
hello_host(const unsigned char *ext, size_t len, char ret[HELLO_HOST_BYTES])
{
	size_t n;

	if (len < 5 || big16(ext) != len - 2 || ext[2] != NAME_TYPE_HOST)
		return NULL;
	n = big16(ext + 3);
	if (n == 0 || n != len - 5 || n >= HELLO_HOST_BYTES || memchr(ext + 5, '\0', n))
		return NULL;
	memcpy(ret, ext + 5, n);
	ret[n] = '\0';
	return ret;
}

int
hello_on_client(SSL *ssl, int *alert, void *arg)
{
	struct certset_seat *seat = SSL_get_app_data(ssl);
	const struct tls_options *o = seat->now->o;
	const unsigned char *ext;
	char host[HELLO_HOST_BYTES];
	unsigned group;
	size_t len;

	(void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) == 1)
		group = o->group_of(o->group_arg, hello_host(ext, len, host));
	else
		group = o->group_of(o->group_arg, NULL);
	if (group == seat->group)
		return SSL_CLIENT_HELLO_SUCCESS;
	seat->group = group; /* the second hello of a connection may change it again */
	if (policy_switch(seat->now->policies[group], ssl) == 0)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}
