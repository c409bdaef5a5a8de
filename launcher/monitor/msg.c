/*
 * msg.c - see msg.h.
 * Runs as: root (monitor) and user `sallyport` (manager): each checks what the other sent.
 */
#include "launcher/monitor/msg.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "launcher/enter/enter.h"

/* The 32-bit words of a field, one bit each; in a row's mask: may be non-zero. */
#define F(field) \
	(((UINT32_C(1) << sizeof(((struct msg *)NULL)->field) / 4) - 1) \
	    << offsetof(struct msg, field) / 4)
#define MSG_WORDS (sizeof(struct msg) / 4)
static_assert(MSG_WORDS == 22, "docs/PROTOCOLS.md says 88 bytes; 32 words at most");

static const struct msg_row {
	enum msg_type type;
	const char *name;
	unsigned states; /* enum msg_state: the end that may read it, and when */
	uint32_t fields; /* of F() */
	uint32_t flags; /* bits that may be set in `flags` */
	uint32_t flag_fd; /* the bits of them that go with one descriptor; otherwise none comes */
} msg_rows[] = {
	{ MSG_HELLO, "hello", MSG_STATE_NEW, 0, 0, 0 },
	{ MSG_START, "start", MSG_STATE_UP,
	    F(seq) | F(unit) | F(slot) | F(command) | F(pid) | F(result) | F(code) | F(status) |
		F(flags) | F(number) | F(watchdog_usec),
	    MSG_START_CONNECTION | MSG_START_SPAWNED, MSG_START_CONNECTION | MSG_START_SPAWNED },
	{ MSG_SIGNAL, "signal", MSG_STATE_UP, F(instance) | F(signo) | F(flags), MSG_SIGNAL_GROUP,
	    0 },
	{ MSG_INSTANCE, "instance", MSG_STATE_LEARNING,
	    F(seq) | F(unit) | F(slot) | F(command) | F(instance) | F(pid) | F(flags) |
		F(started_usec),
	    MSG_INSTANCE_EXECUTED, 0 },
	{ MSG_SETTLED, "settled", MSG_STATE_LEARNING, 0, 0, 0 },
	{ MSG_STARTED, "started", MSG_STATE_SETTLED,
	    F(seq) | F(unit) | F(instance) | F(pid) | F(error) | F(step) | F(started_usec), 0, 0 },
	{ MSG_EXITED, "exited", MSG_STATE_SETTLED,
	    F(unit) | F(instance) | F(pid) | F(code) | F(status), 0, 0 },
	{ MSG_SHUTDOWN, "shutdown", MSG_STATE_SETTLED, 0, 0, 0 },
};

static const struct msg_row *
row_of(uint32_t type)
{
	for (size_t i = 0; i < ELEMENTSOF(msg_rows); i++)
		if (msg_rows[i].type == type)
			return &msg_rows[i];
	return NULL;
}

/* Which words hold something, beside version and type. */
static uint32_t
words_set(const struct msg *m)
{
	uint32_t words[MSG_WORDS], set = 0;

	memcpy(words, m, sizeof(words));
	for (size_t i = 0; i < MSG_WORDS; i++)
		set |= words[i] ? UINT32_C(1) << i : 0;
	return set & ~(F(version) | F(type));
}

/* How a process ended; code 0, where START may have it: none has. */
static bool
end_ok(const struct msg *m)
{
	if (m->code == 0)
		return m->status == 0;
	return (m->code == CLD_EXITED || m->code == CLD_KILLED || m->code == CLD_DUMPED) &&
	       m->status >= 0 && m->status <= 255;
}

/* What no message of the type may hold, whatever the plan says. NULL when all is well. */
static const char *
value_wrong(const struct msg *m)
{
	const bool no_instance = m->instance.generation == 0;

	if (m->pid < 0)
		return "pid";
	switch ((enum msg_type)m->type) {
	case MSG_START:
		return m->result >= RESULT_END ? "result" : end_ok(m) ? NULL : "code or status";
	case MSG_SIGNAL:
		if (m->signo < 1 || m->signo > SIGRTMAX)
			return "signo";
		return no_instance ? "instance" : NULL;
	case MSG_INSTANCE:
		return no_instance ? "instance" : NULL;
	case MSG_STARTED:
		/* A fork that failed has neither; everything else has both. */
		if (no_instance != (m->pid == 0))
			return "instance";
		return m->error < 0 || (m->pid == 0 && m->error == 0) ? "error" : NULL;
	case MSG_EXITED:
		if (no_instance || m->pid == 0)
			return "instance";
		return m->code == 0 || !end_ok(m) ? "code or status" : NULL;
	default:
		return NULL;
	}
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
	if (words_set(&m) & ~row->fields)
		return why_set(why, -EPROTO, "message %s: words %#x must be zero", row->name,
		    words_set(&m) & ~row->fields);
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
