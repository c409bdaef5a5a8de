/*
 * exec_plan.h - the options of `sallyport exec` as a plan: one socket unit, one service unit.
 * Runs as: the loader, which may read and nothing else (start/isolate.h).
 * Logs:    what is wrong with the options.
 * Tests:   tests/activation/
 */
#pragma once

#include "launcher/unit/plan.h"

#define EXEC_LIST_MAX 256

/* As parsed; texts belong to the command line. */
struct exec_options {
	enum listen_kind kind;
	const char *listens[EXEC_LIST_MAX];
	const char *variables[EXEC_LIST_MAX]; /* -E: "VAR=VALUE", or "VAR" to pass it on */
	size_t n_listens, n_variables, n_fd_names;
	const char *user; /* USER[:GROUP], or NULL */
	const char *fd_names[EXEC_LIST_MAX]; /* --fdname, split at ':' */
	bool accept, inetd, allow_root;
	char *const *command; /* NULL-terminated */
};

/*
 * exec_plan_write - a plan_writer (start/isolate.h).
 * @context: struct exec_options
 * Return: 0, or EX_USAGE, EX_NOUSER, EX_NOPERM, EX_OSERR; then it was said why.
 */
int exec_plan_write(void *context, int fd, const char *user);

/* The plan's two units, in the order it has them. */
enum exec_unit { EXEC_SOCKET, EXEC_SERVICE };
