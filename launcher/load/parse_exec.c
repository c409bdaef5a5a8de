/*
 * parse_exec.c - commands and what they run as and with; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include <limits.h>

#include "common/capname.h"
#include "launcher/load/caller.h"
#include "launcher/load/diag.h"
#include "launcher/load/parse.h"
#include "launcher/load/value.h"

#define NAME_BYTES_MAX 256

/* The signs in front of a command. Return: the text after them. */
static const char *
command_prefix(const char *s, uint32_t *flags)
{
	const uint32_t identity = COMMAND_FULL_PRIVILEGE | COMMAND_NO_SETUID | COMMAND_NO_AMBIENT;

	for (;; s++) {
		if (*s == '-' && !(*flags & COMMAND_IGNORE_FAILURE))
			*flags |= COMMAND_IGNORE_FAILURE;
		else if (*s == '@' && !(*flags & COMMAND_ARGV0))
			*flags |= COMMAND_ARGV0;
		else if (*s == ':' && !(*flags & COMMAND_NO_ENV_EXPAND))
			*flags |= COMMAND_NO_ENV_EXPAND;
		else if (*s == '+' && !(*flags & identity))
			*flags |= COMMAND_FULL_PRIVILEGE;
		else if (*s == '!' && !(*flags & identity))
			*flags |= COMMAND_NO_SETUID;
		else if (*s == '!' && (*flags & identity) == COMMAND_NO_SETUID)
			*flags ^= COMMAND_NO_SETUID | COMMAND_NO_AMBIENT;
		else
			return s;
	}
}

/* A program: an absolute path, made plain, or a name to be looked up in PATH. */
static int
command_path(struct assign *a, struct buf *path)
{
	const char *text = buf_cstr(path);

	if (path->len == 0)
		return why_set(&a->why, -EINVAL, "there is no program");
	if (text[path->len - 1] == '/')
		return why_set(&a->why, -EINVAL, "\"%s\" is a directory", text);
	if (text[0] == '/' ? !value_path(path)
			   : strchr(text, '/') || path->len > NAME_MAX || strcmp(text, ".") == 0 ||
				 strcmp(text, "..") == 0)
		return why_set(&a->why, -EINVAL,
		    "\"%s\" is neither a program's name nor an absolute path", text);
	return 0;
}

/* An unquoted "*p" alone, up to a blank or the end? */
static bool
lone(const char *p, const char *sign)
{
	const size_t n = strlen(sign);

	return strncmp(p, sign, n) == 0 && (p[n] == '\0' || strchr(" \t\r\n", p[n]));
}

/* The arguments, up to a ";" or the end; *p is moved. */
static int
command_arguments(
    struct assign *a, const char **p, struct plan_command *c, struct buf *word, struct buf *text)
{
	while (**p && !lone(*p, ";")) {
		int r;

		if (lone(*p, "\\;")) {
			*p += 2 + strspn(*p + 2, " \t\r\n");
			build_append_word(&a->loader->build, &c->argv, ";");
			continue;
		}
		r = parse_word(a, p, word);
		if (r > 0)
			r = parse_expand(a, buf_cstr(word), text);
		if (r < 0)
			return r;
		build_append_word(&a->loader->build, &c->argv, buf_cstr(text));
	}
	return 0;
}

/* One command of the line. */
static int
command_one(
    struct assign *a, const char **p, struct plan_list *list, struct buf *word, struct buf *text)
{
	struct plan_command c = { .source = a->at }, *into;
	struct ref next;
	int r = parse_word(a, p, word);

	if (r <= 0)
		return r < 0 ? r : why_set(&a->why, -EINVAL, "there is no program");
	r = parse_expand(a, command_prefix(buf_cstr(word), &c.flags), text);
	if (r < 0)
		return r;
	if (!(c.flags & COMMAND_ARGV0)) /* as it was written; what is executed is made plain */
		build_append_word(&a->loader->build, &c.argv, buf_cstr(text));
	r = command_path(a, text);
	if (r < 0)
		return r;
	c.path = build_str(&a->loader->build, buf_cstr(text));
	r = command_arguments(a, p, &c, word, text);
	if (r < 0)
		return r;
	if (c.argv.n == 0)
		return why_set(&a->why, -EINVAL, "\"@\" needs a name for the program");
	into = build_append(&a->loader->build, list, sizeof(*into));
	next = into->next;
	*into = c;
	into->next = next;
	return 0;
}

int
parse_command(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf word = { 0 }, text = { 0 };
	const char *p = a->value;
	struct plan_list *list = field, fresh = *list;

	if (!*p) {
		*list = (struct plan_list){ 0 };
		return 0;
	}
	buf_init_heap(&word, PARSE_BYTES_MAX);
	buf_init_heap(&text, PARSE_BYTES_MAX);
	do {
		int r;

		if (*p == ';')
			p += 1 + strspn(p + 1, " \t\r\n");
		if (!*p)
			break; /* a ";" at the end is only that */
		r = command_one(a, &p, &fresh, &word, &text);
		if (r < 0)
			return r;
	} while (*p == ';');
	*list = fresh;
	return 0;
}

/* "NAME=value" in the place of an earlier one of that name, or at the end. */
static void
environment_put(struct build *b, struct plan_list *list, const char *text, size_t name)
{
	for (struct ref r = list->head; r.off;) {
		struct plan_word *w = build_at(b, r);
		const char *have = build_at(b, w->text); /* none once the plan is full */

		if (have && strncmp(have, text, name + 1) == 0) {
			w->text = build_str(b, text);
			return;
		}
		r = w->next;
	}
	build_append_word(b, list, text);
}

int
parse_environment(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf word = { 0 }, text = { 0 };
	const char *p = a->value, *equals;
	struct plan_list *list = field;
	int r = 0;

	if (!*p)
		*list = (struct plan_list){ 0 };
	buf_init_heap(&word, PARSE_BYTES_MAX);
	buf_init_heap(&text, PARSE_BYTES_MAX);
	while (*p && (r = parse_word(a, &p, &word)) > 0) {
		r = parse_expand(a, buf_cstr(&word), &text);
		if (r < 0)
			return r;
		equals = strchr(buf_cstr(&text), '=');
		if (!equals || !value_is_env_name(text.data, (size_t)(equals - text.data)))
			assign_warn(a, "\"%s\" is no assignment, ignored", buf_cstr(&text));
		else
			environment_put(
			    &a->loader->build, list, text.data, (size_t)(equals - text.data));
	}
	return r < 0 ? r : 0;
}

int
parse_environment_file(struct assign *a, void *field)
{
	const bool optional = a->value[0] == '-';
	_cleanup_buf_ struct buf text = { 0 };
	struct plan_env_file *f;
	int r;

	if (!a->value[0]) {
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value + optional, &text);
	if (r < 0)
		return r;
	if (!value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	f = build_append(&a->loader->build, field, sizeof(*f));
	f->path = build_str(&a->loader->build, buf_cstr(&text));
	f->optional = optional;
	return 0;
}

int
parse_load_credential(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *colon = strchr(a->value, ':');
	const struct span id = { a->value, colon ? (size_t)(colon - a->value) : 0 };
	struct plan_credential *c;
	int r;

	if (!a->value[0]) {
		*(struct plan_list *)field = (struct plan_list){ 0 };
		return 0;
	}
	if (a->draft->unit.is_template)
		return why_set(&a->why, -EOPNOTSUPP, "an instance of Accept= has none here");
	if (id.len == 0 || id.len > NAME_MAX || memchr(id.ptr, '/', id.len) || id.ptr[0] == '.')
		return why_set(&a->why, -EINVAL, "not ID:PATH");
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, colon + 1, &text);
	if (r < 0)
		return r;
	if (!value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	c = build_append(&a->loader->build, field, sizeof(*c));
	c->id = build_span(&a->loader->build, id);
	c->path = build_str(&a->loader->build, buf_cstr(&text));
	return 0;
}

int
parse_user(struct assign *a, void *field)
{
	char storage[NAME_BYTES_MAX];
	struct buf text;
	const char *s;
	int r;

	buf_init(&text, storage, sizeof(storage));
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	/* What systemd's compatible mode lets pass: no path, no field of passwd(5), no blank ends.
	 */
	for (s = storage; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || strchr(":/", *s))
			break;
	if (*s || storage[0] == '-' || strcmp(storage, ".") == 0 || strcmp(storage, "..") == 0)
		return why_set(&a->why, -EINVAL, "\"%s\" is no user's or group's name", storage);
	*(struct ref *)field =
	    text.len > 0 ? build_str(&a->loader->build, storage) : (struct ref){ 0 };
	return 0;
}

int
parse_directory(struct assign *a, void *field)
{
	struct plan_exec *exec = &a->draft->unit.exec;
	_cleanup_buf_ struct buf text = { 0 };
	const char *value = a->value;
	const bool optional = value[0] == '-';
	int r;

	if (optional)
		value++;
	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, value, &text);
	if (r < 0)
		return r;
	if (text.len > 0 && strcmp(text.data, "~") != 0 && !value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	*(struct ref *)field =
	    text.len > 0 ? build_str(&a->loader->build, text.data) : (struct ref){ 0 };
	exec->cwd_optional = optional;
	return 0;
}

int
parse_capabilities(struct assign *a, void *field)
{
	const uint64_t unset = *(const uint64_t *)directive_arg(a->row);
	char storage[NAME_BYTES_MAX];
	struct buf word;
	const char *p = a->value;
	const bool invert = *p == '~';
	uint64_t named = 0, *set = field;
	int r;

	p += invert;
	buf_init(&word, storage, sizeof(storage));
	while ((r = parse_word(a, &p, &word)) > 0) {
		const int cap = capname_parse(storage);

		if (cap < 0)
			return why_set(&a->why, -EINVAL, "\"%s\" is no capability", storage);
		named |= UINT64_C(1) << cap;
	}
	if (r < 0)
		return r;
	/* The first line, and one that names nothing, replaces; others add or, by "~", take out. */
	if (named == 0 || *set == unset)
		*set = invert ? CAPNAME_ALL & ~named : named;
	else if (invert)
		*set &= ~named;
	else
		*set |= named;
	return 0;
}

/* A capability is a piece of root: it takes the operator's word, and plan_verify() insists. */
int
parse_ambient(struct assign *a, void *field)
{
	uint64_t set = *(const uint64_t *)field;
	const int r = parse_capabilities(a, &set);

	if (r < 0)
		return r;
	if (set == 0) /* what was wrong with an earlier line is so no more */
		diag_withdraw(a->loader->diag, a->draft->id, a->full);
	else if (caller_uid() != 0)
		return why_set(&a->why, -EOPNOTSUPP, "only root can hand out capabilities");
	else if (!a->loader->options->allow_capabilities)
		return why_set(&a->why, -EOPNOTSUPP,
		    "would keep a part of root's rights: permit it by --allow-capabilities");
	*(uint64_t *)field = set;
	return 0;
}
