/*
 * conn_send.c - writing, for conn.c: what is in the buffer, a stretch of memory, a stretch of a
 * file. See conn_work.h.
 */
#include "worker/conn_work.h"

int
conn_flush(struct conn *c, bool more)
{
	struct conn_env *w = c->env;

	while (w->out_off < w->out_len) {
		const struct iovec iov = { w->out + w->out_off, w->out_len - w->out_off };
		const ssize_t n = c->t.ops->writev(&c->t, &iov, 1, more);

		if (n == -EAGAIN)
			return c->t.want;
		if (n < 0)
			return CONN_OVER;
		c->progressed = true;
		conn_moved(c, n);
		w->out_off += (uint32_t)n;
		w->stats->bytes_sent += (uint64_t)n;
	}
	w->out_off = w->out_len = 0;
	return 0;
}

bool
conn_copy(struct conn_env *w, const struct stretch *s)
{
	char *dst = w->out + w->out_len;

	if (s->len > CONN_COPY_BYTES || s->len > CONN_OUT_BYTES - w->out_len)
		return false;
	if (s->mem)
		memcpy(dst, s->mem + s->off, s->len);
	else if (pread(w->answer.fd, dst, s->len, (off_t)s->off) != (ssize_t)s->len)
		return false;
	w->out_len += (uint32_t)s->len;
	return true;
}

ssize_t
conn_send_memory(struct conn *c, struct stretch *s, bool more)
{
	struct conn_env *w = c->env;
	const size_t head = w->out_len - w->out_off;
	struct iovec iov[2] = { { w->out + w->out_off, head },
		{ (void *)(uintptr_t)(s->mem + s->off), s->len } };
	ssize_t n = head > 0 ? c->t.ops->writev(&c->t, iov, 2, more)
			     : c->t.ops->writev(&c->t, iov + 1, 1, more);

	if (n <= 0)
		return n;
	w->stats->bytes_sent += (uint64_t)n;
	if ((size_t)n < head) {
		w->out_off += (uint32_t)n;
		return n;
	}
	w->out_off = w->out_len = 0;
	s->off += (uint64_t)n - head;
	s->len -= (uint64_t)n - head;
	return n;
}

ssize_t
conn_send_file(struct conn *c, struct stretch *s, uint64_t most)
{
	struct conn_env *w = c->env;
	const size_t max = (size_t)(s->len < most ? s->len : most);
	ssize_t n;

	if (c->t.ops->sendfile) {
		off_t off = (off_t)s->off;

		n = c->t.ops->sendfile(&c->t, w->answer.fd, &off, max);
		if (n > 0)
			w->stats->bytes_sent += (uint64_t)n;
	} else {
		const size_t room = CONN_OUT_BYTES - w->out_len;

		n = pread(
		    w->answer.fd, w->out + w->out_len, max < room ? max : room, (off_t)s->off);
		if (n < 0)
			return -EIO;
		w->out_len += (uint32_t)n;
	}
	if (n > 0) {
		s->off += (uint64_t)n;
		s->len -= (uint64_t)n;
	}
	return n == 0 ? -EIO : n; /* the file has shrunk: the promised length cannot be kept */
}
