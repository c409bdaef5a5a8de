/*
 * effective.c - see effective.h.
 */
#include "launcher/ctl/effective.h"

#include "common/capname.h"
#include "common/clock.h"
#include "launcher/unit/parse.h"

static bool
format_word(const struct plan *p, const struct plan_list *list, uint32_t n, struct buf *out)
{
	PLAN_FOREACH (p, *list, struct plan_word, w)
		if (n-- == 0) {
			(void)buf_puts(out, plan_str(p, w->text));
			return true;
		}
	return false;
}

static bool
format_listen(const struct plan *p, enum listen_kind kind, const struct plan_list *list, uint32_t n,
    struct buf *out)
{
	PLAN_FOREACH (p, *list, struct plan_listen, l)
		if (l->kind == kind && n-- == 0) {
			(void)buf_puts(out, plan_str(p, l->text));
			return true;
		}
	return false;
}

/* A word as it would have to be written to be read as one. */
static void
put_quoted(const char *word, struct buf *out)
{
	if (*word && !strpbrk(word, " \t\n\r\\\"'")) {
		(void)buf_puts(out, word);
		return;
	}
	(void)buf_putc(out, '"');
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			(void)buf_putc(out, '\\');
		if (*word == '\n')
			(void)buf_puts(out, "\\n");
		else
			(void)buf_putc(out, *word);
	}
	(void)buf_putc(out, '"');
}

static bool
format_command(const struct plan *p, const struct plan_list *list, uint32_t n, struct buf *out)
{
	static const struct {
		uint32_t flag;
		const char *sign;
	} signs[] = { { COMMAND_IGNORE_FAILURE, "-" }, { COMMAND_ARGV0, "@" },
		{ COMMAND_NO_ENV_EXPAND, ":" }, { COMMAND_FULL_PRIVILEGE, "+" },
		{ COMMAND_NO_SETUID, "!" }, { COMMAND_NO_AMBIENT, "!!" } };

	PLAN_FOREACH (p, *list, struct plan_command, c) {
		bool first = !(c->flags & COMMAND_ARGV0); /* argv[0] is the path then */

		if (n-- > 0)
			continue;
		for (size_t i = 0; i < ELEMENTSOF(signs); i++)
			if (c->flags & signs[i].flag)
				(void)buf_puts(out, signs[i].sign);
		put_quoted(plan_str(p, c->path), out);
		PLAN_FOREACH (p, c->argv, struct plan_word, w) {
			if (!first) {
				(void)buf_putc(out, ' ');
				put_quoted(plan_str(p, w->text), out);
			}
			first = false;
		}
		return true;
	}
	return false;
}

static void
format_usec(uint64_t usec, struct buf *out)
{
	if (usec == USEC_INFINITY)
		(void)buf_puts(out, "infinity");
	else if (usec % USEC_PER_SEC == 0)
		(void)buf_printf(out, "%llus", (unsigned long long)(usec / USEC_PER_SEC));
	else
		(void)buf_printf(out, "%lluus", (unsigned long long)usec);
}

static void
format_capabilities(uint64_t set, struct buf *out)
{
	if (set == CAPNAME_ALL)
		(void)buf_puts(out, "~");
	for (unsigned cap = 0; cap < 64 && set != CAPNAME_ALL; cap++)
		if (set & UINT64_C(1) << cap && capname_of(cap))
			(void)buf_printf(out, "%s%s", out->len > 0 ? " " : "", capname_of(cap));
}

/* One value of one kind. Return: false for a kind that is no single value. */
static bool
format_scalar(const struct directive *row, const struct plan *p, const void *field, struct buf *out)
{
	const char *const *names = row->arg;
	const char *text;

	if (row->parse == parse_bool)
		(void)buf_puts(out, *(const bool *)field ? "yes" : "no");
	else if (row->parse == parse_u32)
		(void)buf_printf(out, "%u", *(const uint32_t *)field);
	else if (row->parse == parse_usec || row->parse == parse_usec_limit)
		format_usec(*(const uint64_t *)field, out);
	else if (row->parse == parse_mode)
		(void)buf_printf(out, "%04o", *(const mode_t *)field);
	else if (row->parse == parse_enum)
		(void)buf_puts(out, names[*(const int *)field]);
	else if (row->parse == parse_capabilities)
		format_capabilities(*(const uint64_t *)field, out);
	else if (row->parse == parse_string || row->parse == parse_user ||
		 row->parse == parse_directory || row->parse == parse_fd_name) {
		text = plan_str(p, *(const struct ref *)field);
		if (!text)
			return false;
		(void)buf_printf(out, "%s%s",
		    row->parse == parse_directory &&
			    ((const struct plan_unit *)((const char *)field - row->offset))
				->exec.cwd_optional
			? "-"
			: "",
		    text);
	} else {
		return false;
	}
	return true;
}

bool
effective_value(const struct directive *row, const struct plan *p, const struct plan_unit *u,
    uint32_t n, struct buf *out)
{
	const bool socket = row->section == SECTION_SOCKET;
	const void *field = (const char *)u + row->offset;

	buf_reset(out);
	if (row->class != DIRECTIVE_ENFORCED && row->class != DIRECTIVE_STRICT)
		return false;
	if (row->section != SECTION_UNIT && socket != (u->kind == UNIT_SOCKET))
		return false;
	if (row->parse == parse_service_name) {
		(void)buf_puts(out, plan_unit_id(p, u->socket.service));
		return n == 0;
	}
	if (row->offset >= sizeof(*u)) /* only the loader has it: what came of it is elsewhere */
		return false;
	if (row->parse == parse_command)
		return format_command(p, field, n, out);
	if (row->parse == parse_words || row->parse == parse_environment)
		return format_word(p, field, n, out);
	if (row->parse == parse_listen_stream)
		return format_listen(p, LISTEN_STREAM, field, n, out);
	if (row->parse == parse_listen_datagram)
		return format_listen(p, LISTEN_DGRAM, field, n, out);
	if (row->parse == parse_listen_seqpacket)
		return format_listen(p, LISTEN_SEQPACKET, field, n, out);
	return n == 0 && format_scalar(row, p, field, out);
}
