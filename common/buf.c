/*
 * buf.c - see buf.h.
 */
#include "common/buf.h"

#include <stdint.h>

#define BUF_FIRST 256

void
buf_init(struct buf *b, char *storage, size_t size)
{
	*b = (struct buf){ .data = storage, .cap = size, .max = size };
	storage[0] = '\0';
}

void
buf_init_heap(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max, .heap = true };
}

void
buf_done(struct buf *b)
{
	if (b->heap)
		free(b->data);
	*b = (struct buf){ 0 };
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for len more bytes and the NUL. */
static int
buf_reserve(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	char *data;

	if (len >= b->max || b->len >= b->max - len) {
		b->failed = true;
		return -ENOBUFS;
	}
	if (b->len + len < b->cap)
		return 0;
	/* A lent buffer has cap == max, so only heap buffers come here. */
	while (cap <= b->len + len)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return -ENOMEM;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

int
buf_put(struct buf *b, const void *bytes, size_t len)
{
	int r = buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int
buf_puts(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

int
buf_putc(struct buf *b, char c)
{
	return buf_put(b, &c, 1);
}

int
buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	int n, r;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return -EINVAL;
	}
	r = buf_reserve(b, (size_t)n);
	if (r < 0)
		return r;
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, format, args); /* measured above */
	b->len += (size_t)n;
	return 0;
}

int
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = buf_vprintf(b, format, args);
	va_end(args);
	return r;
}

const char *
buf_cstr(const struct buf *b)
{
	return b->data ? b->data : "";
}

int
str_copy(char *dst, size_t size, const char *text)
{
	const size_t len = strlen(text);

	if (len >= size) {
		if (size > 0)
			dst[0] = '\0';
		return -ENOBUFS;
	}
	memcpy(dst, text, len + 1);
	return 0;
}
