/*
 * secret.c - see secret.h.
 */
#include "signer/secret.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "common/procstatus.h"

#define SECURE_HEAP_BYTES ((size_t)1 << 20) /* 256 keys of RSA-4096 are about 700 KB */
#define SECURE_HEAP_MIN 32
#define HEAP_BYTES ((size_t)4 << 20) /* working copies: under 16 KB a key */
#define STACK_BYTES ((size_t)128 << 10) /* many times what libcrypto uses */

/* In front of each block, so that free and realloc know how much there is to wipe. */
union secret_block {
	size_t bytes;
	max_align_t align;
};

static void *
secret_malloc(size_t bytes, const char *file, int line)
{
	union secret_block *b;

	(void)file;
	(void)line;
	if (bytes == 0 || bytes > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + bytes);
	if (!b)
		return NULL;
	b->bytes = bytes;
	return b + 1;
}

static void
secret_free(void *p, const char *file, int line)
{
	union secret_block *b = p;

	(void)file;
	(void)line;
	if (!p)
		return;
	b--;
	explicit_bzero(b + 1, b->bytes);
	free(b);
}

static void *
secret_realloc(void *old, size_t bytes, const char *file, int line)
{
	void *p;

	if (bytes == 0) {
		secret_free(old, file, line);
		return NULL;
	}
	p = secret_malloc(bytes, file, line); /* realloc(3) could leave the old bytes behind */
	if (p && old) {
		const size_t had = ((union secret_block *)old - 1)->bytes;

		memcpy(p, old, had < bytes ? had : bytes);
		secret_free(old, file, line);
	}
	return p;
}

/* The whole pages inside [p, p + bytes): in memory now and for good, and in no dump. */
static int
lock_range(void *p, size_t bytes)
{
	const uintptr_t page = 4096, from = ((uintptr_t)p + page - 1) & ~(page - 1);
	const size_t len = (((uintptr_t)p + bytes) & ~(page - 1)) - from;

	if (mlock((void *)from, len) < 0)
		return -errno;
	(void)madvise((void *)from, len, MADV_DONTDUMP); /* there is no dump to begin with */
	return 0;
}

/*
 * One heap, grown to its size here, never given back: what malloc(3) returns from now on is locked.
 * A heap that outgrows this still works; keys themselves are in the secure heap.
 */
static int
lock_heap(void)
{
	void *p;
	int r;

	if (mallopt(M_MMAP_MAX, 0) != 1 || mallopt(M_TRIM_THRESHOLD, INT32_MAX) != 1)
		return -EINVAL;
	p = malloc(HEAP_BYTES);
	if (!p)
		return -ENOMEM;
	r = lock_range(p, HEAP_BYTES);
	free(p);
	return r;
}

__attribute__((noinline)) static int
lock_stack(void)
{
	char below[STACK_BYTES];

	explicit_bzero(below, sizeof(below)); /* the pages must exist */
	return lock_range(below, sizeof(below));
}

static int
lock_memory(struct why *why)
{
	int r = 0;

	if (CRYPTO_set_mem_functions(secret_malloc, secret_realloc, secret_free) != 1)
		return why_set(why, -EALREADY, "OpenSSL has allocated before us");
	/* 2 means that it could not be locked: not good enough. */
	if (CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_MIN) != 1)
		return why_set(
		    why, -ENOMEM, "locking %zu bytes (LimitMEMLOCK=)", SECURE_HEAP_BYTES);
	if (!SALLYPORT_SANITIZED) /* their heap and stack are not laid out like this */
		r = lock_heap();
	if (r == 0 && !SALLYPORT_SANITIZED)
		r = lock_stack();
	return r < 0 ? why_set(why, r, "locking heap and stack (LimitMEMLOCK=)") : 0;
}

int
secret_setup(struct why *why)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* no core, no ptrace, no /proc/PID/mem */
		return why_set(why, -errno, "prctl(PR_SET_DUMPABLE)");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return why_set(why, -errno, "prctl(PR_SET_NO_NEW_PRIVS)");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return why_set(why, -errno, "setrlimit(RLIMIT_CORE)");
	return lock_memory(why);
}

int
secret_check_identity(struct why *why)
{
	struct procstatus st;
	int r = procstatus_read(0, &st, why);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ELEMENTSOF(st.uid); i++)
		if (st.uid[i] == 0 || st.gid[i] == 0)
			return why_set(why, -EPERM, "one of the user or group ids is 0");
	for (size_t i = 0; i < st.n_groups && i < ELEMENTSOF(st.groups); i++)
		if (st.groups[i] == 0)
			return why_set(why, -EPERM, "group 0 is among the supplementary groups");
	if (st.cap_permitted | st.cap_effective | st.cap_inheritable | st.cap_ambient)
		return why_set(why, -EPERM, "capabilities are held");
	return 0;
}
