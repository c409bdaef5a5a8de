/*
 * listener.h - what is done to one listener, beside polling it: FlushPending=, and the end of a
 *              socket that is stopped.
 * Runs as: manager. Only here is something of a listener read, and thrown away.
 * Source:  systemd.socket(5), FlushPending=; tcp(7), shutdown(2), listen(2).
 * Tests:   tests/lifecycle/test_accept.py, tests/lifecycle/test_stopped.py, tests/systemd/
 *
 * A listener cannot be closed: the monitor has it, too, and whoever shall get it later. But a TCP
 * socket stops listening by shutdown(2), stays bound, and listens again by listen(2). Nothing of
 * the kind brings a unix socket back.
 */
#pragma once

#include "launcher/manager/state.h"

/* What waits at it is thrown away; a bounded amount, so that a flood does not hold us up. */
void listener_flush(const struct listener *l);

/* Can it be shut and opened again? */
bool listener_can_shut(const struct listener *l, const struct plan_socket *s);

/* From now on connections are refused, those that waited are reset. */
void listener_shut(const struct listener *l);

/* They come in again. Return: 0; -EADDRINUSE when somebody else has taken the address; -errno. */
_must_check_ int listener_reopen(const struct listener *l, const struct plan_socket *s);
