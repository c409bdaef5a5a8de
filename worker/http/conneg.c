/*
 * conneg.c - see conneg.h.
 */
#include "worker/http/conneg.h"

#include <strings.h>

#include "worker/http/field.h"

static const struct {
	const char *name, *suffix;
} coding_rows[CODING_END] = {
	[CODING_BR] = { "br", ".br" },
	[CODING_ZSTD] = { "zstd", ".zst" },
	[CODING_GZIP] = { "gzip", ".gz" },
	[CODING_IDENTITY] = { "identity", "" },
};

const char *
coding_name(enum coding c)
{
	return coding_rows[c].name;
}

const char *
coding_suffix(enum coding c)
{
	return coding_rows[c].suffix;
}

/* "0", "1", "0.5", "1.000" in thousandths; anything else counts as 0, "don't". */
static uint16_t
weight_value(struct span v)
{
	unsigned q, scale = 100;

	if (v.len == 0 || v.len > 5 || (v.ptr[0] != '0' && v.ptr[0] != '1'))
		return 0;
	q = v.ptr[0] == '1' ? 1000 : 0;
	if (v.len > 1 && v.ptr[1] != '.')
		return 0;
	for (size_t i = 2; i < v.len; i++, scale /= 10) {
		if (!char_is((unsigned char)v.ptr[i], CHAR_DIGIT))
			return 0;
		q += (unsigned)(v.ptr[i] - '0') * scale;
	}
	return q > 1000 ? 0 : (uint16_t)q;
}

/* Splits "name;p=x;q=0.5": *word becomes the name. Return: the weight. */
static uint16_t
weight_split(struct span *word)
{
	struct span rest;
	const char *semi = memchr(word->ptr, ';', word->len);
	uint16_t q = 1000;

	if (!semi)
		return q;
	rest = (struct span){ semi + 1, word->len - (size_t)(semi + 1 - word->ptr) };
	*word = span_trim((struct span){ word->ptr, (size_t)(semi - word->ptr) });
	for (;;) {
		const char *next = memchr(rest.ptr, ';', rest.len);
		const struct span p = span_trim(
		    (struct span){ rest.ptr, next ? (size_t)(next - rest.ptr) : rest.len });

		if (p.len >= 2 && (p.ptr[0] | 0x20) == 'q' && p.ptr[1] == '=')
			q = weight_value((struct span){ p.ptr + 2, p.len - 2 });
		if (!next)
			return q;
		rest = (struct span){ next + 1, rest.len - (size_t)(next + 1 - rest.ptr) };
	}
}

void
coding_weights(const struct request *r, uint16_t ret[CODING_END])
{
	struct span line, word;
	size_t pos = 0;
	bool named[CODING_END] = { false };
	int star = -1;

	memset(ret, 0, CODING_END * sizeof(ret[0]));
	ret[CODING_IDENTITY] = 1000;
	if (!request_has(r, FIELD_ACCEPT_ENCODING))
		return;
	ret[CODING_IDENTITY] = 1; /* allowed, but anything that was named is liked better */
	while (request_next(r, FIELD_ACCEPT_ENCODING, &pos, &line)) {
		while (span_word(&line, &word)) {
			const uint16_t q = weight_split(&word);

			if (word.len == 1 && word.ptr[0] == '*')
				star = q;
			for (unsigned c = 0; c < CODING_END; c++) {
				if (!span_same(word, coding_rows[c].name) &&
				    !(c == CODING_GZIP && span_same(word, "x-gzip")))
					continue;
				ret[c] = q;
				named[c] = true;
			}
		}
	}
	for (unsigned c = 0; star >= 0 && c < CODING_END; c++)
		if (!named[c] && (c != CODING_IDENTITY || star == 0))
			ret[c] = (uint16_t)star;
}

/* How exactly a media range names type: 3 by name, 2 by its first half, 1 any, 0 not at all. */
static int
range_exactness(struct span range, const char *type)
{
	const char *slash = strchr(type, '/');
	const size_t n = (size_t)(slash - type);

	if (span_same(range, type))
		return 3;
	if (range.len == n + 2 && range.ptr[n + 1] == '*' &&
	    strncasecmp(range.ptr, type, n + 1) == 0)
		return 2;
	return span_equal(range, "*/*") ? 1 : 0;
}

uint16_t
accept_weight(const struct request *r, const char *type)
{
	struct span line, word;
	size_t pos = 0;
	int best = 0;
	uint16_t weight = 0;

	if (!request_has(r, FIELD_ACCEPT))
		return 1000;
	while (request_next(r, FIELD_ACCEPT, &pos, &line)) {
		while (span_word(&line, &word)) {
			const uint16_t q = weight_split(&word);
			const int exact = range_exactness(word, type);

			if (exact > best) {
				best = exact;
				weight = q;
			}
		}
	}
	return weight;
}
