/*
 * arguments.h - the environment and the argument vector of an image, put together in the child.
 * Runs as: the unit's user, between fork and exec; async-signal-safe, static memory.
 * Source:  systemd.exec(5) "Environment variables in spawned processes", systemd.service(5)
 *          "Command lines", sd_listen_fds(3).
 * Tests:   tests/unit/test_arguments.c, tests/activation/
 */
#pragma once

#include "launcher/enter/enter.h"

#define ARGUMENTS_ENV_MAX 1024
#define ARGUMENTS_ARGV_MAX 4096
#define ARGUMENTS_TEXT_BYTES (256 * 1024)

struct arguments {
	char *argv[ARGUMENTS_ARGV_MAX + 1];
	char *envp[ARGUMENTS_ENV_MAX + 1];
	uint32_t n_argv, n_env;
	uint32_t used; /* of text */
	uint32_t n_from_files; /* the first of envp came from files */
	char text[ARGUMENTS_TEXT_BYTES];
};

/* The environment, then argv of e->command. -E2BIG when it does not fit. */
_must_check_ int arguments_fill(struct arguments *a, const struct enter *e);

/* "NAME=value" into the environment, in place of an older NAME. */
_must_check_ int arguments_setenv(struct arguments *a, struct span name, struct span value);

/* The value of a variable, or NULL. */
const char *arguments_getenv(const struct arguments *a, struct span name);

/* True if an entry of envp is NAME=. */
bool arguments_is(const char *entry, struct span name);

/*
 * A string that is put together in the text area: note a->used, arguments_put() any number of
 * times, then arguments_end() with what was noted. arguments_place() makes a whole "NAME=value" an
 * entry, in place of an older NAME. All: 0 or -E2BIG.
 */
_must_check_ int arguments_put(struct arguments *a, struct span s);
_must_check_ int arguments_end(struct arguments *a, uint32_t start, char **ret);
_must_check_ int arguments_place(struct arguments *a, struct span name, char *entry);

/*
 * arguments_add - one word of a command line, expanded.
 * A word that is `$NAME` alone becomes as many words as its value has; `${NAME}` inside a word is
 * replaced as it is; `$$` is a dollar sign. An unset variable is empty.
 */
_must_check_ int arguments_add(struct arguments *a, struct span word, bool expand);
