/*
 * file.c - see file.h.
 */
#include "worker/site/file.h"

#include <assert.h>

#include "worker/http/httpdate.h"
#include "worker/site/mime.h"

#define FILE_BLOCK_MAX 512

/* A stretch of the block being made. */
struct piece {
	size_t off, len;
};

void
file_unref(struct file *f)
{
	if (!f || --f->refs > 0)
		return;
	for (unsigned c = 0; c < CODING_IDENTITY; c++)
		file_unref(f->variant[c]);
	fd_closep(&f->fd);
	free(f);
}

bool
file_identity_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int
file_read_all(int fd, char *dst, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t n = pread(fd, dst + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it is being written */
		done += (size_t)n;
	}
	return 0;
}

/* Hexadecimal without printf: this is done for every file that is not in the cache. */
static void
put_hex(struct buf *b, uint64_t v)
{
	char digits[16];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v > 0);
	(void)buf_put(b, digits + n, sizeof(digits) - n);
}

/*
 * The prepared field lines. The ETag is strong: mtime to the nanosecond, size, and the coding; a
 * variant from the disk has its own times, one that we made those of its origin.
 */
static void
file_block(struct buf *b, const struct file_source *s, const char *type, bool compressible,
    size_t *ret_validators, struct piece *ret_etag)
{
	const struct stat *st = s->st;
	const char *coding = s->coding == CODING_IDENTITY ? "" : coding_suffix(s->coding);
	char date[HTTPDATE_BYTES + 1];

	(void)buf_puts(b, "ETag: ");
	ret_etag->off = b->len;
	(void)buf_putc(b, '"');
	put_hex(b, (uint64_t)st->st_mtim.tv_sec);
	(void)buf_putc(b, '.');
	put_hex(b, (uint64_t)st->st_mtim.tv_nsec);
	(void)buf_putc(b, '-');
	put_hex(b, (uint64_t)st->st_size);
	(void)buf_puts(b, coding);
	(void)buf_putc(b, '"');
	ret_etag->len = b->len - ret_etag->off;
	httpdate_format(st->st_mtim.tv_sec, date);
	(void)buf_puts(b, "\r\nLast-Modified: ");
	(void)buf_put(b, date, HTTPDATE_BYTES);
	(void)buf_puts(b, "\r\n");
	if (compressible)
		(void)buf_puts(b, "Vary: Accept-Encoding\r\n");
	*ret_validators = b->len;
	if (s->coding != CODING_IDENTITY)
		(void)buf_printf(b, "Content-Encoding: %s\r\n", coding_name(s->coding));
	(void)buf_puts(b, "Content-Type: ");
	(void)buf_puts(b, type);
	(void)buf_puts(b, "\r\nAccept-Ranges: bytes\r\n");
}

/* Room for everything in one allocation, laid out: path, block, body. */
static struct file *
file_alloc(const struct file_source *s, const struct buf *block, size_t body, char **ret_body)
{
	const size_t bytes = sizeof(struct file) + s->path.len + 1 + block->len + body;
	struct file *f = calloc(1, bytes);
	char *p;

	if (!f)
		return NULL;
	p = (char *)(f + 1);
	f->refs = 1;
	f->fd = -EBADF;
	f->bytes = bytes;
	f->identity = *s->st;
	f->mtime = s->st->st_mtim.tv_sec;
	f->is_dir = S_ISDIR(s->st->st_mode);
	f->path = p;
	f->path_len = s->path.len;
	if (s->path.len > 0)
		memcpy(p, s->path.ptr, s->path.len);
	p += s->path.len + 1;
	memcpy(p, block->data, block->len);
	f->block = (struct span){ p, block->len };
	*ret_body = p + block->len;
	return f;
}

int
file_make(const struct file_source *s, struct file **ret)
{
	_cleanup_fd_ int fd = s->fd;
	const bool is_dir = S_ISDIR(s->st->st_mode);
	const uint64_t size = is_dir ? 0 : s->body.ptr ? s->body.len : (uint64_t)s->st->st_size;
	const bool in_memory = !is_dir && (s->body.ptr || size <= FILE_BODY_MAX);
	const char *type = s->type ? s->type : mime_of(s->type_path);
	const bool compressible = mime_is_compressible(type);
	char storage[FILE_BLOCK_MAX], *body;
	struct piece etag = { 0 };
	struct buf block;
	size_t validators = 0;
	struct file *f;

	buf_init(&block, storage, sizeof(storage));
	if (!is_dir)
		file_block(&block, s, type, compressible, &validators, &etag);
	if (block.failed)
		return -ENOBUFS; /* a type of absurd length */
	f = file_alloc(s, &block, in_memory ? (size_t)size : 0, &body);
	if (!f)
		return -ENOMEM;
	f->type = type;
	f->compressible = compressible;
	f->validators_len = validators;
	f->etag = (struct span){ f->block.ptr + etag.off, etag.len };
	f->size = size;
	if (in_memory) {
		const int r = s->body.ptr ? 0 : file_read_all(fd, body, (size_t)size);

		if (r < 0) {
			free(f);
			return r;
		}
		if (s->body.ptr)
			memcpy(body, s->body.ptr, s->body.len);
		f->body = body;
	} else if (!is_dir) {
		f->fd = fd_take(&fd);
	}
	*ret = f;
	return 0;
}
