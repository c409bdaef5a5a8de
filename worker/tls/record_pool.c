/*
 * record_pool.c - see record_pool.h.
 */
#include "worker/tls/record_pool.h"

#include <malloc.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#define RECORD_LEAST 16384u /* a record of the largest size, and more */
#define RECORD_MOST 18432u /* with header, padding and tag: libssl asks for 16.7 to 17.3 KB */
#define SPARE_MAX 64

static struct {
	unsigned n;
	void *block[SPARE_MAX];
} spare;

static void *
record_malloc(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	if (bytes < RECORD_LEAST || bytes > RECORD_MOST)
		return malloc(bytes);
	return spare.n > 0 ? spare.block[--spare.n] : malloc(RECORD_MOST);
}

static void
record_free(void *p, const char *file, int line)
{
	const size_t bytes = p ? malloc_usable_size(p) : 0;

	(void)file;
	(void)line;
	if (bytes >= RECORD_MOST && bytes < RECORD_MOST + 64 && spare.n < SPARE_MAX)
		spare.block[spare.n++] = p;
	else
		free(p);
}

static void *
record_realloc(void *p, size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(p, bytes); /* of whatever size: each is malloc(3)'s own */
}

void
record_pool_use(void)
{
	if (!SALLYPORT_SANITIZED)
		(void)CRYPTO_set_mem_functions(record_malloc, record_realloc, record_free);
}
