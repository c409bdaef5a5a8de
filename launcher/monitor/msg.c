/*
 * msg.c - see msg.h.
 * Runs as: root (monitor) and user `sallyport` (manager): each checks what the other sent.
 */
#include "launcher/monitor/msg.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

/* The fields of struct msg that not every type uses; in a row's mask: may be non-zero. */
enum msg_field {
	F_SEQ = 1 << 0,
	F_UNIT = 1 << 1,
	F_SLOT = 1 << 2,
	F_COMMAND = 1 << 3,
	F_INSTANCE = 1 << 4,
	F_PID = 1 << 5,
	F_ERROR = 1 << 6,
	F_STEP = 1 << 7,
	F_SIGNO = 1 << 8,
	F_SCOPE = 1 << 9,
	F_CODE = 1 << 10,
	F_STATUS = 1 << 11,
	F_FLAGS = 1 << 12,
	F_STARTED = 1 << 13,
	F_WATCHDOG = 1 << 14,
	F_NUMBER = 1 << 15,
};

static const struct msg_row {
	enum msg_type type;
	const char *name;
	unsigned states; /* enum msg_state: the end that may read it, and when */
	unsigned fields; /* enum msg_field */
	uint32_t flags; /* bits that may be set in `flags` */
	uint32_t flag_fd; /* the bit of them that goes with one descriptor; otherwise none comes */
} msg_rows[] = {
	{ MSG_HELLO, "hello", MSG_STATE_NEW, 0, 0, 0 },
	{ MSG_START, "start", MSG_STATE_UP,
	    F_SEQ | F_UNIT | F_SLOT | F_COMMAND | F_PID | F_FLAGS | F_WATCHDOG | F_NUMBER,
	    MSG_START_CONNECTION, MSG_START_CONNECTION },
	{ MSG_SIGNAL, "signal", MSG_STATE_UP, F_INSTANCE | F_SIGNO | F_SCOPE, 0, 0 },
	{ MSG_INSTANCE, "instance", MSG_STATE_LEARNING,
	    F_SEQ | F_UNIT | F_SLOT | F_COMMAND | F_INSTANCE | F_PID | F_FLAGS | F_STARTED,
	    MSG_INSTANCE_EXECUTED, 0 },
	{ MSG_SETTLED, "settled", MSG_STATE_LEARNING, 0, 0, 0 },
	{ MSG_STARTED, "started", MSG_STATE_SETTLED,
	    F_SEQ | F_UNIT | F_INSTANCE | F_PID | F_ERROR | F_STEP | F_STARTED, 0, 0 },
	{ MSG_EXITED, "exited", MSG_STATE_SETTLED, F_UNIT | F_INSTANCE | F_PID | F_CODE | F_STATUS,
	    0, 0 },
	{ MSG_SHUTDOWN, "shutdown", MSG_STATE_SETTLED, 0, 0, 0 },
};

/* A field that is added to the wire and not to the checks below would go unchecked. */
static_assert(sizeof(struct msg) == 88, "no padding on the wire, no field without a check");

static const struct msg_row *
row_of(uint32_t type)
{
	for (size_t i = 0; i < ELEMENTSOF(msg_rows); i++)
		if (msg_rows[i].type == type)
			return &msg_rows[i];
	return NULL;
}

/* Which fields hold something. */
static unsigned
fields_set(const struct msg *m)
{
	return (m->seq ? F_SEQ : 0u) | (m->unit ? F_UNIT : 0u) | (m->slot ? F_SLOT : 0u) |
	       (m->command ? F_COMMAND : 0u) |
	       (m->instance.slot || m->instance.generation ? F_INSTANCE : 0u) |
	       (m->pid ? F_PID : 0u) | (m->error ? F_ERROR : 0u) | (m->step ? F_STEP : 0u) |
	       (m->signo ? F_SIGNO : 0u) | (m->scope ? F_SCOPE : 0u) | (m->code ? F_CODE : 0u) |
	       (m->status ? F_STATUS : 0u) | (m->flags ? F_FLAGS : 0u) |
	       (m->started_usec ? F_STARTED : 0u) | (m->watchdog_usec ? F_WATCHDOG : 0u) |
	       (m->number ? F_NUMBER : 0u);
}

/* What no message of the type may hold, whatever the plan says. NULL when all is well. */
static const char *
value_wrong(const struct msg *m)
{
	if (m->pid < 0)
		return "pid";
	switch ((enum msg_type)m->type) {
	case MSG_SIGNAL:
		if (m->instance.generation == 0)
			return "instance";
		if (m->signo < 1 || m->signo > SIGRTMAX)
			return "signo";
		return m->scope > MSG_SIGNAL_GROUP ? "scope" : NULL;
	case MSG_INSTANCE:
		return m->instance.generation == 0 || m->pid == 0 ? "instance" : NULL;
	case MSG_STARTED:
		if (m->error < 0)
			return "error";
		/* A fork that failed has neither; everything else has both. */
		if ((m->instance.generation == 0) != (m->pid == 0))
			return "instance";
		return m->pid == 0 && m->error == 0 ? "pid" : NULL;
	case MSG_EXITED:
		if (m->instance.generation == 0 || m->pid == 0)
			return "instance";
		if (m->code != CLD_EXITED && m->code != CLD_KILLED && m->code != CLD_DUMPED)
			return "code";
		return m->status < 0 || m->status > 255 ? "status" : NULL;
	case MSG_HELLO:
	case MSG_START:
	case MSG_SETTLED:
	case MSG_SHUTDOWN:
		break;
	}
	return NULL;
}

int
msg_check(const void *bytes, size_t len, size_t n_fds, enum msg_state state, struct msg *ret,
    struct why *why)
{
	const struct msg_row *row;
	const char *wrong;
	struct msg m;

	if (len != sizeof(m))
		return why_set(why, -EPROTO, "message of %zu bytes, not %zu", len, sizeof(m));
	memcpy(&m, bytes, sizeof(m));
	if (m.version != MSG_VERSION)
		return why_set(
		    why, -EPROTO, "message of version %u, not %u", m.version, MSG_VERSION);
	row = row_of(m.type);
	if (!row)
		return why_set(why, -EPROTO, "message of unknown type %u", m.type);
	if (!(row->states & (unsigned)state))
		return why_set(why, -EPROTO, "message %s may not come now", row->name);
	if (fields_set(&m) & ~row->fields)
		return why_set(why, -EPROTO, "message %s: field %#x must be zero", row->name,
		    fields_set(&m) & ~row->fields);
	if (m.flags & ~row->flags)
		return why_set(why, -EPROTO, "message %s: flags %#x", row->name, m.flags);
	if (n_fds != (m.flags & row->flag_fd ? 1 : 0))
		return why_set(why, -EPROTO, "message %s: %zu descriptors", row->name, n_fds);
	wrong = value_wrong(&m);
	if (wrong)
		return why_set(why, -EPROTO, "message %s: bad %s", row->name, wrong);
	*ret = m;
	return 0;
}

struct msg
msg_make(enum msg_type type)
{
	return (struct msg){ .version = MSG_VERSION, .type = type };
}

const char *
msg_name(uint32_t type)
{
	const struct msg_row *row = row_of(type);

	return row ? row->name : "?";
}
