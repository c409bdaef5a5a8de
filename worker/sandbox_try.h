/*
 * sandbox_try.h - for the test build: try what the sandbox must forbid, and say what came of it.
 * Runs as: worker, no rights, confined.
 * Logs:    one line per attempt: "try NAME: refused" or "try NAME: DONE".
 * Tests:   tests/http/test_http_sandbox.py
 */
#pragma once

/* All attempts, one after the other; the process goes on, whatever came of them. */
void sandbox_try(void);
