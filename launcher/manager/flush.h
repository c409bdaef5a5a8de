/*
 * flush.h - FlushPending=: what waits at a socket is thrown away before it listens again.
 * Runs as: manager. Only for units that ask for it; otherwise no byte of a socket is read.
 * Source:  systemd.socket(5), FlushPending=.
 * Tests:   tests/lifecycle/test_accept.py
 */
#pragma once

#include "launcher/manager/state.h"

/* A bounded amount: whoever fills it faster than that finds it listening all the same. */
void flush_listener(const struct listener *l);
