/*
 * test_msg.c - launcher/monitor/msg.h: what may be said, by whom, and when.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>

#include "launcher/enter/enter.h"
#include "launcher/monitor/msg.h"

#define ANY_STATE (MSG_STATE_NEW | MSG_STATE_UP | MSG_STATE_LEARNING | MSG_STATE_SETTLED)

/* One good message of each type, as full as it may be. */
static struct msg
sample(enum msg_type type)
{
	struct msg m = msg_make(type);

	switch (type) {
	case MSG_START:
		m.seq = 7;
		m.unit = 3;
		m.slot = 1;
		m.command = 2;
		m.pid = 99;
		m.watchdog_usec = 1000000;
		m.number = 5;
		m.result = RESULT_EXIT_CODE;
		m.code = CLD_EXITED;
		m.status = 3;
		break;
	case MSG_SIGNAL:
		m.instance = (struct msg_instance_id){ 4, 9 };
		m.signo = SIGTERM;
		m.flags = MSG_SIGNAL_GROUP;
		break;
	case MSG_INSTANCE:
		m.unit = 3;
		m.slot = 1;
		m.instance = (struct msg_instance_id){ 4, 9 };
		m.pid = 100;
		m.flags = MSG_INSTANCE_EXECUTED;
		m.started_usec = 5;
		break;
	case MSG_STARTED:
		m.seq = 7;
		m.unit = 3;
		m.instance = (struct msg_instance_id){ 4, 9 };
		m.pid = 100;
		m.error = ENOENT;
		m.step = 10;
		m.started_usec = 5;
		break;
	case MSG_EXITED:
		m.unit = 3;
		m.instance = (struct msg_instance_id){ 4, 9 };
		m.pid = 100;
		m.code = CLD_KILLED;
		m.status = SIGKILL;
		break;
	case MSG_HELLO:
	case MSG_SETTLED:
	case MSG_SHUTDOWN:
		break;
	}
	return m;
}

static const struct {
	enum msg_type type;
	unsigned states;
	const char *name;
} types[] = {
	{ MSG_HELLO, MSG_STATE_NEW, "hello" },
	{ MSG_START, MSG_STATE_UP, "start" },
	{ MSG_SIGNAL, MSG_STATE_UP, "signal" },
	{ MSG_INSTANCE, MSG_STATE_LEARNING, "instance" },
	{ MSG_SETTLED, MSG_STATE_LEARNING, "settled" },
	{ MSG_STARTED, MSG_STATE_SETTLED, "started" },
	{ MSG_EXITED, MSG_STATE_SETTLED, "exited" },
	{ MSG_SHUTDOWN, MSG_STATE_SETTLED, "shutdown" },
};

static void
each_type_passes_in_its_states_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(types); i++)
		for (unsigned s = 1; s < ANY_STATE; s <<= 1) {
			const struct msg m = sample(types[i].type);
			const int want = types[i].states & s ? 0 : -EPROTO;
			struct msg got = { 0 };
			struct why why;

			if (msg_check(&m, sizeof(m), 0, (enum msg_state)s, &got, &why) != want)
				fail_msg("%s in state %u", types[i].name, s);
			if (want == 0)
				assert_memory_equal(&m, &got, sizeof(m));
		}
}

static void
a_field_of_another_type_is_refused(void **state)
{
	static const struct {
		enum msg_type type;
		enum msg_state state;
		unsigned zero_words; /* how many words of struct msg this type never uses */
	} cases[] = {
		{ MSG_HELLO, MSG_STATE_NEW, 20 },
		{ MSG_SETTLED, MSG_STATE_LEARNING, 20 },
		{ MSG_SHUTDOWN, MSG_STATE_SETTLED, 20 },
		{ MSG_SIGNAL, MSG_STATE_UP, 16 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct msg m = sample(cases[i].type), got;
		uint32_t words[sizeof(m) / sizeof(uint32_t)];
		unsigned refused = 0;

		memcpy(words, &m, sizeof(words));
		for (size_t w = 2; w < ELEMENTSOF(words); w++) {
			if (words[w] != 0)
				continue;
			words[w] = 1;
			if (msg_check(words, sizeof(words), 0, cases[i].state, &got, NULL) ==
			    -EPROTO)
				refused++;
			words[w] = 0;
		}
		if (refused != cases[i].zero_words)
			fail_msg("type %d: %u words refused, not %u", (int)cases[i].type, refused,
			    cases[i].zero_words);
	}
}

enum change {
	SHORT,
	LONG,
	VERSION,
	UNKNOWN,
	EXTRA_FD,
	MISSING_FD,
	FLAG,
	SIGNO_0,
	SIGNO_65,
	SCOPE,
	NO_GENERATION,
	PID_NEGATIVE,
	FORK_FAILED_WITH_PID,
	STARTED_NOTHING,
	ERROR_NEGATIVE,
	CODE,
	STATUS,
	RESULT,
	STATUS_OF_NO_END,
};

static void
apply_change(enum change change, struct msg *m, size_t *len, size_t *n_fds)
{
	switch (change) {
	case SHORT:
		(*len)--;
		break;
	case LONG:
		(*len)++;
		break;
	case VERSION:
		m->version++;
		break;
	case UNKNOWN:
		m->type = UINT32_C(1) << 31;
		break;
	case EXTRA_FD:
		*n_fds = 1;
		break;
	case MISSING_FD:
		m->flags = MSG_START_CONNECTION;
		break;
	case FLAG:
		m->flags = UINT32_C(1) << 30;
		break;
	case SIGNO_0:
		m->signo = 0;
		break;
	case SIGNO_65:
		m->signo = 65;
		break;
	case SCOPE:
		m->flags = 2;
		break;
	case NO_GENERATION:
		m->instance.generation = 0;
		break;
	case PID_NEGATIVE:
		m->pid = -1;
		break;
	case FORK_FAILED_WITH_PID:
		m->instance = (struct msg_instance_id){ 0, 0 };
		break;
	case STARTED_NOTHING:
		m->instance = (struct msg_instance_id){ 0, 0 };
		m->pid = 0;
		m->error = 0;
		break;
	case ERROR_NEGATIVE:
		m->error = -2;
		break;
	case CODE:
		m->code = CLD_STOPPED;
		break;
	case STATUS:
		m->status = 256;
		break;
	case RESULT:
		m->result = RESULT_END;
		break;
	case STATUS_OF_NO_END:
		m->code = 0;
		break;
	}
}

static void
bad_messages_are_refused(void **state)
{
	static const struct {
		const char *label;
		enum msg_type type;
		enum change change;
	} cases[] = {
		{ "one byte short", MSG_HELLO, SHORT },
		{ "one byte over", MSG_HELLO, LONG },
		{ "another version", MSG_HELLO, VERSION },
		{ "type 2^31", MSG_HELLO, UNKNOWN },
		{ "descriptor with a hello", MSG_HELLO, EXTRA_FD },
		{ "descriptor with a start that announced none", MSG_START, EXTRA_FD },
		{ "announced connection missing", MSG_START, MISSING_FD },
		{ "unknown start flag", MSG_START, FLAG },
		{ "negative main pid", MSG_START, PID_NEGATIVE },
		{ "signal 0", MSG_SIGNAL, SIGNO_0 },
		{ "signal 65", MSG_SIGNAL, SIGNO_65 },
		{ "scope beyond group", MSG_SIGNAL, SCOPE },
		{ "signal to no instance", MSG_SIGNAL, NO_GENERATION },
		{ "instance without generation", MSG_INSTANCE, NO_GENERATION },
		{ "pid but no instance", MSG_STARTED, FORK_FAILED_WITH_PID },
		{ "nothing started and no error", MSG_STARTED, STARTED_NOTHING },
		{ "negative errno", MSG_STARTED, ERROR_NEGATIVE },
		{ "stopped, not exited", MSG_EXITED, CODE },
		{ "status 256", MSG_EXITED, STATUS },
		{ "an exit that is none", MSG_EXITED, STATUS_OF_NO_END },
		{ "start with a result that is none", MSG_START, RESULT },
		{ "start with a main process that was stopped", MSG_START, CODE },
		{ "start with a status and no end", MSG_START, STATUS_OF_NO_END },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct {
			struct msg m;
			char more;
		} in = { .m = sample(cases[i].type) };
		struct msg got;
		struct why why = { "" };
		size_t len = sizeof(in.m), n_fds = 0;
		unsigned s = 0;

		for (size_t t = 0; t < ELEMENTSOF(types); t++)
			if (types[t].type == cases[i].type)
				s = types[t].states;
		assert_int_equal(msg_check(&in.m, len, n_fds, (enum msg_state)s, &got, &why), 0);
		apply_change(cases[i].change, &in.m, &len, &n_fds);
		if (msg_check(&in, len, n_fds, (enum msg_state)s, &got, &why) != -EPROTO)
			fail_msg("accepted: %s", cases[i].label);
		if (why.text[0] == '\0')
			fail_msg("no reason given: %s", cases[i].label);
	}
}

static void
a_connection_comes_with_exactly_one_descriptor(void **state)
{
	struct msg m = sample(MSG_START), got;

	(void)state;
	m.flags = MSG_START_CONNECTION;
	assert_int_equal(msg_check(&m, sizeof(m), 1, MSG_STATE_UP, &got, NULL), 0);
	assert_int_equal(msg_check(&m, sizeof(m), 2, MSG_STATE_UP, &got, NULL), -EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_passes_in_its_states_only),
		cmocka_unit_test(a_field_of_another_type_is_refused),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(a_connection_comes_with_exactly_one_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
