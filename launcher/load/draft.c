/*
 * draft.c - see draft.h.
 */
#include "launcher/load/draft.h"

#include <signal.h>
#include <stdarg.h>

#include "common/capname.h"
#include "common/clock.h"
#include "launcher/load/token.h"

#define STOP_USEC (90 * USEC_PER_SEC) /* DefaultTimeoutStartSec=, DefaultTimeoutStopSec= */
#define RESTART_USEC UINT64_C(100000) /* DefaultRestartSec= */
#define START_LIMIT_USEC (10 * USEC_PER_SEC) /* DefaultStartLimitIntervalSec= */
#define START_LIMIT_BURST 5 /* DefaultStartLimitBurst= */
#define SOCKET_LIMIT_USEC (2 * USEC_PER_SEC) /* TriggerLimitIntervalSec=, PollLimit... */

void
draft_defaults(struct draft *d)
{
	struct plan_unit *u = &d->unit;

	u->exec.ignore_sigpipe = true;
	u->exec.cap_bounding = CAPNAME_ALL; /* what "~" takes from */
	u->exec.umask = 0022;
	for (size_t i = 0; i < DIRECTORY_KIND_END; i++)
		u->exec.directories[i].mode = 0755;
	u->socket = (struct plan_socket){
		.service = PLAN_NONE,
		.backlog = UINT32_MAX, /* the kernel's own maximum */
		.mode = 0666,
		.directory_mode = 0755,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.max_connections = 64,
		.trigger_limit_usec = SOCKET_LIMIT_USEC,
		.trigger_limit_burst = UINT32_MAX, /* until finish_socket() knows Accept= */
		.poll_limit_usec = SOCKET_LIMIT_USEC,
		.poll_limit_burst = UINT32_MAX,
	};
	u->service = (struct plan_service){
		.restart_usec = RESTART_USEC,
		.timeout_start_usec = STOP_USEC,
		.timeout_stop_usec = STOP_USEC,
		.runtime_max_usec = USEC_INFINITY,
		.start_limit_usec = START_LIMIT_USEC,
		.start_limit_burst = START_LIMIT_BURST,
		.kill_mode = KILL_CONTROL_GROUP,
		.kill_signal = SIGTERM,
		.final_kill_signal = SIGKILL,
		.watchdog_signal = SIGABRT,
		.send_sigkill = true,
	};
}

struct where
draft_where(const struct draft *d, enum section section, const char *name)
{
	for (size_t i = 0; i < directive_count; i++)
		if (directive_table[i].section == section &&
		    strcmp(directive_table[i].name, name) == 0)
			return d->set[i];
	return (struct where){ 0 };
}

/* The whole of a file. */
static int
text_read(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (buf_put(out, chunk, (size_t)n) < 0)
			return -EFBIG;
	return n < 0 ? -errno : 0;
}

/* A section that a unit of this kind has, or that nobody reads. */
static bool
section_known(const struct draft *d, const char *section)
{
	static const char *const own[UNIT_KIND_END] = {
		[UNIT_SOCKET] = "Socket",
		[UNIT_SERVICE] = "Service",
	};

	return strcmp(section, "Unit") == 0 || strcmp(section, "Install") == 0 ||
	       strcmp(section, own[d->unit.kind]) == 0 || str_starts(section, "X-");
}

static void
section_refuse(struct loader *l, const struct draft *d, const char *file, const struct token *t)
{
	bool accepted = false;

	for (size_t i = 0; i < l->options->n_unenforced; i++)
		accepted = accepted || strcmp(l->options->unenforced[i], t->key) == 0;
	diag_add(l->diag, accepted ? DIAG_NOTED : DIAG_REFUSED, d->id, file, t->line, t->key, "",
	    "a section that a .%s does not have here", unit_name_type(&d->name));
}

/* One token of a file. */
static void
token_apply(struct loader *l, struct draft *d, struct plan_source at, const struct token *t,
    char section[UNIT_NAME_MAX], bool *known)
{
	const char *file = draft_text(l, at.file);
	struct assign a = {
		.loader = l, .draft = d, .file = file ? file : "?", .at = at, .value = t->value
	};

	switch (t->kind) {
	case TOKEN_SECTION:
		*known = str_copy(section, UNIT_NAME_MAX, t->key) == 0 && section_known(d, section);
		if (!*known)
			section_refuse(l, d, file, t);
		break;
	case TOKEN_ASSIGN:
		if (section[0] == '\0')
			diag_add(l->diag, DIAG_ERROR, d->id, file, t->line, t->key, t->value,
			    "stands before any section");
		else if (*known)
			directive_apply(&a, section, t->key);
		break;
	case TOKEN_BAD:
		diag_add(l->diag, DIAG_ERROR, d->id, file, t->line, NULL, NULL, "%s", t->value);
		break;
	case TOKEN_END:
		break;
	}
}

int
draft_read(struct loader *l, struct draft *d, const char *path, int fd, struct why *why)
{
	_cleanup_buf_ struct buf text = { 0 };
	char section[UNIT_NAME_MAX] = "";
	struct plan_source at = { .file = build_str(&l->build, path) };
	struct tokens tokens;
	struct token t;
	bool known = false;
	int r;

	buf_init_heap(&text, TOKEN_FILE_BYTES_MAX);
	r = text_read(fd, &text);
	if (r < 0)
		return why_set(why, r, "%s", path);
	tokens_init(&tokens, (struct span){ buf_cstr(&text), text.len });
	do {
		tokens_next(&tokens, &t);
		at.line = t.line;
		token_apply(l, d, at, &t, section, &known);
	} while (t.kind != TOKEN_END);
	tokens_done(&tokens);
	return 0;
}

int
draft_error(struct loader *l, const struct draft *d, const char *format, ...)
{
	struct why why;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why.text, sizeof(why.text), format, args); /* a long message is cut */
	va_end(args);
	diag_add(l->diag, DIAG_ERROR, d->id, d->path, 0, NULL, NULL, "%s", why.text);
	return -EINVAL;
}

int
draft_error_at(struct loader *l, const struct draft *d, enum section section, const char *name,
    const char *format, ...)
{
	const struct where at = draft_where(d, section, name);
	char full[128];
	struct why why;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why.text, sizeof(why.text), format, args); /* a long message is cut */
	va_end(args);
	(void)snprintf(
	    full, sizeof(full), "%s.%s", section_name(section), name); /* our own names */
	diag_add(l->diag, DIAG_ERROR, d->id, at.file ? at.file : d->path, at.line, full, NULL, "%s",
	    why.text);
	return -EINVAL;
}
