/*
 * conn.c - see conn.h.
 */
#include "worker/conn.h"

#include <assert.h>

#include "worker/conn_work.h"
#include "worker/http/target.h"

/* Room that must be free in `out` before a request is answered: its head and a small body. */
#define OUT_RESERVE (WIRE_HEAD_MAX(1024) + CONN_COPY_BYTES)
static_assert(OUT_RESERVE < CONN_OUT_BYTES / 2, "several answers fit");

#define READ_BYTES 16384u
#define LINGER_BYTES (1u << 20)

/* A step's result besides WANT_ bits and CONN_OVER: the state has changed, go on at once. */
#define STEP_ON 0x100

void
conn_init(struct conn *c, struct conn_env *env, const struct transport *t, const struct peer *peer)
{
	*c = (struct conn){ .t = *t, .env = env, .peer = *peer };
	c->state = t->ops->handshake ? C_HANDSHAKE : C_HEAD;
	c->patience = t->ops->handshake ? PATIENCE_HANDSHAKE : PATIENCE_HEAD;
	c->progressed = true;
}

/* Tells of the answer that is over. What was not sent of its body is what its stretches hold. */
static void
conn_report(struct conn *c)
{
	struct conn_env *w = c->env;
	const struct answer *a = &w->answer;
	struct exchange x = { .r = &w->head.req,
		.peer = &c->peer,
		.user = a->user,
		.id = w->id,
		.status = a->status,
		.body_bytes = a->head_only ? 0 : a->length,
		.usec = w->now_usec - w->began_usec,
		.wall_usec = (uint64_t)w->date.second * USEC_PER_SEC };

	if (!w->answering || !w->finished)
		return;
	w->answering = false;
	if (c->state == C_SEND)
		for (unsigned i = w->stretch; i < a->n_body; i++)
			x.body_bytes -= a->body[i].len;
	w->finished(w->arg, &x);
}

/* What to do when an answer is all in out or sent. */
static int
conn_next(struct conn *c)
{
	struct conn_env *w = c->env;

	conn_report(c);
	answer_done(&w->answer);
	w->in_off = w->in_used;
	if (w->in_off == w->in_len)
		w->in_off = w->in_used = w->in_len = 0;
	w->continued = false;
	w->peer_closes = w->head.close;
	head_init(&w->head);
	c->state = w->close_after ? C_FINISH : C_HEAD;
	return STEP_ON;
}

/* The answer is decided: its head goes into out, and its body too if it is small. */
static int
conn_answer(struct conn *c)
{
	struct conn_env *w = c->env;
	struct answer *a = &w->answer;
	const bool all = a->head_only || a->length == 0; /* with its head it is over */
	const bool along = !all && a->block_end > 0 && a->one.mem && a->length <= CONN_COPY_BYTES;

	c->requests++;
	w->answering = true;
	w->id = w->next_id++;
	c->progressed = true;
	w->stats->requests++;
	w->stats->by_status[a->status]++;
	w->close_after = w->head.close || a->close || w->draining ||
			 c->requests >= w->limits.requests ||
			 (w->head.req.has_body && w->head.expect_continue && !w->continued);
	w->out_len += (uint32_t)wire_head(a, w->head.req.minor, w->close_after, &w->date,
	    w->out + w->out_len, along ? (size_t)a->length : 0);
	w->stretch = 0;
	if (all || along)
		return conn_next(c);
	if (a->n_body == 1 && conn_copy(w, a->body))
		return conn_next(c);
	c->state = C_SEND;
	return STEP_ON;
}

/* Whose request it is. */
static void
conn_introduce(struct conn *c)
{
	struct request *r = &c->env->head.req;

	r->secure = c->t.ops->secure;
	r->identity = c->t.ops->identity ? c->t.ops->identity(&c->t) : NULL;
	r->peer = &c->peer;
	r->role = c->role;
}

static int
conn_respond(struct conn *c)
{
	struct conn_env *w = c->env;

	answer_init(&w->answer);
	w->began_usec = w->now_usec;
	w->head.req.base = w->in + w->in_off;
	/* Spans point into the buffer, which a body may have moved since the head was read. */
	if (w->head.req.has_body && target_check(&w->head.req) != 0)
		return CONN_OVER;
	conn_introduce(c);
	if (!addrs_request(w->addrs, &c->peer, w->now_usec)) {
		w->stats->limited++;
		w->respond_error(w->arg, 429, &w->answer);
		w->answer.head_only = w->head.req.method == METHOD_HEAD;
		return conn_answer(c);
	}
	w->respond(w->arg, &w->head.req, w->date.second, &w->answer);
	return conn_answer(c);
}

/* The bytes are no request: say so and close, whatever else they hold. */
static int
conn_refuse(struct conn *c, unsigned status)
{
	struct conn_env *w = c->env;

	answer_init(&w->answer);
	w->began_usec = w->now_usec;
	w->head.req.base = w->in + w->in_off;
	conn_introduce(c);
	w->respond_error(w->arg, status, &w->answer);
	w->answer.close = true;
	w->head.close = false; /* it does not know yet that this is the end */
	/* Only what parsed can say HEAD; a body after the head of a HEAD answer would confuse. */
	w->answer.head_only = w->head.req.method == METHOD_HEAD && w->head.req.method_text.len > 0;
	w->in_used = w->in_len;
	return conn_answer(c);
}

/*
 * More bytes into `in`. Return: STEP_ON when there are some, WANT_ bits, or CONN_OVER at the end
 * of what the peer sends.
 */
static int
conn_fill(struct conn *c)
{
	struct conn_env *w = c->env;
	size_t room;
	ssize_t n;
	int r;

	if (w->out_len > w->out_off) {
		r = conn_flush(c, false);
		if (r != 0)
			return r;
	}
	if (w->in_off > 0 && w->in_len + READ_BYTES > CONN_IN_BYTES) {
		memmove(w->in, w->in + w->in_off, w->in_len - w->in_off);
		w->in_len -= w->in_off;
		w->in_used -= w->in_off;
		w->in_off = 0;
		w->head.req.base = w->in;
	}
	if (w->drained)
		return WANT_READ; /* a read that came short has emptied the socket: poll, don't ask
				   */
	room = CONN_IN_BYTES - w->in_len < READ_BYTES ? CONN_IN_BYTES - w->in_len : READ_BYTES;
	assert(room > 0); /* a head ends, by its limit, before the buffer does */
	n = c->t.ops->read(&c->t, w->in + w->in_len, room);
	if (n == -EAGAIN)
		return c->t.want;
	if (n <= 0)
		return CONN_OVER;
	w->in_len += (uint32_t)n;
	conn_moved(c, n);
	w->drained = (size_t)n < room && !(c->t.ops->pending && c->t.ops->pending(&c->t));
	return STEP_ON;
}

/* A whole head is there. */
static int
conn_request(struct conn *c)
{
	struct conn_env *w = c->env;

	w->in_used = w->in_off + w->head.bytes;
	if (!w->head.req.has_body)
		return conn_respond(c);
	body_init(&w->body, w->head.chunked, w->head.req.content_length, w->limits.body_bytes);
	c->state = C_BODY;
	return STEP_ON;
}

static int
conn_step_head(struct conn *c)
{
	struct conn_env *w = c->env;
	int r;

	if (w->in_off < w->in_len) {
		if (CONN_OUT_BYTES - w->out_len < OUT_RESERVE) {
			r = conn_flush(c, true);
			if (r != 0)
				return r;
		}
		r = head_parse(&w->head, w->in + w->in_off, w->in_len - w->in_off, &w->limits.head);
		if (r == HEAD_DONE)
			return conn_request(c);
		if (r != HEAD_MORE)
			return conn_refuse(c, (unsigned)r);
	}
	return conn_fill(c);
}

static int
conn_step_body(struct conn *c)
{
	struct conn_env *w = c->env;
	size_t used;
	int r;

	if (w->out_len > w->out_off && CONN_OUT_BYTES - w->out_len < OUT_RESERVE) {
		r = conn_flush(c, false);
		if (r != 0)
			return r;
	}
	r = body_skip(&w->body, w->in + w->in_used, w->in_len - w->in_used, &used);
	if (r >= 400)
		return conn_refuse(c, (unsigned)r);
	w->in_used += (uint32_t)used;
	if (r == BODY_DONE)
		return conn_respond(c);
	/* All that came is used; the head stays, for its answer is still to be made. */
	w->in_len = w->in_used = w->in_off + w->head.bytes;
	if (w->head.expect_continue && !w->continued) {
		static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

		memcpy(w->out + w->out_len, interim, sizeof(interim) - 1);
		w->out_len += sizeof(interim) - 1;
		w->continued = true;
	}
	r = conn_fill(c);
	if (r == STEP_ON)
		c->progressed = true;
	return r;
}

static int
conn_step_send(struct conn *c)
{
	struct conn_env *w = c->env;
	uint64_t budget = CONN_TURN_BYTES - (w->out_len - w->out_off);

	while (w->stretch < w->answer.n_body) {
		struct stretch *s = &w->answer.body[w->stretch];
		ssize_t n;

		if (s->len == 0) {
			w->stretch++;
			continue;
		}
		if (s->mem) {
			n = conn_send_memory(c, s, w->stretch + 1 < w->answer.n_body);
		} else {
			const int r = conn_flush(c, true);

			if (r != 0)
				return r;
			n = conn_send_file(c, s, budget);
		}
		if (n == -EAGAIN)
			return c->t.want;
		if (n < 0)
			return CONN_OVER;
		c->progressed = true;
		conn_moved(c, n);
		if ((uint64_t)n >= budget)
			return WANT_WRITE;
		budget -= (uint64_t)n;
	}
	return conn_next(c);
}

/* The last answer is in out. A close with unread bytes would reset the answer away: linger. */
static int
conn_step_finish(struct conn *c)
{
	const struct conn_env *w = c->env;
	const int r = conn_flush(c, false);

	if (r != 0)
		return r;
	/* A peer that said "close" sends nothing more: there will be no unread byte to reset it. */
	if (w->peer_closes && w->in_len == w->in_used) {
		if (c->t.ops->secure)
			c->t.ops->finish(&c->t);
		return CONN_OVER;
	}
	c->t.ops->finish(&c->t);
	c->state = C_LINGER;
	c->env->in_off = c->env->in_used = c->env->in_len = 0;
	return STEP_ON;
}

static int
conn_step_linger(struct conn *c)
{
	struct conn_env *w = c->env;
	ssize_t n;

	do {
		n = c->t.ops->read(&c->t, w->in, CONN_IN_BYTES);
		if (n > 0)
			c->lingered += (uint32_t)n;
	} while (n > 0 && c->lingered < LINGER_BYTES);
	return n == -EAGAIN ? c->t.want : CONN_OVER;
}

static int
conn_step_handshake(struct conn *c)
{
	const int r = c->t.ops->handshake(&c->t);

	if (r == -EAGAIN)
		return c->t.want;
	if (r < 0)
		return CONN_OVER;
	c->state = C_HEAD;
	return STEP_ON;
}

static int
conn_step_once(struct conn *c)
{
	switch ((enum conn_state)c->state) {
	case C_HANDSHAKE:
		return conn_step_handshake(c);
	case C_HEAD:
		return conn_step_head(c);
	case C_BODY:
		return conn_step_body(c);
	case C_SEND:
		return conn_step_send(c);
	case C_FINISH:
		return conn_step_finish(c);
	case C_LINGER:
		return conn_step_linger(c);
	}
	return CONN_OVER;
}

/* Which time limit applies to where the step has ended. */
static void
conn_set_patience(struct conn *c)
{
	static const uint8_t of_state[] = {
		[C_HANDSHAKE] = PATIENCE_HANDSHAKE,
		[C_HEAD] = PATIENCE_HEAD,
		[C_BODY] = PATIENCE_BODY,
		[C_SEND] = PATIENCE_WRITE,
		[C_FINISH] = PATIENCE_WRITE,
		[C_LINGER] = PATIENCE_LINGER,
	};

	c->patience = of_state[c->state];
	if (c->env->out_len > c->env->out_off)
		c->patience = PATIENCE_WRITE;
	else if (c->state == C_HEAD && c->env->in_len == c->env->in_off && c->requests > 0)
		c->patience = PATIENCE_IDLE;
}

/*
 * The minimum rate, for what takes longer than one step: a peer that takes a byte now and then
 * renews its time limit each time and would stay for ever. Return: false when it is too slow.
 */
static bool
conn_is_fast_enough(struct conn *c)
{
	const struct conn_env *w = c->env;
	const bool moving = c->patience == PATIENCE_BODY || c->patience == PATIENCE_WRITE;
	uint64_t passed;

	if (!moving) {
		c->timed = false;
		return true;
	}
	if (!c->timed) {
		c->timed = true;
		c->rate_since_usec = w->now_usec;
		c->rate_bytes = 0;
		return true;
	}
	passed = w->now_usec - c->rate_since_usec;
	if (w->limits.min_rate == 0 || passed < CONN_RATE_GRACE_USEC ||
	    c->rate_bytes >= passed / USEC_PER_SEC * w->limits.min_rate)
		return true;
	w->stats->too_slow++;
	return false;
}

/* Runs states until one waits, and puts away what is half done. The work space is loaded. */
static int
conn_run(struct conn *c)
{
	int want;

	do
		want = conn_step_once(c);
	while (want == STEP_ON);
	conn_set_patience(c);
	if (want == CONN_OVER || !conn_is_fast_enough(c) || work_store(c) < 0) {
		conn_report(c);
		answer_done(&c->env->answer);
		return CONN_OVER;
	}
	return want;
}

int
conn_step(struct conn *c)
{
	c->progressed = false;
	work_load(c);
	return conn_run(c);
}

int
conn_timeout(struct conn *c)
{
	c->env->stats->timeouts[c->patience]++;
	if (!c->held || (c->state != C_HEAD && c->state != C_BODY) || c->patience == PATIENCE_WRITE)
		return CONN_OVER;
	work_load(c);
	if (conn_refuse(c, 408) == CONN_OVER)
		return CONN_OVER;
	return conn_run(c);
}

bool
conn_is_idle(const struct conn *c)
{
	return c->state == C_HEAD && !c->held;
}

void
conn_done(struct conn *c)
{
	work_drop(c);
	c->t.ops->close(&c->t);
}
