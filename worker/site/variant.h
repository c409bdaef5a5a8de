/*
 * variant.h - a file in the coding that its reader likes best: from a neighbour on the disk
 * (page.html.br, .zst, .gz), or compressed by us once and kept.
 * Runs as: worker, no rights.
 * Owns:    variants belong to their file and go with it.
 * Tests:   tests/http/test_http_coding.py
 */
#pragma once

#include "worker/site/file.h"

struct variant_rules {
	bool precompressed; /* look for neighbours */
	bool compress; /* make gzip and brotli ourselves */
};

/* Files larger or smaller than these are not compressed by us. */
#define VARIANT_MIN_BYTES 512u
#define VARIANT_MAX_BYTES (1u << 20)

/* The most that is fed to a compressor in one second: above it, what is not yet made is sent
 * plain, so that a storm of different files cannot occupy the loop. */
#define VARIANT_BYTES_PER_SECOND (8u << 20)

/*
 * variant_choose - f itself, or its best variant by r's Accept-Encoding.
 * @path: of f below root, NUL-terminated, with room for a suffix of 4 bytes and a NUL behind
 * Return: borrowed from f. Whatever fails is as if the variant were not there.
 */
struct file *variant_choose(struct filecache *c, struct file *f, const struct request *r,
    const struct variant_rules *rules, const struct file_root *root, char *path, int64_t now);
