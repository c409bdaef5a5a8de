/*
 * token.c - see token.h.
 */
#include "launcher/load/token.h"

#define WHITESPACE " \t\r\n"

void
tokens_init(struct tokens *t, struct span text)
{
	*t = (struct tokens){ .text = text };
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		t->at = 3; /* a byte order mark */
	buf_init_heap(&t->joined, TOKEN_LINE_BYTES_MAX + 1);
}

void
tokens_done(struct tokens *t)
{
	buf_done(&t->joined);
}

/* One physical line without its newline. */
static struct span
line_next(struct tokens *t)
{
	const char *start = t->text.ptr + t->at;
	const size_t left = t->text.len - t->at;
	const char *nl = memchr(start, '\n', left);
	const size_t len = nl ? (size_t)(nl - start) : left;

	t->at += nl ? len + 1 : len;
	t->line++;
	return (struct span){ start, len };
}

static bool
line_is_comment(struct span line)
{
	size_t i = 0;

	while (i < line.len && strchr(WHITESPACE, line.ptr[i]) && line.ptr[i])
		i++;
	return i < line.len && (line.ptr[i] == '#' || line.ptr[i] == ';');
}

/* Does the text end in a backslash that is not itself escaped? */
static bool
line_continues(const struct buf *line)
{
	size_t n = 0;

	while (n < line->len && line->data[line->len - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* Cuts blanks off both ends, in place. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, WHITESPACE);
	len = strlen(s);
	while (len > 0 && strchr(WHITESPACE, s[len - 1]))
		s[--len] = '\0';
	return s;
}

/* Puts one logical line into t->joined. Return: false at the end of the text. */
static bool
line_join(struct tokens *t, uint32_t *ret_line, bool *ret_nul)
{
	bool open = false; /* a continuation has begun */

	buf_reset(&t->joined);
	*ret_nul = false;
	while (t->at < t->text.len) {
		struct span line = line_next(t);

		if (line_is_comment(line)) /* also between continuation lines */
			continue;
		if (!open)
			*ret_line = t->line;
		if (memchr(line.ptr, '\0', line.len))
			*ret_nul = true;
		/* An over-long line sets `failed`, and is read to its end all the same. */
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		(void)buf_put(&t->joined, line.ptr, line.len);
		open = line.len > 0 && line.ptr[line.len - 1] == '\\' &&
		       (t->joined.failed || line_continues(&t->joined));
		if (!open)
			return true;
		if (!t->joined.failed)
			t->joined.data[t->joined.len - 1] = ' ';
	}
	return open;
}

static void
token_bad(struct token *ret, const char *what)
{
	ret->kind = TOKEN_BAD;
	ret->key = "";
	ret->value = what;
}

/* RFC 3629, without surrogates and overlong forms. */
static bool
utf8_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		unsigned n = *p < 0x80 ? 0 : *p < 0xc2 ? 9 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;

		if (n == 9 || *p > 0xf4)
			return false;
		if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
			return false;
		for (p++; n > 0; n--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* Takes one trimmed, non-empty logical line apart. */
static void
token_split(char *line, struct token *ret)
{
	const size_t len = strlen(line);
	char *equals;

	if (!utf8_valid(line)) {
		token_bad(ret, "not valid UTF-8");
		return;
	}
	if (line[0] == '[') {
		if (line[len - 1] != ']' || len == 2) {
			token_bad(ret, "a section header has no name or no ']'");
			return;
		}
		line[len - 1] = '\0';
		*ret = (struct token){ TOKEN_SECTION, ret->line, line + 1, "" };
		return;
	}
	equals = strchr(line, '=');
	if (!equals || equals == line) {
		token_bad(ret, equals ? "no name before '='" : "no '='");
		return;
	}
	*equals = '\0';
	*ret = (struct token){ TOKEN_ASSIGN, ret->line, trim(line), trim(equals + 1) };
}

void
tokens_next(struct tokens *t, struct token *ret)
{
	bool nul;

	*ret = (struct token){ .kind = TOKEN_END };
	while (line_join(t, &ret->line, &nul)) {
		char *line;

		if (t->joined.failed) {
			token_bad(ret, "the line is too long");
			return;
		}
		if (nul) {
			token_bad(ret, "a NUL byte");
			return;
		}
		line = t->joined.data ? trim(t->joined.data) : NULL;
		if (line && *line) {
			token_split(line, ret);
			return;
		}
	}
}
