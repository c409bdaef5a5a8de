/*
 * why.c - see why.h.
 */
#include "common/why.h"

#include <stdarg.h>
#include <string.h>

#include "common/buf.h"

/* A reason that does not fit is cut, never lost. */
static void
why_finish(struct why *why, int n)
{
	if (n >= (int)sizeof(why->text))
		memcpy(why->text + sizeof(why->text) - 4, "...", 4);
}

int
why_set(struct why *why, int error, const char *format, ...)
{
	char reason[sizeof(why->text)];
	va_list args;
	int n;

	if (!why)
		return error;
	va_start(args, format);
	n = vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (n >= 0 && error < 0)
		n = snprintf(why->text, sizeof(why->text), "%s: %s", reason, strerror(-error));
	else if (n >= 0)
		n = snprintf(why->text, sizeof(why->text), "%s", reason);
	why_finish(why, n);
	return error;
}

int
why_prefix(struct why *why, int error, const char *format, ...)
{
	char old[sizeof(why->text)];
	char prefix[sizeof(why->text)];
	va_list args;

	if (!why)
		return error;
	memcpy(old, why->text, sizeof(old));
	va_start(args, format);
	(void)vsnprintf(prefix, sizeof(prefix), format, args); /* a cut prefix is still a prefix */
	va_end(args);
	why_finish(why, snprintf(why->text, sizeof(why->text), "%s: %s", prefix, old));
	return error;
}
