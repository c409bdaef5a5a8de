/*
 * specifier.c - see specifier.h.
 */
#include "launcher/unit/specifier.h"

/* The part of the prefix after its last '-'. */
static struct span
prefix_tail(const struct unit_name *n)
{
	struct span s = unit_name_prefix(n);
	const char *dash = memrchr(s.ptr, '-', s.len);

	if (!dash)
		return s;
	return (struct span){ dash + 1, s.len - (size_t)(dash + 1 - s.ptr) };
}

static void
put_span(struct buf *out, struct span s)
{
	(void)buf_put(out, s.ptr, s.len);
}

bool
specifier_put_name(char c, const struct unit_name *n, struct buf *out)
{
	switch (c) {
	case 'n':
		(void)buf_puts(out, n->id);
		break;
	case 'N':
		put_span(out, unit_name_stem(n));
		break;
	case 'p':
		put_span(out, unit_name_prefix(n));
		break;
	case 'P':
		unit_name_unescape(unit_name_prefix(n), out);
		break;
	case 'i':
		put_span(out, unit_name_instance(n));
		break;
	case 'I':
		unit_name_unescape(unit_name_instance(n), out);
		break;
	case 'j':
		put_span(out, prefix_tail(n));
		break;
	case 'J':
		unit_name_unescape(prefix_tail(n), out);
		break;
	case 'f':
		(void)buf_putc(out, '/');
		unit_name_unescape(n->pos.at ? unit_name_instance(n) : unit_name_prefix(n), out);
		break;
	default:
		return false;
	}
	return true;
}

int
specifier_expand(const char *text, const struct unit_name *instance, struct buf *out)
{
	for (const char *s = text; *s; s++) {
		if (*s == '%' && s[1] == '%') {
			(void)buf_putc(out, *s++);
		} else if (*s == '%' && s[1] == 'd') {
			(void)buf_puts(out, "/run/credentials/");
			(void)buf_puts(out, instance->id);
			s++;
		} else if (*s == '%' && s[1] && strchr(SPECIFIER_INSTANCE, s[1])) {
			(void)specifier_put_name(*++s, instance, out);
		} else {
			(void)buf_putc(out, *s);
		}
	}
	return out->failed ? -ENOBUFS : 0;
}
