/*
 * buf.h - bytes with a maximum: the only way text is put together in this project.
 * Runs as: every process of ours, root included.
 * Owns:    a buffer made by buf_init_heap() owns its memory until buf_done(); one made by
 *          buf_init() borrows the caller's array and never allocates, so it may be used between
 *          fork and exec.
 * Tests:   tests/unit/test_buf.c
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"

/* A view of bytes that somebody else owns; not NUL-terminated. */
struct span {
	const char *ptr;
	size_t len;
};

struct buf {
	char *data; /* always NUL-terminated once anything was put, never counted in len */
	size_t len;
	size_t cap; /* bytes allocated or lent, the NUL included */
	size_t max; /* cap may grow up to this */
	bool heap;
	bool failed; /* sticky: something did not fit; what is there is a prefix */
};

#define _cleanup_buf_ __attribute__((cleanup(buf_done)))

/* Lends storage of size bytes (>= 1) to b. Never allocates. */
void buf_init(struct buf *b, char *storage, size_t size);

/* An empty buffer that grows on demand up to max bytes, the NUL included. Free by buf_done(). */
void buf_init_heap(struct buf *b, size_t max);

/* Releases heap memory; safe on a lent, an empty or a half-built buffer, and twice. */
void buf_done(struct buf *b);

/* Forgets the content and the failure; keeps the memory. */
void buf_reset(struct buf *b);

/*
 * Append. All return 0, or -ENOBUFS when the maximum is reached (nothing is appended, `failed` is
 * set), or -ENOMEM. Callers that build a long text may ignore each result and look at `failed`
 * once at the end.
 */
int buf_put(struct buf *b, const void *bytes, size_t len);
int buf_puts(struct buf *b, const char *text);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) _printf_(2, 3);
int buf_vprintf(struct buf *b, const char *format, va_list args) _printf_(2, 0);

/* The content as a C string; "" when nothing was ever put. Valid until the next change of b. */
const char *buf_cstr(const struct buf *b);

/* A C string as a span. */
static inline struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/* True if both hold the same bytes. */
static inline bool
span_equal(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

/* True if text begins with prefix. */
static inline bool
str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* True if text ends with suffix. */
static inline bool
str_ends(const char *text, const char *suffix)
{
	const size_t n = strlen(text), m = strlen(suffix);

	return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

/*
 * Copies text and its NUL into dst of size bytes. Returns 0, or -ENOBUFS when it does not fit
 * (dst is then the empty string: a truncated name would be a different name).
 */
_must_check_ int str_copy(char *dst, size_t size, const char *text);
