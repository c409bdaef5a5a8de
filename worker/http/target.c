/*
 * target.c - see target.h.
 */
#include "worker/http/target.h"

#include <assert.h>

#include "worker/http/field.h"

static int
host_port_check(struct span port)
{
	unsigned v = 0;

	/* "host:" is allowed by RFC 3986. Not num_parse(): every request passes here. */
	for (size_t i = 0; i < port.len; i++) {
		if (!char_is((unsigned char)port.ptr[i], CHAR_DIGIT))
			return -EINVAL;
		v = v * 10 + (unsigned)(port.ptr[i] - '0');
		if (v > 65535)
			return -ERANGE;
	}
	return 0;
}

/* "[...]": hexadecimal digits, colons and dots; the kernel never gets to see it. */
static int
host_literal_check(struct span text, size_t *ret_len)
{
	size_t i = 1;

	while (i < text.len && (char_is((unsigned char)text.ptr[i], CHAR_HEX) ||
				   text.ptr[i] == ':' || text.ptr[i] == '.'))
		i++;
	if (i < 3 || i >= text.len || text.ptr[i] != ']')
		return -EINVAL;
	*ret_len = i + 1;
	return 0;
}

int
host_split(struct span text, struct span *ret_host)
{
	struct span host = { text.ptr, 0 };

	if (text.len > 0 && text.ptr[0] == '[') {
		if (host_literal_check(text, &host.len) < 0)
			return -EINVAL;
	} else {
		while (host.len < text.len && char_is((unsigned char)text.ptr[host.len], CHAR_HOST))
			host.len++;
	}
	if (host.len < text.len) {
		const struct span port = { text.ptr + host.len + 1, text.len - host.len - 1 };

		if (text.ptr[host.len] != ':' || host.len == 0 || host_port_check(port) < 0)
			return -EINVAL;
	}
	*ret_host = host;
	return 0;
}

/* "http://host[:port]/path?query": the authority rules, whatever Host says (RFC 9112 3.2.2). */
static int
target_absolute(struct request *r, struct span rest)
{
	size_t n = 0;

	if (rest.len > 7 && span_same((struct span){ rest.ptr, 7 }, "http://"))
		n = 7;
	else if (rest.len > 8 && span_same((struct span){ rest.ptr, 8 }, "https://"))
		n = 8;
	else
		return 400;
	rest.ptr += n;
	rest.len -= n;
	n = 0;
	while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
		n++;
	/* An empty authority is 400, and so is userinfo: '@' is no host byte (RFC 9110 4.2). */
	if (n == 0 || host_split((struct span){ rest.ptr, n }, &r->host) < 0)
		return 400;
	r->path = (struct span){ rest.ptr + n, rest.len - n };
	return 0;
}

int
target_check(struct request *r)
{
	const struct span target = request_piece(r, r->target);
	const char *mark;

	r->host = (struct span){ request_field(r, FIELD_HOST).ptr, r->host_len };
	r->query = (struct span){ "", 0 };
	r->path = target;
	assert(target.len > 0);
	if (r->method == METHOD_CONNECT) {
		/* authority-form, the port required */
		struct span host;

		if (host_split(target, &host) < 0 || host.len == 0 || host.len + 1 >= target.len)
			return 400;
		r->path.len = 0;
		return 0;
	}
	if (target.len == 1 && target.ptr[0] == '*')
		return r->method == METHOD_OPTIONS ? 0 : 400;
	if (target.ptr[0] != '/' && target_absolute(r, target) != 0)
		return 400;
	mark = memchr(r->path.ptr, '?', r->path.len);
	if (mark) {
		r->query =
		    (struct span){ mark + 1, r->path.len - (size_t)(mark + 1 - r->path.ptr) };
		r->path.len = (size_t)(mark - r->path.ptr);
	}
	if (r->path.len == 0)
		r->path = (struct span){ "/", 1 }; /* absolute-form without a path */
	return 0;
}

static int
hex_value(unsigned char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/*
 * One byte of a path, decoded. Return: bytes used, or -400, or -404 for an encoded slash.
 */
static int
path_byte(const char *p, size_t len, char *ret)
{
	const unsigned char c = (unsigned char)*p;
	int v;

	if (c != '%') {
		*ret = *p;
		return c == '\\' ? -400 : 1;
	}
	if (len < 3 || !char_is((unsigned char)p[1], CHAR_HEX) ||
	    !char_is((unsigned char)p[2], CHAR_HEX))
		return -400;
	v = hex_value((unsigned char)p[1]) * 16 + hex_value((unsigned char)p[2]);
	if (v == 0)
		return -400;
	*ret = (char)v;
	return v == '/' ? -404 : 3;
}

/*
 * A segment dst[begin..len) is complete. Return: the new length, or -400 for a climb.
 * dst[begin - 1] is the '/' in front of it.
 */
static int
path_segment(const char *dst, int begin, int len)
{
	const int n = len - begin;

	if (n == 1 && dst[begin] == '.')
		return begin;
	if (n == 2 && dst[begin] == '.' && dst[begin + 1] == '.') {
		int up = begin - 1;

		if (up == 0)
			return -400;
		while (dst[up - 1] != '/')
			up--;
		return up;
	}
	return len;
}

int
path_normalise(struct span raw, char *dst, size_t *ret_len)
{
	int len = 1, begin = 1, r;
	size_t i = 1;

	if (raw.len == 0 || raw.ptr[0] != '/')
		return 400;
	dst[0] = '/';
	while (i < raw.len) {
		char c = raw.ptr[i];

		if (c != '/' && c != '%' && c != '\\') {
			dst[len++] = c; /* as nearly all are */
			i++;
			continue;
		}
		if (c == '/') {
			r = path_segment(dst, begin, len);
			if (r < 0)
				return -r;
			len = r;
			if (dst[len - 1] != '/')
				dst[len++] = '/';
			begin = len;
			i++;
			continue;
		}
		r = path_byte(raw.ptr + i, raw.len - i, &c);
		if (r < 0)
			return -r;
		dst[len++] = c;
		i += (size_t)r;
	}
	r = path_segment(dst, begin, len);
	if (r < 0)
		return -r;
	dst[r] = '\0';
	*ret_len = (size_t)r;
	return 0;
}

int
path_decode(struct span raw, char *dst, size_t *ret_len)
{
	size_t len = 0;

	for (size_t i = 0; i < raw.len;) {
		const int r = path_byte(raw.ptr + i, raw.len - i, &dst[len]);

		if (r < 0)
			return -r;
		len++;
		i += (size_t)r;
	}
	dst[len] = '\0';
	*ret_len = len;
	return len > 0 ? 0 : 400;
}

void
path_encode(struct span path, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < path.len; i++) {
		const unsigned char c = (unsigned char)path.ptr[i];
		const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
				   (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
				   c == '~' || c == '/';

		if (plain) {
			(void)buf_putc(out, (char)c);
			continue;
		}
		(void)buf_putc(out, '%');
		(void)buf_putc(out, digits[c >> 4]);
		(void)buf_putc(out, digits[c & 15]);
	}
}
