/*
 * options.h - the command line of sallyport-keyd (docs/man/sallyport-keyd.8).
 * Runs as: sallyport-keyd.
 * Tests:   tests/tls/test_keyd.py
 */
#pragma once

#include "signer/keys.h"

struct keyd_options {
	struct key_sources sources;
	uint64_t rate_per_sec, rate_burst; /* 0: no limit */
	uint64_t retire_usec; /* how long a replaced key still signs */
	bool check; /* read the keys, print them, leave */
	bool json; /* log lines as JSON */
	bool debug;
};

enum options_outcome {
	OPTIONS_RUN = 0,
	OPTIONS_EXIT = 1, /* --help or --version was printed */
};

/* Return: enum options_outcome, or -EINVAL with the reason. The strings of argv are borrowed. */
_must_check_ int keyd_options_parse(
    int argc, char **argv, struct keyd_options *ret, struct why *why);
