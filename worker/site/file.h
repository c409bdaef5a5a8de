/*
 * file.h - files as they are served: opened beneath a root, looked at once, kept for a while.
 *          file.c makes one, filecache.c keeps them.
 * Runs as: worker, no rights.
 * Trusts:  the site's owner, as to content; nobody, as to size and kind: a file may shrink, grow
 *          or turn into a directory at any time.
 * Owns:    each struct file its descriptor and bytes; they go with the last reference.
 * Tests:   tests/unit/test_site_file.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "worker/http/conneg.h"

/* A file not bigger than this is read once and kept in memory, without its descriptor. */
#define FILE_BODY_MAX 16384u

struct file {
	unsigned refs; /* the cache's own included */
	int fd; /* -EBADF when body holds everything, or for a directory */
	bool is_dir;
	bool compressible; /* by its type: worth a coding, and so varies by Accept-Encoding */
	uint64_t size;
	int64_t mtime; /* seconds */
	const char *body; /* or NULL */
	/* Field lines, those that a 304 repeats first: ETag, Last-Modified, Vary; Content-... */
	struct span block;
	uint16_t block_end; /* behind it Content-Length and an empty line, and then the body */
	size_t validators_len; /* how much of block a 304 repeats */
	struct span etag; /* with its quotes, inside block */
	const char *type; /* static */
	/* The same in other codings (variant.h); owned. */
	struct file *variant[CODING_IDENTITY];
	int64_t variant_checked[CODING_IDENTITY]; /* second in which the disk was asked */
	bool variant_useless[CODING_IDENTITY]; /* compressed once, and it was not smaller */
	bool made; /* a variant that we compressed, not one from the disk */
	/* The cache's own business from here. */
	struct file *hash_next, *lru_prev, *lru_next;
	struct stat identity; /* device, inode, times and size when it was opened */
	int64_t checked; /* second in which identity was last seen to hold */
	uint32_t hash;
	uint32_t root_id;
	size_t bytes; /* memory charged to the cache */
	size_t path_len;
	char *path; /* in the same allocation, NUL-terminated */
};

/* What file_make() makes a struct file of. */
struct file_source {
	int fd; /* taken; -EBADF when body is there */
	const struct stat *st; /* of fd, or of the file that was compressed */
	struct span type_path; /* whose suffix gives the type */
	const char *type; /* or this one; it must outlive the file */
	enum coding coding;
	struct span path; /* the cache's key; may be empty */
	struct span body; /* the compressed bytes, copied; ptr NULL when fd has them */
};

/* Return: 0 with one reference; -ENOMEM; -EIO when the file is not as long as st says. */
_must_check_ int file_make(const struct file_source *s, struct file **ret);

/* True when both are the same file with the same content, as far as stat(2) tells. */
bool file_identity_same(const struct stat *a, const struct stat *b);

/* All of a file of size bytes. Return: 0; -EIO when it is shorter; -errno. */
_must_check_ int file_read_all(int fd, char *dst, size_t size);

struct filecache;

/*
 * filecache_new - at most max_files entries and max_bytes of memory; 0 files switches it off.
 * Return: 0 or -ENOMEM.
 */
_must_check_ int filecache_new(size_t max_files, size_t max_bytes, struct filecache **ret);
void filecache_free(struct filecache *c);

/* Where files are looked for. */
struct file_root {
	int fd; /* of the directory */
	uint32_t id; /* that no other root has */
	const char *type; /* Content-Type of everything, or NULL: by suffix */
};

/*
 * filecache_get - the file at path below root, as it was at most one second ago.
 * @path: begins with '/', NUL-terminated at path.len
 * @now:  seconds, any clock that does not go back
 * @ret:  a reference, for file_unref()
 * Return: 0; -errno as of beneath_open(); -EACCES also for what is no file and no directory.
 */
_must_check_ int filecache_get(struct filecache *c, const struct file_root *root, struct span path,
    int64_t now, struct file **ret);

void file_unref(struct file *f);

/* True if the cache has f, so that what is made of it will be there for the next request. */
static inline bool
file_is_kept(const struct file *f)
{
	return f->lru_next != NULL;
}

/* f, just got from c, has grown by bytes (or shrunk): variants are charged to it. */
void filecache_charge(struct filecache *c, struct file *f, ssize_t bytes);

/* Since the start; files and bytes as they are now. */
struct filecache_stats {
	uint64_t hits, misses, evictions;
	size_t files, bytes;
};
struct filecache_stats filecache_stats(const struct filecache *c);
