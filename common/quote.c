/*
 * quote.c - see quote.h.
 */
#include "common/quote.h"

/* How many bytes a well-formed UTF-8 character at p takes; 0 when it is not one (RFC 3629). */
static size_t
utf8_length(const unsigned char *p, size_t len)
{
	const unsigned char c = p[0];
	const size_t n = c < 0x80   ? 1
			 : c < 0xc2 ? 0
			 : c < 0xe0 ? 2
			 : c < 0xf0 ? 3
			 : c < 0xf5 ? 4
				    : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void
put_escaped(struct buf *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		(void)buf_printf(out, "\\%c", c);
	else
		(void)buf_printf(out, "\\u%04x", c);
}

void
json_quote(struct buf *out, struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	(void)buf_putc(out, '"');
	for (size_t i = 0; i < s.len;) {
		const size_t n = utf8_length(p + i, s.len - i);

		if (n == 0) {
			(void)buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			i++;
		} else if (n == 1 && (p[i] < 0x20 || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f)) {
			put_escaped(out, p[i++]);
		} else {
			(void)buf_put(out, p + i, n);
			i += n;
		}
	}
	(void)buf_putc(out, '"');
}
