/*
 * supervise.h - the first process: holds no request, keeps the workers alive, passes signals on.
 * Runs as: worker, no rights, before it has seen a foreign byte and without ever seeing one.
 * Owns:    the configuration, the workers (by pidfd), the shared counters.
 * Logs:    their life and death.
 * Tests:   tests/http/test_http_workers.py
 *
 * SIGTERM, SIGINT  all workers drain; exit when they are gone
 * SIGHUP           passed on, for the certificates; the configuration is read again, workers of the
 *                  new one start, and when all of them serve, those of the old one drain. A bad
 *                  file changes nothing.
 * SIGUSR1          passed on: workers open their log files again
 */
#pragma once

#include "worker/serve.h"

/* Takes config. Return: the exit code. */
int supervise(const struct options *o, const struct listeners *l, struct config *config);

/* The configuration that the options name. Return: 0 or -errno with why. */
_must_check_ int supervise_load(const struct options *o, struct config *ret, struct why *why);
