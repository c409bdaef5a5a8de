/*
 * control_wire.c - see control.h: the checks both ends make.
 * Runs as: manager, and whoever calls an operator's verb.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "launcher/manager/control.h"

static const struct {
	const char *name;
	bool changes;
	bool all_units; /* an empty name means all of them */
	uint32_t flags; /* that may be set */
} control_rows[] = {
	[CONTROL_SHOW] = { "show", false, true, 0 },
	[CONTROL_START] = { "start", true, false, CONTROL_NO_BLOCK },
	[CONTROL_STOP] = { "stop", true, false, CONTROL_NO_BLOCK },
	[CONTROL_RESTART] = { "restart", true, false, CONTROL_NO_BLOCK },
	[CONTROL_RELOAD] = { "reload", true, false, CONTROL_NO_BLOCK },
	[CONTROL_KILL] = { "kill", true, false, 0 },
	[CONTROL_RESET_FAILED] = { "reset-failed", true, true, 0 },
};

static_assert(ELEMENTSOF(control_rows) == CONTROL_VERB_END, "one row per verb");
static_assert(sizeof(struct control_request) == 20 + CONTROL_UNIT_MAX, "no padding on the wire");
static_assert(sizeof(struct control_reply_head) == 16, "no padding on the wire");

/* What systemd.unit(5) allows in a name; then zeros to the end. */
static bool
unit_name_ok(const char *name)
{
	size_t n = 0;

	while (n < CONTROL_UNIT_MAX && name[n] != '\0') {
		const char c = name[n];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			strchr(":-_.\\@", c)))
			return false;
		n++;
	}
	if (n == CONTROL_UNIT_MAX)
		return false;
	for (; n < CONTROL_UNIT_MAX; n++)
		if (name[n] != '\0')
			return false;
	return true;
}

int
control_check(const void *bytes, size_t len, struct control_request *ret, struct why *why)
{
	struct control_request q;
	bool is_kill;

	if (len != sizeof(q))
		return why_set(why, -EPROTO, "request of %zu bytes, not %zu", len, sizeof(q));
	memcpy(&q, bytes, sizeof(q));
	if (q.version != CONTROL_VERSION)
		return why_set(
		    why, -EPROTO, "request of version %u, not %u", q.version, CONTROL_VERSION);
	if (q.verb >= CONTROL_VERB_END)
		return why_set(why, -EPROTO, "unknown verb %u", q.verb);
	is_kill = q.verb == CONTROL_KILL;
	if (q.flags & ~control_rows[q.verb].flags)
		return why_set(why, -EPROTO, "%s: flags %#x", control_rows[q.verb].name, q.flags);
	if (is_kill ? q.signo < 1 || q.signo > SIGRTMAX : q.signo != 0)
		return why_set(why, -EPROTO, "%s: signal %d", control_rows[q.verb].name, q.signo);
	if (is_kill ? q.whom >= CONTROL_WHOM_END : q.whom != 0)
		return why_set(why, -EPROTO, "%s: whom %u", control_rows[q.verb].name, q.whom);
	if (!unit_name_ok(q.unit) || (q.unit[0] == '\0' && !control_rows[q.verb].all_units))
		return why_set(why, -EPROTO, "%s: not a unit name", control_rows[q.verb].name);
	*ret = q;
	return 0;
}

int
control_check_reply(const void *bytes, size_t len, struct control_reply_head *ret,
    const char **ret_text, struct why *why)
{
	struct control_reply_head h;

	if (len < sizeof(h) || len > CONTROL_PACKET_MAX)
		return why_set(why, -EPROTO, "reply of %zu bytes", len);
	memcpy(&h, bytes, sizeof(h));
	if (h.version != CONTROL_VERSION)
		return why_set(
		    why, -EPROTO, "reply of version %u, not %u", h.version, CONTROL_VERSION);
	if (h.kind >= CONTROL_REPLY_KIND_END || h.n != len - sizeof(h) || h.error < 0 ||
	    (h.kind == CONTROL_REPLY_UNIT && h.error != 0))
		return why_set(why, -EPROTO, "malformed reply");
	*ret = h;
	*ret_text = (const char *)bytes + sizeof(h);
	return 0;
}

bool
control_changes(uint32_t verb)
{
	return verb < CONTROL_VERB_END && control_rows[verb].changes;
}

const char *
control_verb_name(uint32_t verb)
{
	return verb < CONTROL_VERB_END ? control_rows[verb].name : "?";
}
