/*
 * client.h - the asking end of the control socket (launcher/manager/control.h).
 * Runs as: whoever calls an operator's verb.
 * Trusts:  nothing that is not a well-formed reply.
 * Tests:   tests/lifecycle/test_verbs.py
 */
#pragma once

#include <sys/socket.h>

#include "common/buf.h"
#include "common/why.h"
#include "launcher/manager/control.h"

#define CTL_RUNTIME_DIR "/run/sallyport"

/*
 * ctl_connect - to the manager of the launcher in runtime_dir.
 * @ret_monitor: who listens there: the monitor's process and user; may be NULL
 * Return: a descriptor, or -errno (why names the path).
 */
_must_check_ int ctl_connect(const char *runtime_dir, struct ucred *ret_monitor, struct why *why);

/* A request of a verb about a unit; "web" becomes "web.service", as systemctl does. */
_must_check_ int ctl_request(
    enum control_verb verb, const char *unit, struct control_request *ret, struct why *why);

/*
 * ctl_ask - send, and read answers until the last.
 * @each: called with the text of each unit; may be NULL
 * Return: 0; the manager's errno, positive, with its words in why; or -errno.
 */
_must_check_ int ctl_ask(int sock, const struct control_request *q,
    void (*each)(void *arg, struct span text), void *arg, struct why *why);

/* Connects, asks, and hangs up. When the manager died before it answered, its successor is asked
 * the same if that cannot do harm. */
_must_check_ int ctl_ask_once(const char *runtime_dir, const struct control_request *q,
    void (*each)(void *arg, struct span text), void *arg, struct why *why);

/* The value of `key=` in a unit's text; false when it is not there. The first counts. */
bool ctl_value(struct span text, const char *key, struct span *ret);

/* The same as a C string in dst, "" when it is not there or does not fit. Return: dst. */
const char *ctl_text(struct span text, const char *key, char *dst, size_t size);

/* The same as a number, 0 when it is none. */
uint64_t ctl_number(struct span text, const char *key);

/* Line by line: false at the end. `text` is cut from the front. */
bool ctl_next(struct span *text, struct span *ret_key, struct span *ret_value);
