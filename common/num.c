/*
 * num.c - see num.h.
 */
#include "common/num.h"

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
num_parse(struct span text, unsigned base, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		const int d = digit_value(text.ptr[i]);

		if (d < 0 || (unsigned)d >= base)
			return -EINVAL;
		if (v > (UINT64_MAX - (unsigned)d) / base)
			return -ERANGE;
		v = v * base + (unsigned)d;
	}
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int
num_parse_str(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	return num_parse(span_of(text), 10, min, max, ret);
}

char *
num_format(char dst[NUM_TEXT_MAX], uint64_t v)
{
	char digits[NUM_TEXT_MAX];
	size_t n = 0, i = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		dst[i++] = digits[--n];
	dst[i] = '\0';
	return dst;
}
