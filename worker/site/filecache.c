/*
 * filecache.c - the cache, see file.h. A hash table of chains and one list in order of use; both
 * intrusive. Once it is full, a file must be asked for twice before another makes room for it: one
 * walk over a large site does not push out what everybody reads, and costs no more than its reads.
 */
#include "worker/site/beneath.h"
#include "worker/site/file.h"

struct bucket {
	struct file *first;
	uint32_t tags; /* a bit for each file of the chain, so that a miss need not look at them */
	uint32_t seen; /* hash of the last file that was not let in */
};

struct filecache {
	size_t max_files, max_bytes;
	struct filecache_stats stats;
	uint32_t mask; /* buckets - 1 */
	struct bucket *bucket;
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
	c->bucket = calloc(buckets, sizeof(*c->bucket));
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

static uint32_t
hash_tag(uint32_t hash)
{
	return UINT32_C(1) << (hash >> 27); /* not the bits that chose the bucket */
}

static void
filecache_drop(struct filecache *c, struct file *f)
{
	struct bucket *b = &c->bucket[f->hash & c->mask];
	struct file **p = &b->first;

	while (*p != f)
		p = &(*p)->hash_next;
	*p = f->hash_next;
	b->tags = 0;
	for (const struct file *rest = b->first; rest; rest = rest->hash_next)
		b->tags |= hash_tag(rest->hash);
	f->lru_prev->lru_next = f->lru_next;
	f->lru_next->lru_prev = f->lru_prev;
	f->lru_next = NULL;
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

/*
 * Eight bytes at a time, multiplied and folded; a peer can make collisions only with names that exist
 * on the site.
 */
static uint32_t
path_hash(uint32_t root_id, struct span path)
{
	uint64_t h = root_id + path.len;

	for (size_t i = 0; i < path.len; i += sizeof(h)) {
		uint64_t word = 0;

		if (path.len - i >= sizeof(word))
			memcpy(&word, path.ptr + i, sizeof(word));
		else
			memcpy(&word, path.ptr + i, path.len - i);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

static struct file *
filecache_find(struct filecache *c, uint32_t hash, uint32_t root_id, struct span path)
{
	const struct bucket *b = &c->bucket[hash & c->mask];
	struct file *f = (b->tags & hash_tag(hash)) ? b->first : NULL;

	while (f && (f->hash != hash || f->root_id != root_id || f->path_len != path.len ||
			memcmp(f->path, path.ptr, path.len) != 0))
		f = f->hash_next;
	return f;
}

/* The most recently used from now on. */
static void
lru_touch(struct filecache *c, struct file *f)
{
	if (c->lru.lru_next == f)
		return;
	f->lru_prev->lru_next = f->lru_next;
	f->lru_next->lru_prev = f->lru_prev;
	lru_insert(c, f);
}

static bool
filecache_has_room(const struct filecache *c, const struct file *f)
{
	return c->stats.files < c->max_files && c->stats.bytes + f->bytes <= c->max_bytes;
}

/* Whether somebody asked for it of late; from now on, somebody did. */
static bool
filecache_saw(struct filecache *c, uint32_t hash)
{
	struct bucket *b = &c->bucket[hash & c->mask];
	const bool saw = b->seen == hash;

	b->seen = hash;
	return saw;
}

static void
filecache_add(struct filecache *c, struct file *f, uint32_t hash, uint32_t root_id, int64_t now)
{
	struct bucket *b = &c->bucket[hash & c->mask];

	if (c->max_files == 0 || f->bytes > c->max_bytes)
		return;
	if (!filecache_has_room(c, f) && !filecache_saw(c, hash))
		return;
	while (!filecache_has_room(c, f)) {
		filecache_drop(c, c->lru.lru_prev);
		c->stats.evictions++;
	}
	f->hash = hash;
	f->root_id = root_id;
	f->checked = now;
	f->hash_next = b->first;
	b->first = f;
	b->tags |= hash_tag(hash);
	lru_insert(c, f);
	f->refs++;
	c->stats.files++;
	c->stats.bytes += f->bytes;
}

/*
 * Whether f is still what its path leads to. Not opened again: wherever the path leads now, to the
 * very inode that we were let in to, unchanged since in content, owner and mode, it leads to bytes
 * that we may serve.
 */
static bool
filecache_holds(struct file *f, const struct file_root *root, int64_t now)
{
	struct stat st;

	if (f->checked == now)
		return true;
	if (beneath_stat(root->fd, f->path, &st) < 0 || !file_identity_same(&f->identity, &st))
		return false;
	f->checked = now;
	return true;
}

int
filecache_get(struct filecache *c, const struct file_root *root, struct span path, int64_t now,
    struct file **ret)
{
	const uint32_t hash = path_hash(root->id, path);
	struct file *f = filecache_find(c, hash, root->id, path);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	int r;

	if (f && filecache_holds(f, root, now)) {
		c->stats.hits++;
		lru_touch(c, f);
		f->refs++;
		*ret = f;
		return 0;
	}
	if (f)
		filecache_drop(c, f);
	fd = beneath_open(root->fd, path.ptr);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	c->stats.misses++;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EACCES;
	r = file_make(&(struct file_source){ .fd = fd_take(&fd),
			  .st = &st,
			  .type_path = path,
			  .type = root->type,
			  .coding = CODING_IDENTITY,
			  .path = path },
	    &f);
	if (r < 0)
		return r;
	filecache_add(c, f, hash, root->id, now);
	*ret = f;
	return 0;
}

struct filecache_stats
filecache_stats(const struct filecache *c)
{
	return c->stats;
}

void
filecache_charge(struct filecache *c, struct file *f, ssize_t bytes)
{
	if (!file_is_kept(f))
		return; /* nobody counts it */
	f->bytes += (size_t)bytes;
	c->stats.bytes += (size_t)bytes;
	while (c->stats.bytes > c->max_bytes && c->lru.lru_prev != f) {
		filecache_drop(c, c->lru.lru_prev);
		c->stats.evictions++;
	}
}
