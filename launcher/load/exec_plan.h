/*
 * exec_plan.h - the options of `sallyport exec` as a plan: one socket unit, one service unit.
 * Runs as: the loader, which may read and nothing else (start/isolate.h).
 * Logs:    what is wrong with the options.
 * Tests:   tests/activation/
 */
#pragma once

#include <getopt.h>

#include "launcher/unit/plan.h"

/* For getopt_long(3). --help and --allow-root-services are acted upon by who calls the reader. */
#define EXEC_LETTERS "+l:u:daE:h"
#define EXEC_ALLOW_ROOT 256
extern const struct option exec_long_options[];

/*
 * exec_plan_write - a plan_writer (start/isolate.h).
 * @context: argv, NULL-terminated
 * Return: 0, or EX_USAGE, EX_NOUSER, EX_NOPERM, EX_OSERR; then it was said why.
 */
int exec_plan_write(void *context, int fd, const char *user);

/* The plan's two units, in the order it has them. */
enum exec_unit { EXEC_SOCKET, EXEC_SERVICE };
