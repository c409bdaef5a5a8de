/*
 * effective.c - see effective.h. For each parser there is a printer, each a function of the field.
 */
#include "launcher/ctl/effective.h"

#include <string.h>

#include "common/capname.h"
#include "common/clock.h"
#include "launcher/load/parse.h"

/* What is printed, and where to. */
struct effective {
	const struct directive *row;
	const struct plan *p;
	const struct plan_unit *u;
	struct buf *out;
};

/* The n-th value of a field. Return: false when there is none. */
typedef bool effective_fn(const struct effective *e, const void *field, uint32_t n);

static void
put(const struct effective *e, const char *text)
{
	(void)buf_puts(e->out, text);
}

static bool
effective_put_text(const struct effective *e, struct ref text)
{
	if (!text.off)
		return false;
	put(e, plan_str(e->p, text));
	return true;
}

static bool
effective_bool(const struct effective *e, const void *field, uint32_t n)
{
	put(e, *(const bool *)field ? "yes" : "no");
	return n == 0;
}

static bool
effective_u32(const struct effective *e, const void *field, uint32_t n)
{
	(void)buf_printf(e->out, "%u", *(const uint32_t *)field);
	return n == 0;
}

static bool
effective_usec(const struct effective *e, const void *field, uint32_t n)
{
	const uint64_t usec = *(const uint64_t *)field;

	if (usec == USEC_INFINITY)
		put(e, "infinity");
	else if (usec % USEC_PER_SEC == 0)
		(void)buf_printf(e->out, "%llus", (unsigned long long)(usec / USEC_PER_SEC));
	else
		(void)buf_printf(e->out, "%lluus", (unsigned long long)usec);
	return n == 0;
}

static bool
effective_mode(const struct effective *e, const void *field, uint32_t n)
{
	(void)buf_printf(e->out, "%04o", *(const mode_t *)field);
	return n == 0;
}

static bool
effective_enum(const struct effective *e, const void *field, uint32_t n)
{
	const char *const *names = directive_arg(e->row);

	put(e, names[*(const int *)field]);
	return n == 0;
}

static bool
effective_text(const struct effective *e, const void *field, uint32_t n)
{
	return n == 0 && effective_put_text(e, *(const struct ref *)field);
}

static bool
effective_directory(const struct effective *e, const void *field, uint32_t n)
{
	if (e->u->exec.cwd_optional)
		put(e, "-");
	return effective_text(e, field, n);
}

static bool
effective_signal(const struct effective *e, const void *field, uint32_t n)
{
	const int signal = *(const int32_t *)field;
	const char *name = sigabbrev_np(signal);

	if (name)
		(void)buf_printf(e->out, "SIG%s", name);
	else
		(void)buf_printf(e->out, "%d", signal);
	return n == 0;
}

static bool
effective_opt(const struct effective *e, const void *field, uint32_t n)
{
	const struct plan_opt *opt = field;
	const char *const *names = directive_arg(e->row);

	if (!opt->set || n > 0)
		return false;
	if (directive_parser(e->row) == parse_opt_bool)
		put(e, opt->value ? "yes" : "no");
	else if (directive_parser(e->row) == parse_bind_ipv6_only)
		put(e, opt->value ? "ipv6-only" : "both");
	else if (directive_parser(e->row) == parse_opt_enum)
		put(e, names[opt->value]);
	else
		(void)buf_printf(e->out, "%d%s", opt->value,
		    directive_parser(e->row) == parse_opt_seconds ? "s" : "");
	return true;
}

static bool
effective_words(const struct effective *e, const void *field, uint32_t n)
{
	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_word, w)
		if (n-- == 0)
			return effective_put_text(e, w->text);
	return false;
}

static bool
effective_environment_file(const struct effective *e, const void *field, uint32_t n)
{
	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_env_file, f)
		if (n-- == 0) {
			put(e, f->optional ? "-" : "");
			return effective_put_text(e, f->path);
		}
	return false;
}

static bool
effective_credential(const struct effective *e, const void *field, uint32_t n)
{
	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_credential, c)
		if (n-- == 0) {
			(void)effective_put_text(e, c->id);
			put(e, ":");
			return effective_put_text(e, c->path);
		}
	return false;
}

static bool
effective_listen(const struct effective *e, const void *field, uint32_t n)
{
	static parse_fn *const of[LISTEN_KIND_END] = { parse_listen_stream, parse_listen_datagram,
		parse_listen_seqpacket, parse_listen_fifo, parse_listen_special,
		parse_listen_netlink, parse_listen_queue };

	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_listen, l)
		if (of[l->kind] == directive_parser(e->row) && n-- == 0)
			return effective_put_text(e, l->text);
	return false;
}

/* A word as it would have to be written to be read as one. */
static void
put_quoted(const struct effective *e, const char *word)
{
	const bool quote = !*word || strpbrk(word, " \t\n\r\\\"';");

	put(e, quote ? "\"" : "");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			put(e, "\\");
		(void)buf_printf(e->out, *word == '\n' ? "\\n" : "%c", *word);
	}
	put(e, quote ? "\"" : "");
}

static bool
effective_command(const struct effective *e, const void *field, uint32_t n)
{
	static const struct {
		uint32_t flag;
		const char *sign;
	} signs[] = { { COMMAND_IGNORE_FAILURE, "-" }, { COMMAND_ARGV0, "@" },
		{ COMMAND_NO_ENV_EXPAND, ":" }, { COMMAND_FULL_PRIVILEGE, "+" },
		{ COMMAND_NO_SETUID, "!" }, { COMMAND_NO_AMBIENT, "!!" } };

	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_command, c) {
		bool path = !(c->flags & COMMAND_ARGV0); /* the first word is the path again */

		if (n-- > 0)
			continue;
		for (size_t i = 0; i < ELEMENTSOF(signs); i++)
			put(e, c->flags & signs[i].flag ? signs[i].sign : "");
		put_quoted(e, plan_str(e->p, c->path));
		PLAN_FOREACH (e->p, c->argv, struct plan_word, w) {
			put(e, path ? "" : " ");
			if (!path)
				put_quoted(e, plan_str(e->p, w->text));
			path = false;
		}
		return true;
	}
	return false;
}

static bool
effective_capabilities(const struct effective *e, const void *field, uint32_t n)
{
	const uint64_t set = *(const uint64_t *)field;

	if (set == CAPNAME_ALL)
		put(e, "~");
	for (unsigned cap = 0; set != CAPNAME_ALL && cap < 64; cap++)
		if (set & UINT64_C(1) << cap && capname_of(cap))
			(void)buf_printf(
			    e->out, "%s%s", e->out->len > 0 ? " " : "", capname_of(cap));
	return n == 0;
}

static void
put_limit(const struct effective *e, uint64_t v)
{
	if (v == UINT64_MAX)
		put(e, "infinity");
	else
		(void)buf_printf(e->out, "%llu", (unsigned long long)v);
}

static bool
effective_limit(const struct effective *e, const void *field, uint32_t n)
{
	const struct plan_limit *limit = field;

	if (!limit->set || n > 0)
		return false;
	put_limit(e, limit->soft);
	put(e, ":");
	put_limit(e, limit->hard);
	return true;
}

static bool
effective_stdio(const struct effective *e, const void *field, uint32_t n)
{
	static const char *const words[STDIO_KIND_END] = { NULL, "null", "socket", "inherit",
		"journal", "file:", "append:", "truncate:" };
	const struct plan_stdio *to = field;

	if (to->kind == STDIO_DEFAULT || n > 0)
		return false;
	put(e, words[to->kind]);
	(void)effective_put_text(e, to->path); /* three kinds have one */
	return true;
}

static bool
effective_statuses(const struct effective *e, const void *field, uint32_t n)
{
	const struct plan_statuses *set = field;

	for (unsigned status = 0; status < 256; status++)
		if (set->exits[status / 64] & UINT64_C(1) << status % 64)
			(void)buf_printf(e->out, "%s%u", e->out->len > 0 ? " " : "", status);
	for (int32_t signal = 1; signal <= 64; signal++)
		if (set->signals & UINT64_C(1) << (signal - 1)) {
			put(e, e->out->len > 0 ? " " : "");
			(void)effective_signal(e, &signal, 0);
		}
	return n == 0 && e->out->len > 0;
}

static bool
effective_conditions(const struct effective *e, const void *field, uint32_t n)
{
	PLAN_FOREACH (e->p, *(const struct plan_list *)field, struct plan_condition, c)
		if (c->row == directive_index(e->row) && n-- == 0) {
			put(e, c->trigger ? "|" : "");
			put(e, c->negate ? "!" : "");
			return effective_put_text(e, c->text);
		}
	return false;
}

static bool
effective_service(const struct effective *e, const void *field, uint32_t n)
{
	(void)field; /* of the loader's alone; what came of it is an index */
	put(e, plan_unit_id(e->p, e->u->socket.service));
	return n == 0;
}

static bool
effective_dependencies(const struct effective *e, const void *field, uint32_t n)
{
	const size_t kind =
	    (e->row->offset - offsetof(struct draft, dependency_names)) / sizeof(struct plan_list);

	(void)field;
	PLAN_FOREACH (e->p, e->u->dependencies[kind], struct plan_index, i)
		if (n-- == 0) {
			put(e, plan_unit_id(e->p, i->index));
			return true;
		}
	return false;
}

static const struct {
	parse_fn *parse;
	effective_fn *print;
} printers[] = {
	{ parse_bool, effective_bool },
	{ parse_u32, effective_u32 },
	{ parse_usec, effective_usec },
	{ parse_usec_limit, effective_usec },
	{ parse_mode, effective_mode },
	{ parse_enum, effective_enum },
	{ parse_service_type, effective_enum },
	{ parse_string, effective_text },
	{ parse_path, effective_text },
	{ parse_pid_file, effective_text },
	{ parse_user, effective_text },
	{ parse_fd_name, effective_text },
	{ parse_directory, effective_directory },
	{ parse_signal, effective_signal },
	{ parse_opt_bool, effective_opt },
	{ parse_opt_number, effective_opt },
	{ parse_opt_bytes, effective_opt },
	{ parse_opt_seconds, effective_opt },
	{ parse_opt_enum, effective_opt },
	{ parse_ip_tos, effective_opt },
	{ parse_bind_ipv6_only, effective_opt },
	{ parse_words, effective_words },
	{ parse_directories, effective_words },
	{ parse_environment, effective_words },
	{ parse_environment_file, effective_environment_file },
	{ parse_load_credential, effective_credential },
	{ parse_listen_stream, effective_listen },
	{ parse_listen_datagram, effective_listen },
	{ parse_listen_seqpacket, effective_listen },
	{ parse_listen_fifo, effective_listen },
	{ parse_listen_special, effective_listen },
	{ parse_listen_netlink, effective_listen },
	{ parse_listen_queue, effective_listen },
	{ parse_command, effective_command },
	{ parse_capabilities, effective_capabilities },
	{ parse_limit_count, effective_limit },
	{ parse_limit_bytes, effective_limit },
	{ parse_limit_sec, effective_limit },
	{ parse_limit_usec, effective_limit },
	{ parse_stdin, effective_stdio },
	{ parse_stdout, effective_stdio },
	{ parse_statuses, effective_statuses },
	{ parse_condition, effective_conditions },
	{ parse_service_name, effective_service },
	{ parse_dependencies, effective_dependencies },
};

/* An older name or place of what a row before it is about already. */
static bool
row_is_alias(const struct directive *row)
{
	for (const struct directive *before = directive_table; before < row; before++)
		if (before->parse == row->parse && before->offset == row->offset &&
		    directive_parser(row) != parse_condition)
			return true;
	return false;
}

bool
effective_value(const struct directive *row, const struct plan *p, const struct plan_unit *u,
    uint32_t n, struct buf *out)
{
	const struct effective e = { row, p, u, out };
	const bool socket = row->section == SECTION_SOCKET;
	const bool linked = directive_parser(row) == parse_service_name ||
			    directive_parser(row) == parse_dependencies;

	buf_reset(out);
	if (row->class > DIRECTIVE_PENDING || row_is_alias(row) ||
	    (row->section != SECTION_UNIT && socket != (u->kind == UNIT_SOCKET)))
		return false;
	if (u->kind == UNIT_SOCKET && row->offset >= offsetof(struct plan_unit, service) && !linked)
		return false;
	if (row->offset >= sizeof(*u) && !linked) /* only the loader has it */
		return false;
	for (size_t i = 0; i < ELEMENTSOF(printers); i++)
		if (printers[i].parse == directive_parser(row))
			return printers[i].print(
			    &e, linked ? (const char *)u : (const char *)u + row->offset, n);
	return false;
}
