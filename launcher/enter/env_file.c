/*
 * env_file.c - see env_file.h. A value is never longer than its source, so it is built in place:
 * `in` reads, `out` writes behind it.
 */
#include "launcher/enter/env_file.h"

struct reader {
	char *in, *end; /* what is still to be read */
	char *out; /* where the next byte of a value goes */
};

static bool
env_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool
env_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* To the start of the next line; a comment may be continued by a backslash, too. */
static void
skip_line(struct reader *r)
{
	while (r->in < r->end && !is_newline(*r->in)) {
		if (*r->in == '\\' && r->in + 1 < r->end)
			r->in++;
		r->in++;
	}
}

/* Inside single quotes all is literal; inside double quotes a backslash protects a few. */
static void
copy_quoted(struct reader *r, char quote)
{
	for (r->in++; r->in < r->end && *r->in != quote; r->in++) {
		if (*r->in == '\\' && quote == '"' && r->in + 1 < r->end) {
			r->in++;
			if (*r->in == '\n')
				continue;
			if (!strchr("\"\\`$", *r->in))
				*r->out++ = '\\';
		}
		*r->out++ = *r->in;
	}
	if (r->in < r->end)
		r->in++;
}

/* The value up to the end of its line. What is unquoted loses the blanks at its end. */
static struct span
copy_value(struct reader *r)
{
	struct span value = { r->out, 0 };
	char *keep = r->out; /* the end of what may not be cut */

	while (r->in < r->end && env_blank(*r->in))
		r->in++;
	while (r->in < r->end && !is_newline(*r->in)) {
		if ((*r->in == '"' || *r->in == '\'') && r->out == keep) {
			copy_quoted(r, *r->in);
			keep = r->out;
		} else if (*r->in == '\\' && r->in + 1 < r->end) {
			r->in++;
			if (*r->in != '\n')
				*r->out++ = *r->in;
			r->in++;
			keep = r->out;
		} else {
			*r->out++ = *r->in;
			if (!env_blank(*r->in))
				keep = r->out;
			r->in++;
		}
	}
	r->out = keep;
	value.len = (size_t)(keep - value.ptr);
	return value;
}

static int
read_line(struct reader *r, env_file_fn *each, void *context)
{
	struct span name = { r->in, 0 }, value;
	char *p = r->in;

	while (p < r->end && env_name_char(*p, p == name.ptr))
		p++;
	name.len = (size_t)(p - name.ptr);
	while (p < r->end && env_blank(*p))
		p++;
	if (name.len == 0 || p == r->end || *p != '=') {
		skip_line(r);
		return 0;
	}
	r->in = p + 1;
	r->out = r->in;
	value = copy_value(r);
	return memchr(value.ptr, '\0', value.len) ? 0 : each(context, name, value);
}

int
env_file_parse(char *text, size_t len, env_file_fn *each, void *context)
{
	struct reader r = { .in = text, .end = text + len, .out = text };
	int e = 0;

	while (r.in < r.end && e == 0) {
		if (is_newline(*r.in) || env_blank(*r.in))
			r.in++;
		else if (*r.in == '#' || *r.in == ';')
			skip_line(&r);
		else
			e = read_line(&r, each, context);
	}
	return e;
}
