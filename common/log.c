/*
 * log.c - see log.h.
 */
#include "common/log.h"

#include <poll.h>
#include <stdarg.h>
#include <time.h>

#include "common/buf.h"
#include "common/quote.h"

#define LOG_LINE_MAX 4096 /* PIPE_BUF: lines of two processes do not mix in a pipe */
#define LOG_MESSAGE_SHORT 256 /* fits even if every byte of it is escaped */

static struct {
	const char *program;
	enum log_format format;
	enum log_level level;
} log_state = { "sallyport", LOG_FORMAT_TEXT, LOG_LEVEL_INFO };

void
log_setup(const char *program, enum log_format format, enum log_level level)
{
	log_state.program = program;
	log_state.format = format;
	log_state.level = level;
	if (format == LOG_FORMAT_JSON)
		tzset(); /* else gmtime_r(3) would, later, and open a file where none may be */
}

/* By severity; enum log_level has holes. */
static const char *const level_names[] = { "error", "error", "error", "error", "warning", "notice",
	"info", "debug" };

static void
line_json(struct buf *line, enum log_level level, const char *unit, const char *message)
{
	struct timespec ts = { 0 };
	struct tm tm = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail for this clock */
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)buf_printf(line,
	    "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\",\"level\":\"%s\"",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    ts.tv_nsec / 1000, level_names[level]); /* RFC 3339 */
	(void)buf_puts(line, ",\"program\":");
	json_quote(line, span_of(log_state.program));
	if (unit) {
		(void)buf_puts(line, ",\"unit\":");
		json_quote(line, span_of(unit));
	}
	(void)buf_puts(line, ",\"message\":");
	json_quote(line, span_of(message));
	(void)buf_putc(line, '}');
}

static void
line_text(struct buf *line, enum log_level level, const char *unit, const char *message)
{
	(void)buf_printf(line, "%s: ", log_state.program);
	if (level <= LOG_LEVEL_WARNING)
		(void)buf_printf(line, "%s: ", level_names[level]);
	if (unit)
		(void)buf_printf(line, "%s: ", unit);
	for (const char *p = message; *p; p++) {
		const unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			(void)buf_printf(line, "\\x%02x", c);
		else
			(void)buf_putc(line, *p);
	}
}

static void
line_put(struct buf *line, enum log_level level, const char *unit, const char *message)
{
	if (log_state.format == LOG_FORMAT_JSON)
		line_json(line, level, unit, message);
	else
		line_text(line, level, unit, message);
}

/* A reader that has stopped stops nobody: a pipe takes a whole line (PIPE_BUF), or it is lost. */
static void
log_write(const char *line, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) > 0)
		(void)!write(STDERR_FILENO, line, len); /* nowhere to report it to */
}

void
log_unit(enum log_level level, const char *unit, const char *format, ...)
{
	const int saved = errno;
	char message[LOG_LINE_MAX / 2], storage[LOG_LINE_MAX];
	struct buf line;
	va_list args;

	if (level > log_state.level)
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args); /* a long message is cut */
	va_end(args);
	buf_init(&line, storage, sizeof(storage) - 1); /* the last byte is kept for the newline */
	line_put(&line, level, unit, message);
	if (line.failed) { /* escapes made it too long: half a JSON object is none */
		buf_reset(&line);
		message[LOG_MESSAGE_SHORT] = '\0';
		line_put(&line, level, unit, message);
	}
	storage[line.len] = '\n';
	log_write(storage, line.len + 1);
	errno = saved;
}
