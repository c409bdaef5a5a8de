/*
 * log.h - one line an event, to standard error. Only files that say so in their header log.
 * Runs as: every process of ours, root included.
 * Owns:    nothing; writes to descriptor 2, a whole line per write(2), and never waits: a line that
 *          its reader has no room for is lost.
 * Tests:   tests/unit/test_log.c
 */
#pragma once

#include <stdbool.h>

#include "common/cleanup.h"

/* syslog(3)'s severities, by number; sd-daemon(3)'s "<N>" prefixes are the same numbers. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_format {
	LOG_FORMAT_TEXT, /* "sallyport[manager]: web.service: started, pid 12" */
	LOG_FORMAT_JSON, /* {"time":"...Z","level":"info","program":...,"unit":...,"message":...} */
};

/*
 * log_setup - once, before the first line.
 * @program: shown in front of each line; must outlive the process
 * @level:   lines above it are dropped
 */
void log_setup(const char *program, enum log_format format, enum log_level level);

/*
 * log_unit - one event.
 * @unit: what it is about (a unit, a listener), or NULL
 * Control bytes in the message are escaped, so that a line is always one line.
 */
void log_unit(enum log_level level, const char *unit, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_unit(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_unit(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_unit(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_unit(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_unit(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
