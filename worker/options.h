/*
 * options.h - the command line. One table makes the parser and --help, and the manual page is
 * checked against it (tests/http/test_http_start.py).
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_start.py
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/why.h"

#define OPTION_LIST_MAX 256

/* The values of an option that may be given more than once, in order. */
struct option_list {
	size_t n;
	const char *item[OPTION_LIST_MAX];
};

struct options {
	const char *root;
	const char *config;
	const char *workers; /* NULL: what the configuration says */
	struct option_list certs;
	const char *keyd, *tls_min, *tls_groups, *client_ca, *client_auth; /* NULL: the default */
	bool check, help, version;
};

/* Return: 0; -EINVAL with why. Pointers are into argv. */
_must_check_ int options_parse(int argc, char **argv, struct options *ret, struct why *why);

/* The text of --help, to standard output. */
void options_help(void);
