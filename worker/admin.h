/*
 * admin.h - what the sockets named "admin" answer: metrics and health.
 * Runs as: worker, no rights.
 * Trusts:  whoever may connect to that socket to see the figures; nothing can be changed there.
 * Tests:   tests/http/test_http_admin.py
 *
 *   /metrics   Prometheus text (version 0.0.4)
 *   /status    the same as JSON
 *   /healthz   200 while the process serves
 *   /readyz    200 when all workers serve and none was told to stop; else 503
 */
#pragma once

#include "worker/shared.h"

/* Fills a: any other path is 404, any method but GET and HEAD 405. */
void admin_answer(const struct shared *s, const struct request *r, struct answer *a);
