/*
 * variant.c - see variant.h.
 */
#include "worker/site/variant.h"

#include <brotli/encode.h>
#include <zlib.h>

#include "worker/site/beneath.h"

#define GZIP_LEVEL 6
#define BROTLI_QUALITY 5
#define BROTLI_WINDOW 20

static void
variant_set(struct filecache *c, struct file *f, enum coding coding, struct file *take)
{
	if (f->variant[coding])
		filecache_charge(c, f, -(ssize_t)f->variant[coding]->bytes);
	file_unref(f->variant[coding]);
	f->variant[coding] = take;
	if (take)
		filecache_charge(c, f, (ssize_t)take->bytes);
}

/* Looks for the neighbour on the disk, once a second. One that is older than f is stale. */
static void
variant_check_disk(struct filecache *c, struct file *f, enum coding coding,
    const struct file_root *root, char *path, size_t len, int64_t now)
{
	_cleanup_fd_ int fd = -EBADF;
	struct file *made = NULL;
	struct stat st;

	if (f->variant_checked[coding] == now)
		return;
	f->variant_checked[coding] = now;
	memcpy(path + len, coding_suffix(coding), strlen(coding_suffix(coding)) + 1);
	fd = beneath_open(root->fd, path);
	path[len] = '\0';
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mtim.tv_sec < f->mtime) {
		if (f->variant[coding] && !f->variant[coding]->made)
			variant_set(c, f, coding, NULL);
		return;
	}
	if (f->variant[coding] && !f->variant[coding]->made &&
	    file_identity_same(&f->variant[coding]->identity, &st))
		return;
	if (file_make(
		&(struct file_source){
		    .fd = fd_take(&fd), .st = &st, .type_path = { path, len }, .coding = coding },
		&made) == 0)
		variant_set(c, f, coding, made);
}

/* Return: bytes of the result, or 0. dst has room for size bytes: more would be no gain. */
static size_t
compress_gzip(const char *src, size_t size, char *dst)
{
	z_stream z = { 0 };
	size_t n = 0;

	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	z.next_in = (Bytef *)(uintptr_t)src;
	z.avail_in = (uInt)size;
	z.next_out = (Bytef *)dst;
	z.avail_out = (uInt)size;
	if (deflate(&z, Z_FINISH) == Z_STREAM_END)
		n = z.total_out;
	(void)deflateEnd(&z);
	return n;
}

static size_t
compress_brotli(const char *src, size_t size, char *dst)
{
	size_t n = size;

	if (!BrotliEncoderCompress(BROTLI_QUALITY, BROTLI_WINDOW, BROTLI_MODE_TEXT, size,
		(const uint8_t *)src, &n, (uint8_t *)dst))
		return 0;
	return n;
}

/* True if size more bytes may be compressed in this second. */
static bool
compress_allowed(size_t size, int64_t now)
{
	static int64_t second;
	static size_t used;

	if (second != now) {
		second = now;
		used = 0;
	}
	if (used + size > VARIANT_BYTES_PER_SECOND)
		return false;
	used += size;
	return true;
}

static void
variant_make(struct filecache *c, struct file *f, enum coding coding, int64_t now)
{
	_cleanup_free_ char *dst = NULL, *read = NULL;
	const char *src = f->body;
	const size_t size = (size_t)f->size;
	struct file *made = NULL;
	size_t n;

	if (!file_is_kept(f) || f->size < VARIANT_MIN_BYTES || f->size > VARIANT_MAX_BYTES ||
	    coding == CODING_ZSTD || f->variant[coding] || f->variant_useless[coding] ||
	    !compress_allowed(size, now))
		return;
	dst = malloc(size);
	if (!src) {
		read = malloc(size);
		src = read;
	}
	if (!dst || !src || (read && file_read_all(f->fd, read, size) < 0))
		return;
	n = coding == CODING_BR ? compress_brotli(src, size, dst) : compress_gzip(src, size, dst);
	if (n == 0 || n + n / 16 >= size) {
		f->variant_useless[coding] = true;
		return;
	}
	if (file_make(&(struct file_source){ .fd = -EBADF,
			  .st = &f->identity,
			  .type = f->type,
			  .coding = coding,
			  .body = { dst, n } },
		&made) < 0)
		return;
	made->made = true;
	variant_set(c, f, coding, made);
}

/* The coding of greatest weight among those in ok; ties go to the first of the enum. */
static enum coding
coding_best(const uint16_t weights[CODING_END], const bool ok[CODING_IDENTITY])
{
	enum coding best = CODING_IDENTITY;

	for (unsigned c = 0; c < CODING_IDENTITY; c++)
		if (ok[c] && weights[c] > 0 && weights[c] >= weights[CODING_IDENTITY] &&
		    (best == CODING_IDENTITY || weights[c] > weights[best]))
			best = (enum coding)c;
	return best;
}

struct file *
variant_choose(struct filecache *c, struct file *f, const struct request *r,
    const struct variant_rules *rules, const struct file_root *root, char *path, int64_t now)
{
	static const bool makeable[CODING_IDENTITY] = { [CODING_BR] = true, [CODING_GZIP] = true };
	uint16_t weights[CODING_END];
	bool there[CODING_IDENTITY] = { false };
	const size_t len = f->path_len;
	enum coding best, make;

	if (!f->compressible || !request_has(r, FIELD_ACCEPT_ENCODING))
		return f;
	coding_weights(r, weights);
	for (unsigned i = 0; i < CODING_IDENTITY; i++) {
		if (weights[i] == 0)
			continue;
		if (rules->precompressed)
			variant_check_disk(c, f, (enum coding)i, root, path, len, now);
		there[i] = f->variant[i] && !f->variant[i]->made;
	}
	best = coding_best(weights, there);
	make = rules->compress ? coding_best(weights, makeable) : CODING_IDENTITY;
	/* What lies on the disk costs nothing; ours is made only for one who likes it better. */
	if (make != CODING_IDENTITY && (best == CODING_IDENTITY || weights[make] > weights[best])) {
		variant_make(c, f, make, now);
		if (f->variant[make])
			best = make;
	}
	return best == CODING_IDENTITY ? f : f->variant[best];
}
