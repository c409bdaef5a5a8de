/*
 * diag.c - see diag.h.
 */
#include "launcher/load/diag.h"

#include <string.h>

#include "common/buf.h"

static const char *const level_names[DIAG_LEVEL_END] = {
	[DIAG_ENFORCED] = "enforced",
	[DIAG_NOTED] = "noted",
	[DIAG_DEFAULT] = "default",
	[DIAG_WARNING] = "warning",
	[DIAG_REFUSED] = "refused",
	[DIAG_ERROR] = "error",
};

void
diag_init(struct diag *d)
{
	*d = (struct diag){ 0 };
}

void
diag_done(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct diag_item *item = &d->items[i];

		free(item->unit);
		free(item->file);
		free(item->directive);
		free(item->value);
		free(item->text);
	}
	free(d->items);
	*d = (struct diag){ 0 };
}

/* A copy; NULL stays NULL. */
static char *
diag_copy(struct diag *d, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		d->lost = true;
	return copy;
}

/* Room for one more. */
static bool
diag_grow(struct diag *d)
{
	const size_t cap = d->cap ? 2 * d->cap : 64;
	struct diag_item *items;

	if (d->n < d->cap)
		return true;
	items = reallocarray(d->items, cap, sizeof(*items));
	if (!items) {
		d->lost = true;
		return false;
	}
	d->items = items;
	d->cap = cap;
	return true;
}

void
diag_add(struct diag *d, enum diag_level level, const char *unit, const char *file, uint32_t line,
    const char *directive, const char *value, const char *format, ...)
{
	_cleanup_buf_ struct buf text = { 0 };
	va_list args;

	buf_init_heap(&text, 4096);
	va_start(args, format);
	(void)buf_vprintf(&text, format, args);
	va_end(args);
	if (level >= DIAG_REFUSED)
		d->fatal++;
	if (!diag_grow(d))
		return;
	d->items[d->n++] = (struct diag_item){
		.level = level,
		.unit = diag_copy(d, unit),
		.file = diag_copy(d, file),
		.line = line,
		.directive = diag_copy(d, directive),
		.value = diag_copy(d, value),
		.text = diag_copy(d, text.failed ? "(a text too long to show)" : buf_cstr(&text)),
	};
}

void
diag_withdraw(struct diag *d, const char *unit, const char *directive)
{
	for (size_t i = 0; i < d->n; i++) {
		struct diag_item *item = &d->items[i];

		if (item->level != DIAG_REFUSED || !item->unit || !item->directive ||
		    strcmp(item->unit, unit) != 0 || strcmp(item->directive, directive) != 0)
			continue;
		item->level = DIAG_NOTED;
		if (str_copy(item->text, strlen(item->text) + 1, "taken back") < 0)
			item->text[0] = '\0'; /* it had fewer words than that */
		d->fatal--;
	}
}

bool
diag_forgive(struct diag *d, const char *unit)
{
	const size_t before = d->fatal;

	for (size_t i = 0; i < d->n; i++) {
		struct diag_item *item = &d->items[i];

		if (item->level < DIAG_REFUSED || !item->unit || strcmp(item->unit, unit) != 0)
			continue;
		item->level = DIAG_WARNING;
		d->fatal--;
	}
	return d->fatal < before;
}

const char *
diag_level_name(enum diag_level level)
{
	return level < DIAG_LEVEL_END ? level_names[level] : "?";
}
