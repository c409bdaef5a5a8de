/*
 * directive.c - see directive.h.
 */
#include "launcher/load/directive.h"

#include <stdarg.h>

#include "launcher/load/draft.h"

static const char *const section_names[SECTION_END] = {
	[SECTION_UNIT] = "Unit",
	[SECTION_SOCKET] = "Socket",
	[SECTION_SERVICE] = "Service",
	[SECTION_EXEC] = "Service",
	[SECTION_INSTALL] = "Install",
};

const char *
section_name(enum section section)
{
	return section_names[section];
}

static bool
section_takes(const char *section, enum section row)
{
	if (row == SECTION_EXEC)
		return strcmp(section, "Service") == 0 || strcmp(section, "Socket") == 0;
	return strcmp(section, section_names[row]) == 0;
}

const struct directive *
directive_find(const char *section, const char *name)
{
	for (size_t i = 0; i < directive_count; i++) {
		const struct directive *row = &directive_table[i];

		if (row->name[0] == name[0] && strcmp(row->name, name) == 0 &&
		    section_takes(section, row->section))
			return row;
	}
	return NULL;
}

/* Where else the name belongs, for the message about an unknown one. */
static const char *
other_section(const char *name)
{
	for (size_t i = 0; i < directive_count; i++)
		if (strcmp(directive_table[i].name, name) == 0)
			return section_names[directive_table[i].section];
	return NULL;
}

static bool
unenforced_accepted(const struct load_options *o, const char *name)
{
	for (size_t i = 0; i < o->n_unenforced; i++)
		if (strcmp(o->unenforced[i], name) == 0)
			return true;
	return false;
}

/* What one assignment comes to. */
struct verdict {
	enum diag_level level;
	const char *text;
};

static struct verdict
verdict_refused(const struct assign *a, const char *name, const char *text)
{
	if (unenforced_accepted(a->loader->options, name))
		return (struct verdict){ DIAG_NOTED, "not enforced: accepted by --unenforced" };
	return (struct verdict){ DIAG_REFUSED, text };
}

static struct verdict
verdict_unknown(struct assign *a, const char *name)
{
	const char *other = other_section(name);

	if (other)
		(void)why_set(&a->why, 0, "belongs into [%s]", other);
	else
		(void)why_set(&a->why, 0, "is not known here");
	return verdict_refused(a, name, a->why.text);
}

static struct verdict
verdict_parse(struct assign *a)
{
	const struct directive *row = a->row;
	const int r = directive_parser(row)(a, (char *)a->draft + row->offset);

	if (r == 0 && row->class == DIRECTIVE_PENDING)
		return verdict_refused(a, row->name, "not enforced yet");
	if (r == 0)
		return (struct verdict){ DIAG_ENFORCED, "" };
	if (r == PARSE_NOTED)
		return (struct verdict){ DIAG_NOTED, a->why.text };
	if (r == -EOPNOTSUPP)
		return verdict_refused(a, row->name, a->why.text);
	if (row->class != DIRECTIVE_ENFORCED)
		return (struct verdict){ DIAG_ERROR, a->why.text };
	(void)why_prefix(&a->why, 0, "ignored");
	return (struct verdict){ DIAG_WARNING, a->why.text };
}

/* The row is known. */
static struct verdict
verdict_known(struct assign *a)
{
	const struct directive *row = a->row;

	if (row->section == SECTION_EXEC && a->draft->unit.kind == UNIT_SOCKET)
		return (struct verdict){ DIAG_NOTED, "is for commands of the socket's own" };
	if (row->class == DIRECTIVE_NOTED)
		return (struct verdict){ DIAG_NOTED, row->text };
	if (row->class != DIRECTIVE_REFUSED)
		return verdict_parse(a);
	if (a->value[0] == '\0' || (row->parse && directive_parser(row)(a, NULL) == 0)) {
		diag_withdraw(a->loader->diag, a->draft->id, a->full);
		return (struct verdict){ DIAG_NOTED, "asks for nothing that is missing here" };
	}
	return verdict_refused(a, row->name, row->text);
}

void
directive_apply(struct assign *a, const char *section, const char *name)
{
	struct verdict v;
	_cleanup_free_ char *full = NULL;

	if (asprintf(&full, "%s.%s", section, name) < 0) {
		a->loader->diag->lost = true;
		full = NULL;
		return;
	}
	a->full = full;
	a->row = directive_find(section, name);
	if (str_starts(section, "X-") ||
	    (str_starts(name, "X-") && !str_starts(name, "X-Sallyport-")))
		v = (struct verdict){ DIAG_NOTED, "is for other programs" };
	else if (!a->row)
		v = verdict_unknown(a, name);
	else
		v = verdict_known(a);
	if (a->row && v.level == DIAG_ENFORCED)
		a->draft->set[directive_index(a->row)] = (struct where){ a->file, a->at.line };
	diag_add(a->loader->diag, v.level, a->draft->id, a->file, a->at.line, full, a->value, "%s",
	    v.text);
}

void
assign_warn(struct assign *a, const char *format, ...)
{
	struct why why;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why.text, sizeof(why.text), format, args); /* a long message is cut */
	va_end(args);
	diag_add(a->loader->diag, DIAG_WARNING, a->draft->id, a->file, a->at.line, a->full,
	    a->value, "%s", why.text);
}
