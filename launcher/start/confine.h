/*
 * confine.h - what the monitor gives up once its sockets are open.
 * Runs as: root, once, before the first manager starts; never undone.
 * Tests:   tests/privilege/
 */
#pragma once

#include "launcher/monitor/monitor.h"

/*
 * confine_monitor - capabilities and bounding set cut, securebits locked, no_new_privs where no
 * unit forbids it, a system-call deny list, not dumpable, subreaper. Return: 0 or -errno: then the
 * launcher must not start.
 */
_must_check_ int confine_monitor(struct monitor *m, struct why *why);

/* denied.c */
struct denied_call {
	int nr;
	const char *reason;
};
extern const struct denied_call denied_calls[];
extern const size_t denied_calls_count;
