/*
 * file.h - files as they are served: opened beneath a root, looked at once, kept for a while.
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

/* A file not bigger than this is read once and kept in memory, without its descriptor. */
#define FILE_BODY_MAX 16384u

struct file {
	unsigned refs; /* the cache's own included */
	int fd; /* -EBADF when body holds everything, or for a directory */
	bool is_dir;
	uint64_t size;
	int64_t mtime; /* seconds */
	const char *body; /* or NULL */
	/* Field lines "ETag: ..CRLF Last-Modified: ..CRLF" and then "Content-Type: ..CRLF". */
	struct span block;
	size_t validators_len; /* how much of block a 304 repeats */
	struct span etag; /* with its quotes, inside block */
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

struct filecache;

/*
 * filecache_new - at most max_files entries and max_bytes of memory; 0 files switches it off.
 * Return: 0 or -ENOMEM.
 */
_must_check_ int filecache_new(size_t max_files, size_t max_bytes, struct filecache **ret);
void filecache_free(struct filecache *c);

/*
 * filecache_get - the file at path below root, as it was at most one second ago.
 * @root, root_id: directory descriptor, and a number that no other root has
 * @path:          begins with '/', NUL-terminated at path.len
 * @now:           seconds, any clock that does not go back
 * @ret:           a reference, for file_unref()
 * Return: 0; -errno as of beneath_open(); -EACCES also for what is no file and no directory.
 */
_must_check_ int filecache_get(struct filecache *c, int root, uint32_t root_id, struct span path,
    int64_t now, struct file **ret);

void file_unref(struct file *f);

struct filecache_stats {
	uint64_t hits, misses, evictions;
	size_t files, bytes;
};
struct filecache_stats filecache_stats(const struct filecache *c);
