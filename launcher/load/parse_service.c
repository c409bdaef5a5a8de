/*
 * parse_service.c - a service beyond its commands; see parse.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c
 */
#include <sys/resource.h>

#include "common/clock.h"
#include "common/num.h"
#include "launcher/load/parse.h"
#include "launcher/load/value.h"

int
parse_service_type(struct assign *a, void *field)
{
	static const char *const missing[] = { "dbus", "notify-reload" };

	for (size_t i = 0; i < ELEMENTSOF(missing); i++)
		if (strcmp(a->value, missing[i]) == 0) {
			(void)parse_enum(a, field); /* kept where there is a word for it */
			return why_set(&a->why, -EOPNOTSUPP, "is not done here yet");
		}
	if (strcmp(a->value, "idle") == 0) {
		assign_warn(a, "there are no jobs to wait for: as simple");
		*(enum service_type *)field = SERVICE_SIMPLE;
		return 0;
	}
	return parse_enum(a, field);
}

int
parse_timeout(struct assign *a, void *field)
{
	struct plan_service *s = field;
	const int r = parse_usec_limit(a, &s->timeout_start_usec);

	if (r == 0)
		s->timeout_stop_usec = s->timeout_start_usec;
	return r;
}

/* Exit statuses that have names: sysexits.h and LSB, as systemd.exec(5) lists them. */
static const struct {
	const char *name;
	uint8_t status;
} exit_names[] = { { "SUCCESS", 0 }, { "FAILURE", 1 }, { "INVALIDARGUMENT", 2 },
	{ "NOTIMPLEMENTED", 3 }, { "NOPERMISSION", 4 }, { "NOTINSTALLED", 5 },
	{ "NOTCONFIGURED", 6 }, { "NOTRUNNING", 7 }, { "USAGE", 64 }, { "DATAERR", 65 },
	{ "NOINPUT", 66 }, { "NOUSER", 67 }, { "NOHOST", 68 }, { "UNAVAILABLE", 69 },
	{ "SOFTWARE", 70 }, { "OSERR", 71 }, { "OSFILE", 72 }, { "CANTCREAT", 73 }, { "IOERR", 74 },
	{ "TEMPFAIL", 75 }, { "PROTOCOL", 76 }, { "NOPERM", 77 }, { "CONFIG", 78 } };

static bool
exit_by_name(const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < ELEMENTSOF(exit_names); i++)
		if (strcmp(exit_names[i].name, name) == 0) {
			*ret = exit_names[i].status;
			return true;
		}
	return num_parse_str(name, 0, 255, ret) == 0;
}

int
parse_statuses(struct assign *a, void *field)
{
	char storage[64];
	struct buf word;
	struct plan_statuses *set = field;
	const char *p = a->value;
	uint64_t status;
	int r;

	if (!*p)
		*set = (struct plan_statuses){ 0 };
	buf_init(&word, storage, sizeof(storage));
	while ((r = parse_word(a, &p, &word)) > 0) {
		const int signal = value_signal(storage);

		if (exit_by_name(storage, &status))
			set->exits[status / 64] |= UINT64_C(1) << status % 64;
		else if (signal > 0)
			set->signals |= UINT64_C(1) << (signal - 1);
		else
			assign_warn(a, "\"%s\" is no exit status and no signal, ignored", storage);
	}
	return r;
}

int
parse_pid_file(struct assign *a, void *field)
{
	_cleanup_buf_ struct buf text = { 0 }, full = { 0 };
	int r;

	buf_init_heap(&text, PARSE_BYTES_MAX);
	buf_init_heap(&full, PARSE_BYTES_MAX);
	r = parse_expand(a, a->value, &text);
	if (r < 0)
		return r;
	if (text.len == 0) {
		*(struct ref *)field = (struct ref){ 0 };
		return 0;
	}
	(void)buf_printf(&full, "%s%s", text.data[0] == '/' ? "" : "/run/", text.data);
	if (!value_path(&full))
		return why_set(&a->why, -EINVAL, "not a path");
	parse_legacy_run(a, &full);
	*(struct ref *)field = build_str(&a->loader->build, buf_cstr(&full));
	return 0;
}

/* 0 to 40, as the kernel has it; or with a sign a niceness, of which 20 is 0 and -20 is 40. */
static int
limit_nice(const char *text, uint64_t *ret)
{
	const bool is_niceness = text[0] == '+' || text[0] == '-';
	const int r = num_parse_str(text + is_niceness, 0,
	    !is_niceness     ? 40
	    : text[0] == '+' ? 19
			     : 20,
	    ret);

	if (r == 0 && is_niceness)
		*ret = text[0] == '+' ? 20 - *ret : 20 + *ret;
	return r;
}

/* One side of a limit. The largest number stands for "infinity", as in the kernel. */
static int
limit_value(const char *text, parse_fn *kind, uint64_t *ret)
{
	int r;

	if (strcmp(text, "infinity") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (kind == parse_limit_count)
		return num_parse_str(text, 0, UINT64_MAX - 1, ret);
	if (kind == parse_limit_bytes)
		return value_size(text, ret);
	if (kind == parse_limit_nice)
		return limit_nice(text, ret);
	r = value_usec(text, ret);
	if (r == 0 && kind == parse_limit_sec)
		*ret = (*ret + USEC_PER_SEC - 1) / USEC_PER_SEC;
	return r;
}

/* "soft:hard", or one for both. */
static int
parse_limit(struct assign *a, void *field, parse_fn *kind)
{
	struct plan_limit limit = { .set = true };
	const char *colon = strchr(a->value, ':');
	char soft[64];
	struct buf b;
	int r;

	if (!a->value[0]) {
		*(struct plan_limit *)field = (struct plan_limit){ 0 };
		return 0;
	}
	buf_init(&b, soft, sizeof(soft));
	(void)buf_put(&b, a->value, colon ? (size_t)(colon - a->value) : strlen(a->value));
	r = b.failed ? -EINVAL : limit_value(soft, kind, &limit.soft);
	if (r == 0)
		r = limit_value(colon ? colon + 1 : soft, kind, &limit.hard);
	if (r < 0 || limit.soft > limit.hard)
		return why_set(&a->why, r < 0 ? r : -EINVAL,
		    r < 0 ? "not a limit" : "the soft limit is above the hard one");
	*(struct plan_limit *)field = limit;
	return 0;
}

int
parse_limit_count(struct assign *a, void *field)
{
	return parse_limit(a, field, parse_limit_count);
}

int
parse_limit_bytes(struct assign *a, void *field)
{
	return parse_limit(a, field, parse_limit_bytes);
}

int
parse_limit_nice(struct assign *a, void *field)
{
	return parse_limit(a, field, parse_limit_nice);
}

int
parse_limit_sec(struct assign *a, void *field)
{
	return parse_limit(a, field, parse_limit_sec);
}

int
parse_limit_usec(struct assign *a, void *field)
{
	return parse_limit(a, field, parse_limit_usec);
}

/* Words for what a standard descriptor becomes; the first rows are for output alone. */
static const struct {
	const char *word;
	enum stdio_kind kind;
	bool input;
} stdio_words[] = {
	{ "inherit", STDIO_INHERIT, false },
	{ "journal", STDIO_LOG, false },
	{ "journal+console", STDIO_LOG, false },
	{ "syslog", STDIO_LOG, false },
	{ "syslog+console", STDIO_LOG, false },
	{ "kmsg", STDIO_LOG, false },
	{ "kmsg+console", STDIO_LOG, false },
	{ "append:", STDIO_APPEND, false },
	{ "truncate:", STDIO_TRUNCATE, false },
	{ "null", STDIO_NULL, true },
	{ "socket", STDIO_SOCKET, true },
	{ "file:", STDIO_FILE, true },
};

static int
stdio_path(struct assign *a, const char *path, struct ref *ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	buf_init_heap(&text, PARSE_BYTES_MAX);
	r = parse_expand(a, path, &text);
	if (r < 0)
		return r;
	if (!value_path(&text))
		return why_set(&a->why, -EINVAL, "not an absolute path");
	*ret = build_str(&a->loader->build, buf_cstr(&text));
	return 0;
}

static int
parse_stdio(struct assign *a, struct plan_stdio *to, bool input)
{
	struct plan_stdio fresh = { STDIO_DEFAULT, { 0 } };

	for (size_t i = 0; a->value[0]; i++) {
		const char *word;
		int r = 0;

		if (i == ELEMENTSOF(stdio_words))
			return why_set(&a->why, -EOPNOTSUPP, "is not done here");
		word = stdio_words[i].word;
		if (input && !stdio_words[i].input)
			continue;
		if (str_ends(word, ":") ? !str_starts(a->value, word) : strcmp(a->value, word) != 0)
			continue;
		fresh.kind = stdio_words[i].kind;
		if (str_ends(word, ":"))
			r = stdio_path(a, a->value + strlen(word), &fresh.path);
		if (r < 0)
			return r;
		break;
	}
	*to = fresh;
	return 0;
}

int
parse_stdin(struct assign *a, void *field)
{
	return parse_stdio(a, field, true);
}

int
parse_stdout(struct assign *a, void *field)
{
	return parse_stdio(a, field, false);
}

/* Below the directory of its kind, and not the one where systemd hides those of dynamic users. */
static bool
directory_good(const char *path)
{
	char absolute[1024];
	struct buf b;

	buf_init(&b, absolute, sizeof(absolute));
	(void)buf_printf(&b, "/%s", path);
	return path[0] && path[0] != '/' && !strchr(path, ':') && !b.failed && value_path(&b) &&
	       strcmp(path, "private") != 0 && !str_starts(path, "private/");
}

int
parse_directories(struct assign *a, void *field)
{
	struct plan_list fresh = *(struct plan_list *)field;
	const int r = parse_words(a, &fresh);

	if (r < 0)
		return r;
	PLAN_FOREACH (a->loader->build.plan, fresh, struct plan_word, w)
		if (!directory_good(plan_str(a->loader->build.plan, w->text)))
			return why_set(&a->why, -EINVAL, "\"%s\" is no path below its directory",
			    plan_str(a->loader->build.plan, w->text));
	*(struct plan_list *)field = fresh;
	return 0;
}
