/*
 * serve.h - the life of one worker process: from a configuration to an exit code.
 * Runs as: worker, no rights; confines itself before it serves.
 * Logs:    what keeps it from serving.
 * Tests:   tests/http
 */
#pragma once

#include "worker/config/load.h"
#include "worker/listener.h"
#include "worker/options.h"
#include "worker/shared.h"
#include "worker/tls/context.h"

struct serve_context {
	const struct config *config;
	const struct options *options;
	const struct listeners *listeners;
	struct shared *shared;
	struct tickets *tickets; /* NULL without TLS */
	unsigned index; /* of this worker's counters */
	int ready_fd; /* one byte is written when it serves, then it is closed */
};

/* Return: the exit code. */
int serve(const struct serve_context *c);

/* Can every socket be served by this configuration? Return: 0 or -EOPNOTSUPP with why. */
_must_check_ int serve_check(const struct config *c, const struct listeners *l, struct why *why);
