/*
 * arguments.c - see arguments.h.
 */
#include "launcher/enter/arguments.h"

#include "launcher/enter/environment.h"

int
arguments_put(struct arguments *a, struct span s)
{
	if (s.len >= sizeof(a->text) - a->used)
		return -E2BIG;
	memcpy(a->text + a->used, s.ptr, s.len);
	a->used += (uint32_t)s.len;
	return 0;
}

int
arguments_end(struct arguments *a, uint32_t start, char **ret)
{
	if (a->used >= sizeof(a->text))
		return -E2BIG;
	a->text[a->used++] = '\0';
	*ret = a->text + start;
	return 0;
}

bool
arguments_is(const char *entry, struct span name)
{
	return strncmp(entry, name.ptr, name.len) == 0 && entry[name.len] == '=';
}

const char *
arguments_getenv(const struct arguments *a, struct span name)
{
	for (uint32_t i = 0; i < a->n_env; i++)
		if (arguments_is(a->envp[i], name))
			return a->envp[i] + name.len + 1;
	return NULL;
}

int
arguments_place(struct arguments *a, struct span name, char *entry)
{
	for (uint32_t i = 0; i < a->n_env; i++) {
		if (arguments_is(a->envp[i], name)) {
			a->envp[i] = entry;
			return 0;
		}
	}
	if (a->n_env == ARGUMENTS_ENV_MAX)
		return -E2BIG;
	a->envp[a->n_env++] = entry;
	a->envp[a->n_env] = NULL;
	return 0;
}

int
arguments_setenv(struct arguments *a, struct span name, struct span value)
{
	const uint32_t start = a->used;
	char *entry;

	if (arguments_put(a, name) < 0 || arguments_put(a, span_of("=")) < 0 ||
	    arguments_put(a, value) < 0 || arguments_end(a, start, &entry) < 0)
		return -E2BIG;
	return arguments_place(a, name, entry);
}

static bool
is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* How many bytes of s are a variable's name. */
static size_t
name_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_name_char(s.ptr[n], n == 0))
		n++;
	return n;
}

static int
argv_end(struct arguments *a, uint32_t start)
{
	if (a->n_argv == ARGUMENTS_ARGV_MAX || arguments_end(a, start, &a->argv[a->n_argv]) < 0)
		return -E2BIG;
	a->argv[++a->n_argv] = NULL;
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * One word of a value that is being split, from *p on, without its quotes and with what a backslash
 * protects. An open quote ends with the value. *p is moved behind it.
 */
static int
split_word(struct arguments *a, const char **p)
{
	const uint32_t start = a->used;
	char quote = '\0';

	for (; **p && (quote || !is_blank(**p)); (*p)++) {
		if (quote ? **p == quote : (**p == '"' || **p == '\'')) {
			quote = quote ? '\0' : **p;
			continue;
		}
		if (**p == '\\' && (*p)[1])
			(*p)++;
		if (arguments_put(a, (struct span){ *p, 1 }) < 0)
			return -E2BIG;
	}
	return argv_end(a, start);
}

static int
add_split(struct arguments *a, const char *value)
{
	for (const char *p = value; p && *p;) {
		if (is_blank(*p)) {
			p++;
			continue;
		}
		if (split_word(a, &p) < 0)
			return -E2BIG;
	}
	return 0;
}

/* Replaces ${NAME} and $$ inside one word. */
static int
put_replaced(struct arguments *a, struct span word)
{
	while (word.len > 0) {
		const char *value = NULL;
		size_t used = 1;
		struct span name = { 0 };

		if (word.ptr[0] == '$' && word.len > 1 && word.ptr[1] == '$') {
			used = 2;
		} else if (word.ptr[0] == '$' && word.len > 3 && word.ptr[1] == '{') {
			name = (struct span){ word.ptr + 2, word.len - 2 };
			name.len = name_length(name);
			if (name.len > 0 && name.len + 2 < word.len &&
			    word.ptr[name.len + 2] == '}') {
				value = arguments_getenv(a, name);
				value = value ? value : "";
				used = name.len + 3;
			}
		}
		if (arguments_put(a, value ? span_of(value) : (struct span){ word.ptr, 1 }) < 0)
			return -E2BIG;
		word.ptr += used;
		word.len -= used;
	}
	return 0;
}

int
arguments_add(struct arguments *a, struct span word, bool expand)
{
	const uint32_t start = a->used;
	struct span name = { 0 };
	int r;

	if (expand && word.len > 1 && word.ptr[0] == '$') {
		name = (struct span){ word.ptr + 1, word.len - 1 };
		if (name_length(name) == name.len)
			return add_split(a, arguments_getenv(a, name));
	}
	r = expand ? put_replaced(a, word) : arguments_put(a, word);
	return r < 0 ? r : argv_end(a, start);
}

int
arguments_fill(struct arguments *a, const struct enter *e)
{
	const bool expand = !(e->command->flags & COMMAND_NO_ENV_EXPAND);
	int r = environment_fill(a, e);

	if (r < 0)
		return r;
	PLAN_FOREACH (e->plan, e->command->argv, struct plan_word, w) {
		/* The program's own name is never expanded. */
		r = arguments_add(a, span_of(enter_text(e, w->text)), expand && a->n_argv > 0);
		if (r < 0)
			return r;
	}
	return a->n_argv > 0 ? 0 : -EINVAL;
}
