/*
 * fuzz_plan.c - a plan that somebody spoilt: root verifies it, then follows what it may.
 * Input: records of six bytes, which word of a good plan gets which value.
 */
#include <stdint.h>

#include "launcher/load/build.h"
#include "launcher/unit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fill(struct build *b)
{
	struct plan_unit *s = build_unit(b, UNIT_SOCKET, "a.socket");
	struct plan_unit *u = build_unit(b, UNIT_SERVICE, "a.service");
	struct plan_listen *l = build_append(b, &s->socket.listens, sizeof(*l));
	struct plan_command *c = build_append(b, &u->service.commands[COMMAND_START], sizeof(*c));
	struct plan_index *x = build_append(b, &u->service.sockets, sizeof(*x));

	s->socket.service = u->index;
	l->text = build_str(b, "80");
	b->plan->listens[b->plan->n_listens++] = s->socket.listens.head;
	c->path = build_str(b, "/bin/true");
	build_append_word(b, &c->argv, "true");
	build_append_word(b, &c->argv, "$X");
	build_append_word(b, &u->exec.environment, "A=1");
	x->index = s->index;
	u->exec.has_user = true;
	u->exec.uid = u->exec.gid = 1;
}

static size_t
follow(const struct plan *p)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		n += strlen(plan_str(p, u->id));
		PLAN_FOREACH (p, u->socket.listens, struct plan_listen, l)
			n += strlen(plan_str(p, l->text)) + plan_listen(p, l->index)->unit;
		PLAN_FOREACH (p, u->exec.environment, struct plan_word, w)
			n += strlen(plan_str(p, w->text));
		PLAN_FOREACH (p, u->service.sockets, struct plan_index, x)
			n += plan_unit(p, x->index)->index;
		for (uint32_t s = 0; s < COMMAND_SLOT_END; s++)
			PLAN_FOREACH (p, u->service.commands[s], struct plan_command, c)
				PLAN_FOREACH (p, c->argv, struct plan_word, w)
					n += strlen(plan_str(p, w->text));
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan *good;
	static uint32_t *spoilt;
	/* Of the head only the tables of places: its numbers are plan_map()'s business. */
	const size_t first = offsetof(struct plan, units) / sizeof(uint32_t);

	if (!good) {
		struct build b;

		if (build_init(&b, NULL) < 0)
			return 0;
		fill(&b);
		good = malloc(b.plan->bytes);
		spoilt = malloc(b.plan->bytes);
		if (!good || !spoilt)
			abort();
		memcpy(good, b.plan, b.plan->bytes);
		build_done(&b);
	}
	memcpy(spoilt, good, good->bytes);
	for (; size >= 6; data += 6, size -= 6) {
		const size_t words = good->bytes / sizeof(uint32_t) - first;
		const size_t tail = words - sizeof(good->units) / 4 - sizeof(good->listens) / 4;
		size_t w = (size_t)data[0] << 8 | data[1];

		/* Mostly what lies behind the tables; they are long and empty. */
		w = w % 8 == 0 ? w % 16 : words - tail + w % tail;
		memcpy(&spoilt[first + w], data + 2, sizeof(uint32_t));
	}
	if (plan_verify((const struct plan *)spoilt, (enum plan_allow)(size % 3), NULL) == 0)
		(void)follow((const struct plan *)spoilt);
	return 0;
}
