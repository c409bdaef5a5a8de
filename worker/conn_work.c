/*
 * conn_work.c - see conn_work.h.
 */
#include "worker/conn_work.h"

/* What a connection keeps of the work space while it waits in the middle of something. */
struct held {
	struct head head;
	struct body body;
	char answer[offsetof(struct answer, field_bytes)]; /* a struct answer without its fields */
	unsigned stretch;
	bool close_after, peer_closes, continued, answering;
	uint64_t began_usec, id;
	uint32_t in_used, in_len, out_len;
	char bytes[]; /* in, from in_off; then out, from out_off */
};

static void
work_reset(struct conn_env *w)
{
	head_init(&w->head);
	w->answer.n_body = 0;
	w->answer.release = NULL;
	w->answer.owner = w->answer.many = NULL;
	w->in_off = w->in_used = w->in_len = w->out_off = w->out_len = 0;
	w->close_after = w->continued = w->answering = w->peer_closes = false;
}

void
work_load(struct conn *c)
{
	struct conn_env *w = c->env;
	struct held *h = c->held;

	if (!w->clean)
		work_reset(w);
	w->clean = w->drained = false;
	if (!h)
		return;
	w->head = h->head;
	w->head.req.base = w->in; /* in_off is 0 again */
	w->body = h->body;
	memcpy(&w->answer, h->answer, sizeof(h->answer));
	if (!w->answer.many)
		w->answer.body = &w->answer.one;
	w->stretch = h->stretch;
	w->close_after = h->close_after;
	w->peer_closes = h->peer_closes;
	w->continued = h->continued;
	w->answering = h->answering;
	w->began_usec = h->began_usec;
	w->id = h->id;
	w->in_used = h->in_used;
	w->in_len = h->in_len;
	w->out_len = h->out_len;
	memcpy(w->in, h->bytes, h->in_len);
	memcpy(w->out, h->bytes + h->in_len, h->out_len);
	free(h);
	c->held = NULL;
}

int
work_store(struct conn *c)
{
	struct conn_env *w = c->env;
	const uint32_t in = w->in_len - w->in_off, out = w->out_len - w->out_off;
	struct held *h;

	if (c->state == C_HANDSHAKE)
		return 0;
	if (in == 0 && out == 0 && (c->state == C_HEAD || c->state == C_LINGER)) {
		w->clean = c->state == C_HEAD; /* nothing came, or conn_next() has cleared it */
		return 0;
	}
	h = malloc(sizeof(*h) + in + out);
	if (!h)
		return -ENOMEM;
	h->head = w->head;
	h->body = w->body;
	memcpy(h->answer, &w->answer, sizeof(h->answer));
	h->stretch = w->stretch;
	h->close_after = w->close_after;
	h->peer_closes = w->peer_closes;
	h->continued = w->continued;
	h->answering = w->answering;
	h->began_usec = w->began_usec;
	h->id = w->id;
	h->in_used = w->in_used - w->in_off;
	h->in_len = in;
	h->out_len = out;
	memcpy(h->bytes, w->in + w->in_off, in);
	memcpy(h->bytes + in, w->out + w->out_off, out);
	c->held = h;
	return 0;
}

void
work_drop(struct conn *c)
{
	struct answer a;

	if (!c->held)
		return;
	answer_init(&a);
	memcpy(&a, c->held->answer, sizeof(c->held->answer));
	answer_done(&a);
	free(c->held);
	c->held = NULL;
}
