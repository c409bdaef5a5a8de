/*
 * quote.c - see quote.h.
 */
#include "launcher/load/quote.h"

#include "common/num.h"

#define WORD_BLANKS " \t\r\n"

static void
put_utf8(struct buf *out, uint64_t c)
{
	if (c < 0x80) {
		(void)buf_putc(out, (char)c);
	} else if (c < 0x800) {
		(void)buf_putc(out, (char)(0xc0 | c >> 6));
		(void)buf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		(void)buf_putc(out, (char)(0xe0 | c >> 12));
		(void)buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		(void)buf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		(void)buf_putc(out, (char)(0xf0 | c >> 18));
		(void)buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		(void)buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		(void)buf_putc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/*
 * A numeric escape: digits of the base, exactly n of them.
 * Return: how many bytes of s were used; 0 when it is not one. NUL is none, as in systemd.
 */
static size_t
escape_number(const char *s, size_t prefix, size_t n, unsigned base, struct buf *out)
{
	const uint64_t max = n == 8 ? 0x10ffff : n == 4 ? 0xffff : 255;
	uint64_t c;

	if (strnlen(s, prefix + n) < prefix + n ||
	    num_parse((struct span){ s + prefix, n }, base, 1, max, &c) < 0)
		return 0;
	if (n >= 4 && c >= 0xd800 && c <= 0xdfff)
		return 0;
	if (n >= 4)
		put_utf8(out, c);
	else
		(void)buf_putc(out, (char)c);
	return prefix + n;
}

/* What comes after a backslash. Return: how many bytes were used; 0 for an unknown escape. */
static size_t
escape_one(const char *s, struct buf *out)
{
	static const char from[] = "abfnrtvs\\\"'", to[] = "\a\b\f\n\r\t\v \\\"'";
	const char *simple = *s ? strchr(from, *s) : NULL;

	if (simple) {
		(void)buf_putc(out, to[simple - from]);
		return 1;
	}
	switch (*s) {
	case 'x':
		return escape_number(s, 1, 2, 16, out);
	case 'u':
		return escape_number(s, 1, 4, 16, out);
	case 'U':
		return escape_number(s, 1, 8, 16, out);
	default:
		return escape_number(s, 0, 3, 8, out);
	}
}

int
word_next(const char **p, struct buf *out, unsigned *notes)
{
	const char *s = *p + strspn(*p, WORD_BLANKS);
	char quote = '\0';

	buf_reset(out);
	if (!*s) {
		*p = s;
		return 0;
	}
	while (*s && (quote || !strchr(WORD_BLANKS, *s))) {
		if (*s == '\\') {
			const size_t used = escape_one(s + 1, out);

			if (used == 0) {
				(void)buf_putc(out, '\\');
				if (notes)
					*notes |= WORD_BAD_ESCAPE;
			}
			s += 1 + used;
		} else if (quote && *s == quote) {
			quote = '\0';
			s++;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s++;
		} else {
			(void)buf_putc(out, *s++);
		}
	}
	if (quote)
		return -EINVAL;
	*p = s + strspn(s, WORD_BLANKS);
	return out->failed ? -ENOBUFS : 1;
}
