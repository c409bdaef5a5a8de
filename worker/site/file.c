/*
 * file.c - see file.h. A hash table of chains and one list in order of use; both intrusive.
 */
#include "worker/site/file.h"

#include <assert.h>

#include "worker/http/httpdate.h"
#include "worker/site/beneath.h"
#include "worker/site/mime.h"

#define FILE_BLOCK_MAX 512

/* A stretch of the block being made. */
struct piece {
	size_t off, len;
};

struct filecache {
	size_t max_files, max_bytes;
	struct filecache_stats stats;
	uint32_t mask; /* buckets - 1 */
	struct file **bucket;
	struct file lru; /* head of the ring: next is the most recently used */
};

int
filecache_new(size_t max_files, size_t max_bytes, struct filecache **ret)
{
	struct filecache *c = calloc(1, sizeof(*c));
	size_t buckets = 64;

	if (!c)
		return -ENOMEM;
	while (buckets < max_files && buckets < (1u << 20))
		buckets *= 2;
	c->bucket = calloc(buckets, sizeof(struct file *));
	if (!c->bucket) {
		free(c);
		return -ENOMEM;
	}
	c->mask = (uint32_t)buckets - 1;
	c->max_files = max_files;
	c->max_bytes = max_bytes;
	c->lru.lru_next = c->lru.lru_prev = &c->lru;
	*ret = c;
	return 0;
}

void
file_unref(struct file *f)
{
	if (!f || --f->refs > 0)
		return;
	fd_closep(&f->fd);
	free(f);
}

static void
filecache_drop(struct filecache *c, struct file *f)
{
	struct file **p = &c->bucket[f->hash & c->mask];

	while (*p != f)
		p = &(*p)->hash_next;
	*p = f->hash_next;
	f->lru_prev->lru_next = f->lru_next;
	f->lru_next->lru_prev = f->lru_prev;
	c->stats.files--;
	c->stats.bytes -= f->bytes;
	file_unref(f);
}

void
filecache_free(struct filecache *c)
{
	if (!c)
		return;
	while (c->lru.lru_next != &c->lru)
		filecache_drop(c, c->lru.lru_next);
	free(c->bucket);
	free(c);
}

static void
lru_insert(struct filecache *c, struct file *f)
{
	f->lru_next = c->lru.lru_next;
	f->lru_prev = &c->lru;
	f->lru_next->lru_prev = f;
	c->lru.lru_next = f;
}

/* FNV-1a; a peer can make collisions only with names that exist on the site. */
static uint32_t
path_hash(uint32_t root_id, struct span path)
{
	uint32_t h = 2166136261u ^ root_id;

	for (size_t i = 0; i < path.len; i++)
		h = (h ^ (unsigned char)path.ptr[i]) * 16777619u;
	return h;
}

/* The prepared field lines. The ETag is strong: mtime to the nanosecond, and size. */
static void
file_block(struct buf *b, const struct stat *st, struct span path, size_t *ret_validators,
    struct piece *ret_etag)
{
	char date[HTTPDATE_BYTES + 1];

	(void)buf_puts(b, "ETag: ");
	ret_etag->off = b->len;
	(void)buf_printf(b, "\"%llx.%lx-%llx\"", (unsigned long long)st->st_mtim.tv_sec,
	    (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_size);
	ret_etag->len = b->len - ret_etag->off;
	httpdate_format(st->st_mtim.tv_sec, date);
	(void)buf_printf(b, "\r\nLast-Modified: %s\r\n", date);
	*ret_validators = b->len;
	(void)buf_printf(b, "Content-Type: %s\r\n", mime_of(path));
}

/* All of a small file, or -EIO when it is not as long as fstat said: it is being written. */
static int
file_read(int fd, char *dst, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t n = pread(fd, dst + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Makes the entry of an open descriptor, which it takes. One allocation holds everything. */
static int
file_make(int take_fd, const struct stat *st, struct span path, struct file **ret)
{
	_cleanup_fd_ int fd = take_fd;
	char storage[FILE_BLOCK_MAX];
	struct piece etag = { 0 };
	struct buf block;
	size_t validators = 0, body;
	struct file *f;
	char *p;

	buf_init(&block, storage, sizeof(storage));
	if (!S_ISDIR(st->st_mode))
		file_block(&block, st, path, &validators, &etag);
	assert(!block.failed); /* the longest type and date fit: tests/unit/test_site_mime.c */
	body = S_ISREG(st->st_mode) && (uint64_t)st->st_size <= FILE_BODY_MAX ? (size_t)st->st_size
									      : 0;
	f = calloc(1, sizeof(*f) + path.len + 1 + block.len + body);
	if (!f)
		return -ENOMEM;
	p = (char *)(f + 1);
	f->path = p;
	f->path_len = path.len;
	memcpy(p, path.ptr, path.len);
	p += path.len + 1;
	memcpy(p, block.data, block.len);
	f->block = (struct span){ p, block.len };
	f->validators_len = validators;
	f->etag = (struct span){ p + etag.off, etag.len };
	p += block.len;
	f->refs = 1;
	f->fd = -EBADF;
	f->is_dir = S_ISDIR(st->st_mode);
	f->size = f->is_dir ? 0 : (uint64_t)st->st_size;
	f->mtime = st->st_mtim.tv_sec;
	f->identity = *st;
	f->bytes = sizeof(*f) + path.len + 1 + block.len + body;
	if (!f->is_dir && f->size <= FILE_BODY_MAX) {
		const int r = file_read(fd, p, body);

		if (r < 0) {
			free(f);
			return r;
		}
		f->body = p;
	} else if (!f->is_dir) {
		f->fd = fd_take(&fd);
	}
	*ret = f;
	return 0;
}

static bool
identity_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static struct file *
filecache_find(struct filecache *c, uint32_t hash, uint32_t root_id, struct span path)
{
	struct file *f = c->bucket[hash & c->mask];

	while (f && (f->hash != hash || f->root_id != root_id || f->path_len != path.len ||
			memcmp(f->path, path.ptr, path.len) != 0))
		f = f->hash_next;
	return f;
}

static void
filecache_add(struct filecache *c, struct file *f, uint32_t hash, uint32_t root_id, int64_t now)
{
	if (c->max_files == 0 || f->bytes > c->max_bytes)
		return;
	while (c->stats.files >= c->max_files || c->stats.bytes + f->bytes > c->max_bytes) {
		filecache_drop(c, c->lru.lru_prev);
		c->stats.evictions++;
	}
	f->hash = hash;
	f->root_id = root_id;
	f->checked = now;
	f->hash_next = c->bucket[hash & c->mask];
	c->bucket[hash & c->mask] = f;
	lru_insert(c, f);
	f->refs++;
	c->stats.files++;
	c->stats.bytes += f->bytes;
}

int
filecache_get(struct filecache *c, int root, uint32_t root_id, struct span path, int64_t now,
    struct file **ret)
{
	const uint32_t hash = path_hash(root_id, path);
	struct file *f = filecache_find(c, hash, root_id, path);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	int r;

	if (f && f->checked == now) {
		c->stats.hits++;
		if (c->lru.lru_next != f) {
			f->lru_prev->lru_next = f->lru_next;
			f->lru_next->lru_prev = f->lru_prev;
			lru_insert(c, f);
		}
		f->refs++;
		*ret = f;
		return 0;
	}
	fd = beneath_open(root, path.ptr);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = fd < 0 ? fd : -errno;
		if (f)
			filecache_drop(c, f);
		return r;
	}
	if (f && identity_same(&f->identity, &st)) {
		c->stats.hits++;
		f->checked = now;
		f->refs++;
		*ret = f;
		return 0;
	}
	if (f)
		filecache_drop(c, f);
	c->stats.misses++;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EACCES;
	r = file_make(fd_take(&fd), &st, path, &f);
	if (r < 0)
		return r;
	filecache_add(c, f, hash, root_id, now);
	*ret = f;
	return 0;
}

struct filecache_stats
filecache_stats(const struct filecache *c)
{
	return c->stats;
}
