/*
 * arguments.c - see arguments.h.
 */
#include "launcher/enter/arguments.h"

#include "common/num.h"

/* A fresh string in the text area that can be appended to; arguments_end() closes it. */
static int
text_put(struct arguments *a, struct span s)
{
	if (s.len >= sizeof(a->text) - a->used)
		return -E2BIG;
	memcpy(a->text + a->used, s.ptr, s.len);
	a->used += (uint32_t)s.len;
	return 0;
}

/* The NUL behind what text_put() wrote since `start`. */
static int
text_end(struct arguments *a, uint32_t start, char **ret)
{
	if (a->used >= sizeof(a->text))
		return -E2BIG;
	a->text[a->used++] = '\0';
	*ret = a->text + start;
	return 0;
}

static bool
env_is(const char *entry, struct span name)
{
	return strncmp(entry, name.ptr, name.len) == 0 && entry[name.len] == '=';
}

const char *
arguments_getenv(const struct arguments *a, struct span name)
{
	for (uint32_t i = 0; i < a->n_env; i++)
		if (env_is(a->envp[i], name))
			return a->envp[i] + name.len + 1;
	return NULL;
}

static int
env_place(struct arguments *a, struct span name, char *entry)
{
	for (uint32_t i = 0; i < a->n_env; i++) {
		if (env_is(a->envp[i], name)) {
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

	if (text_put(a, name) < 0 || text_put(a, span_of("=")) < 0 || text_put(a, value) < 0 ||
	    text_end(a, start, &entry) < 0)
		return -E2BIG;
	return env_place(a, name, entry);
}

static int
setenv_str(struct arguments *a, const char *name, const char *value)
{
	return value ? arguments_setenv(a, span_of(name), span_of(value)) : 0;
}

static int
setenv_num(struct arguments *a, const char *name, uint64_t value)
{
	char text[NUM_TEXT_MAX];

	return setenv_str(a, name, num_format(text, value));
}

static int
setenv_id128(struct arguments *a, const char *name, const uint8_t id[16])
{
	static const char hex[] = "0123456789abcdef";
	char text[33];

	for (size_t i = 0; i < 16; i++) {
		text[2 * i] = hex[id[i] >> 4];
		text[2 * i + 1] = hex[id[i] & 15];
	}
	text[32] = '\0';
	return setenv_str(a, name, text);
}

/* LISTEN_FDNAMES: the names with ':' between them, empty ones kept (sd_listen_fds(3)). */
static int
setenv_fdnames(struct arguments *a, const struct enter *e)
{
	const struct span name = { "LISTEN_FDNAMES", sizeof("LISTEN_FDNAMES") - 1 };
	const uint32_t start = a->used;
	char *entry;

	if (text_put(a, span_of("LISTEN_FDNAMES=")) < 0)
		return -E2BIG;
	for (uint32_t i = 0; i < e->n_fds; i++)
		if ((i > 0 && text_put(a, span_of(":")) < 0) ||
		    text_put(a, span_of(e->fds[i].name)) < 0)
			return -E2BIG;
	if (text_end(a, start, &entry) < 0)
		return -E2BIG;
	return env_place(a, name, entry);
}

static int
environment_protocol(struct arguments *a, const struct enter *e)
{
	int r = 0;

	if (e->n_fds > 0 && !e->inetd) {
		r = setenv_num(a, "LISTEN_PID", (uint64_t)getpid());
		if (r == 0)
			r = setenv_num(a, "LISTEN_FDS", e->n_fds);
		if (r == 0 && e->fds[0].name)
			r = setenv_fdnames(a, e);
	}
	if (r == 0)
		r = setenv_str(a, "NOTIFY_SOCKET", e->notify_path);
	if (r == 0 && e->watchdog_usec > 0) {
		r = setenv_num(a, "WATCHDOG_PID", (uint64_t)getpid());
		if (r == 0)
			r = setenv_num(a, "WATCHDOG_USEC", e->watchdog_usec);
	}
	if (r == 0 && e->main_pid > 0)
		r = setenv_num(a, "MAINPID", (uint64_t)e->main_pid);
	if (r == 0 && e->invocation_id)
		r = setenv_id128(a, "INVOCATION_ID", e->invocation_id);
	return r;
}

static int
environment_identity(struct arguments *a, const struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;
	const char *user = plan_str(e->plan, x->user_name);
	int r = setenv_str(a, "HOME", plan_str(e->plan, x->home));

	if (r == 0)
		r = setenv_str(a, "LOGNAME", user);
	if (r == 0)
		r = setenv_str(a, "USER", user);
	if (r == 0)
		r = setenv_str(a, "SHELL", plan_str(e->plan, x->shell));
	return r;
}

/* The unit's own settings come last and win, as under systemd. */
static int
environment_unit(struct arguments *a, const struct enter *e)
{
	PLAN_FOREACH (e->plan, e->unit->exec.environment, struct plan_word, w) {
		const char *text = plan_str(e->plan, w->text);
		const char *eq = strchr(text, '=');
		int r;

		if (!eq)
			continue; /* the loader lets none through */
		r = arguments_setenv(
		    a, (struct span){ text, (size_t)(eq - text) }, span_of(eq + 1));
		if (r < 0)
			return r;
	}
	return 0;
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
	if (a->n_argv == ARGUMENTS_ARGV_MAX || text_end(a, start, &a->argv[a->n_argv]) < 0)
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
		if (text_put(a, (struct span){ *p, 1 }) < 0)
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
		if (text_put(a, value ? span_of(value) : (struct span){ word.ptr, 1 }) < 0)
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
	r = expand ? put_replaced(a, word) : text_put(a, word);
	return r < 0 ? r : argv_end(a, start);
}

int
arguments_fill(struct arguments *a, const struct enter *e)
{
	const bool expand = !(e->command->flags & COMMAND_NO_ENV_EXPAND);
	int r = setenv_str(a, "PATH", ARGUMENTS_PATH);

	if (r == 0)
		r = environment_identity(a, e);
	if (r == 0)
		r = environment_protocol(a, e);
	if (r == 0)
		r = environment_unit(a, e);
	if (r < 0)
		return r;
	PLAN_FOREACH (e->plan, e->command->argv, struct plan_word, w) {
		/* The program's own name is never expanded. */
		r = arguments_add(a, span_of(plan_str(e->plan, w->text)), expand && a->n_argv > 0);
		if (r < 0)
			return r;
	}
	return a->n_argv > 0 ? 0 : -EINVAL;
}
