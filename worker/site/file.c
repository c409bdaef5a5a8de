/*
 * file.c - see file.h.
 */
#include "worker/site/file.h"

#include <assert.h>

#include "worker/http/httpdate.h"
#include "worker/http/put.h"
#include "worker/site/mime.h"

#define FILE_BLOCK_MAX 512
#define FILE_BLOCK_REST 256 /* of it, for all but the type */

/* Field lines being made, and behind them what else of an HTTP/1.1 head does not change: file.h. */
struct block {
	char text[FILE_BLOCK_MAX];
	size_t len, validators, end;
	size_t etag_off, etag_len;
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

/*
 * The prepared field lines. The ETag is strong: mtime to the nanosecond, size, and the coding; a
 * variant from the disk has its own times, one that we made those of its origin.
 */
static void
block_make(struct block *b, const struct file_source *s, uint64_t size, struct span type,
    bool compressible)
{
	const struct stat *st = s->st;
	const bool coded = s->coding != CODING_IDENTITY;
	const struct span suffix = span_of(coded ? coding_suffix(s->coding) : "");
	const struct span name = span_of(coded ? coding_name(s->coding) : "");
	char date[HTTPDATE_BYTES + 1];
	char *p = PUT(b->text, "ETag: ");

	b->etag_off = (size_t)(p - b->text);
	p = PUT(p, "\"");
	p = put_base(p, (uint64_t)st->st_mtim.tv_sec, 16);
	p = PUT(p, ".");
	p = put_base(p, (uint64_t)st->st_mtim.tv_nsec, 16);
	p = PUT(p, "-");
	p = put_base(p, (uint64_t)st->st_size, 16);
	p = put_bytes(p, suffix.ptr, suffix.len);
	p = PUT(p, "\"");
	b->etag_len = (size_t)(p - b->text) - b->etag_off;
	httpdate_format(st->st_mtim.tv_sec, date);
	p = PUT(p, "\r\nLast-Modified: ");
	p = put_bytes(p, date, HTTPDATE_BYTES);
	p = PUT(p, "\r\n");
	if (compressible)
		p = PUT(p, "Vary: Accept-Encoding\r\n");
	b->validators = (size_t)(p - b->text);
	if (coded) {
		p = PUT(p, "Content-Encoding: ");
		p = put_bytes(p, name.ptr, name.len);
		p = PUT(p, "\r\n");
	}
	p = PUT(p, "Content-Type: ");
	p = put_bytes(p, type.ptr, type.len);
	p = PUT(p, "\r\nAccept-Ranges: bytes\r\n");
	b->len = (size_t)(p - b->text);
	p = PUT(p, "Content-Length: ");
	p = put_base(p, size, 10);
	p = PUT(p, "\r\n\r\n");
	b->end = (size_t)(p - b->text) - b->len;
}

/* Room for everything in one allocation, laid out: path, block, body. */
static struct file *
file_alloc(const struct file_source *s, const struct block *b, size_t body, char **ret_body)
{
	const size_t block = b->len + b->end;
	const size_t bytes = sizeof(struct file) + s->path.len + 1 + block + body;
	struct file *f = malloc(bytes);
	char *p;

	if (!f)
		return NULL;
	p = (char *)(f + 1);
	*f = (struct file){ .refs = 1,
		.fd = -EBADF,
		.bytes = bytes,
		.identity = *s->st,
		.mtime = s->st->st_mtim.tv_sec,
		.is_dir = S_ISDIR(s->st->st_mode),
		.path = p,
		.path_len = s->path.len };
	p = put_bytes(p, s->path.len > 0 ? s->path.ptr : "", s->path.len);
	*p++ = '\0';
	f->block = (struct span){ p, b->len };
	f->block_end = (uint16_t)b->end;
	f->validators_len = b->validators;
	f->etag = (struct span){ p + b->etag_off, b->etag_len };
	*ret_body = put_bytes(p, b->text, block);
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
	const struct span type_text = span_of(type);
	struct block block = { .len = 0 };
	struct file *f;
	char *body;

	if (type_text.len > FILE_BLOCK_MAX - FILE_BLOCK_REST)
		return -ENOBUFS; /* a type of absurd length */
	if (!is_dir)
		block_make(&block, s, size, type_text, compressible);
	f = file_alloc(s, &block, in_memory ? (size_t)size : 0, &body);
	if (!f)
		return -ENOMEM;
	f->type = type;
	f->compressible = compressible;
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
