/*
 * env_file.h - EnvironmentFile=: assignments read from a file, anew before each command.
 * Runs as: a child between fork and exec, with the launcher's rights: such files hold secrets that
 *          only root may read. No allocation.
 * Trusts:  nothing in the file: what is no assignment is skipped.
 * Source:  systemd.exec(5), "EnvironmentFile=".
 * Tests:   tests/unit/test_env_file.c, tests/fuzz/fuzz_env_file.c, tests/systemd/
 */
#pragma once

#include <stddef.h>

#include <stdbool.h>

#include "common/buf.h"

/* Gets each assignment; returns 0 to go on. */
typedef int env_file_fn(void *context, struct span name, struct span value);

/*
 * env_file_parse - text into assignments.
 * Lines `NAME=value`; `#` and `;` comments; a backslash at the end joins lines; quotes as in a
 * shell, without any expansion; blanks around an unquoted value are cut.
 * @text: changed in place: values are built in it
 * Return: 0, or what the function returned.
 */
int env_file_parse(char *text, size_t len, env_file_fn *each, void *context);
