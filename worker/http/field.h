/*
 * field.h - names: of the fields we look at, of methods, of status codes.
 * Runs as: worker, no rights. Allocates nothing.
 * Tests:   tests/unit/test_http_head.c
 */
#pragma once

#include "worker/http/message.h"

/* Which field has this name, in any case; FIELD_END for all that we do not look at. */
enum field field_lookup(const char *name, size_t len);

/* As it is written on the wire. */
const char *field_name(enum field f);

/* True for a field of which a second line makes the request ambiguous: 400. */
bool field_is_single(enum field f);

/* The method of this token; case matters (RFC 9110 section 9.1). */
enum method method_lookup(const char *name, size_t len);

/* "GET", "HEAD", ...; "?" for METHOD_OTHER. */
const char *method_name(enum method m);

/* "HTTP/1.1 200 OK", with its CRLF. Codes that have no reason phrase here have an empty one. */
struct span status_line(unsigned status);

/* Of it, "200 OK". */
struct span status_text(unsigned status);

/* Character classes of RFC 9110 section 5.6 and RFC 9112 section 3.2, one bit each. */
enum {
	CHAR_TOKEN = 1, /* tchar */
	CHAR_VALUE = 2, /* VCHAR, obs-text, SP, HTAB */
	CHAR_TARGET = 4, /* what we let stand in a request target */
	CHAR_HOST = 8, /* reg-name without '%' */
	CHAR_DIGIT = 16,
	CHAR_HEX = 32,
};
extern const uint8_t char_class[256];

static inline bool
char_is(unsigned char c, unsigned classes)
{
	return (char_class[c] & classes) != 0;
}

static inline char
char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* True if both are the same but for ASCII case. */
bool span_same(struct span s, const char *lower);

/* s without SP and HTAB at either end. */
struct span span_trim(struct span s);

/*
 * span_word - next element of a comma-separated list (RFC 9110 section 5.6.1), blanks trimmed,
 * empty elements skipped, commas inside quoted strings left alone.
 * Return: false at the end of *rest.
 */
bool span_word(struct span *rest, struct span *ret);
