/*
 * keyd_client.c - see keyd_client.h.
 *
 * An id is SEQUENCE * KEYD_CALLS_MAX + SLOT; with the top bit set it belongs to a list request.
 * A reply to a call that was cancelled finds its slot empty or of another sequence, and is dropped.
 */
#include "worker/tls/keyd_client.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/clock.h"

#define ID_LIST UINT32_C(0x80000000)
#define SEQUENCE_MAX (ID_LIST / KEYD_CALLS_MAX - 1)
#define BATCH 16 /* messages in one system call */
#define BACKOFF_FIRST_USEC UINT64_C(20000)
#define BACKOFF_LAST_USEC USEC_PER_SEC

void
keyd_client_init(struct keyd_client *c, const char *path)
{
	*c = (struct keyd_client){ .path = path, .fd = -EBADF };
	c->queue.prev = c->queue.next = &c->queue;
}

static void
call_unqueue(struct keyd_call *call)
{
	if (!call->queued)
		return;
	call->prev->next = call->next;
	call->next->prev = call->prev;
	call->queued = false;
}

static void
call_queue(struct keyd_client *c, struct keyd_call *call)
{
	call->next = &c->queue;
	call->prev = c->queue.prev;
	call->prev->next = call;
	c->queue.prev = call;
	call->queued = true;
}

static void
call_forget(struct keyd_client *c, struct keyd_call *call)
{
	const unsigned slot = call->id % KEYD_CALLS_MAX;

	if (call->id == 0)
		return;
	call_unqueue(call);
	c->calls[slot] = NULL;
	c->free_hint = slot;
	c->n_calls--;
	call->id = 0;
}

static void
call_finish(struct keyd_client *c, struct keyd_call *call, const struct sign_signature *reply)
{
	call_forget(c, call);
	call->reply = *reply;
	call->finished = true;
	if (call->done)
		call->done(call->arg);
}

void
keyd_call_cancel(struct keyd_client *c, struct keyd_call *call)
{
	call_forget(c, call);
}

/* Every call that was sent and not answered waits to be sent again. */
static void
requeue_all(struct keyd_client *c)
{
	for (unsigned i = 0; i < KEYD_CALLS_MAX; i++)
		if (c->calls[i] && !c->calls[i]->queued)
			call_queue(c, c->calls[i]);
}

static void
keyd_client_down(struct keyd_client *c, uint64_t now_usec, int error)
{
	c->fd = fd_close(c->fd);
	c->state = KEYD_DOWN;
	c->last_error = error;
	c->blocked = false;
	c->list_id = 0;
	c->list_owed = false;
	if (c->backoff_usec == 0)
		c->backoff_usec = BACKOFF_FIRST_USEC;
	c->retry_usec = now_usec + c->backoff_usec;
	c->backoff_usec *= 2;
	if (c->backoff_usec > BACKOFF_LAST_USEC)
		c->backoff_usec = BACKOFF_LAST_USEC;
	requeue_all(c);
}

void
keyd_client_done(struct keyd_client *c)
{
	const struct sign_signature none = { .status = SIGN_FAILED };

	for (unsigned i = 0; i < KEYD_CALLS_MAX; i++)
		if (c->calls[i])
			call_finish(c, c->calls[i], &none);
	c->fd = fd_close(c->fd);
	c->state = KEYD_DOWN;
	free(c->keys);
	free(c->fresh);
	c->keys = c->fresh = NULL;
	c->n_keys = c->n_fresh = 0;
}

static void
list_start(struct keyd_client *c)
{
	c->n_fresh = 0;
	c->list_owed = true;
	c->list_id = 0;
}

/* Non-blocking for a unix socket means: at once, or EAGAIN when the signer's backlog is full. */
static int
keyd_connect(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (str_copy(un.sun_path, sizeof(un.sun_path), path) < 0)
		return -ENAMETOOLONG;
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	return fd_take(&fd);
}

/*
 * So many messages, or as many of them as there is room for, in one call.
 * Return: how many were sent; fewer than n: the socket is full, and c->blocked; -errno.
 */
static int
send_some(struct keyd_client *c, struct mmsghdr *vec, unsigned n)
{
	const int r = sendmmsg(c->fd, vec, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (r < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		return -errno;
	c->blocked = r < (int)n;
	return r < 0 ? 0 : r;
}

/* Return: 0 sent, or c->blocked; -errno. */
static int
send_list(struct keyd_client *c)
{
	union sign_msg m;
	struct iovec iov = { &m, 0 };
	struct mmsghdr one = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int r;

	c->sequence = c->sequence % SEQUENCE_MAX + 1;
	iov.iov_len = sign_begin(&m, SIGN_LIST, ID_LIST | c->sequence);
	m.list.index = (uint32_t)c->n_fresh;
	r = send_some(c, &one, 1);
	if (r <= 0)
		return r;
	c->list_id = m.head.id;
	c->list_owed = false;
	return 0;
}

/* Return: 0 all sent, or c->blocked; -errno. */
static int
send_waiting(struct keyd_client *c)
{
	int r = 0;

	c->blocked = false;
	if (c->list_owed)
		r = send_list(c);
	while (r >= 0 && !c->blocked && c->queue.next != &c->queue) {
		struct mmsghdr vec[BATCH] = { 0 };
		struct iovec iov[BATCH];
		unsigned n = 0;

		for (struct keyd_call *call = c->queue.next; call != &c->queue && n < BATCH;
		     call = call->next, n++) {
			iov[n] = (struct iovec){ &call->request, sizeof(call->request.sign) };
			vec[n].msg_hdr.msg_iov = &iov[n];
			vec[n].msg_hdr.msg_iovlen = 1;
		}
		r = send_some(c, vec, n);
		for (int i = 0; i < r; i++)
			call_unqueue(c->queue.next);
	}
	return r < 0 ? r : 0;
}

void
keyd_client_flush(struct keyd_client *c)
{
	/* A connection that has just died is seen by keyd_client_step(): here nobody may be woken.
	 */
	if (c->state == KEYD_UP && !c->blocked && (c->list_owed || c->queue.next != &c->queue))
		(void)send_waiting(c);
}

static bool
same_keys(const struct keyd_client *c)
{
	if (c->generation == 0 || c->n_keys != c->n_fresh)
		return false;
	for (size_t i = 0; i < c->n_keys; i++)
		if (memcmp(c->keys[i].id, c->fresh[i].id, SIGN_KEY_ID_BYTES) != 0)
			return false;
	return true;
}

static void
list_finish(struct keyd_client *c)
{
	const bool same = same_keys(c);

	free(c->keys);
	c->keys = c->fresh;
	c->n_keys = c->n_fresh;
	c->generation = c->fresh_generation;
	c->fresh = NULL;
	c->n_fresh = 0;
	c->list_id = 0;
	c->backoff_usec = 0; /* it lives, and speaks our language */
	if (!same && c->on_keys)
		c->on_keys(c->on_keys_arg);
}

static int
take_key(struct keyd_client *c, const struct sign_key *k)
{
	struct keyd_key *keys;

	if (k->head.id != c->list_id)
		return 0; /* of a list that was begun anew since */
	if (k->index != c->n_fresh)
		return -EBADMSG;
	if (c->n_fresh > 0 && k->generation != c->fresh_generation) {
		list_start(c); /* the set changed in the middle */
		return 0;
	}
	c->fresh_generation = k->generation;
	if (k->index < k->total) {
		keys = reallocarray(c->fresh, c->n_fresh + 1, sizeof(*keys));
		if (!keys)
			return -ENOMEM;
		c->fresh = keys;
		keys[c->n_fresh] =
		    (struct keyd_key){ .kind = (enum sign_kind)k->kind, .spki_len = k->spki_len };
		memcpy(keys[c->n_fresh].id, k->key, SIGN_KEY_ID_BYTES);
		memcpy(keys[c->n_fresh].spki, k->spki, k->spki_len);
		c->n_fresh++;
	}
	if (c->n_fresh >= k->total)
		list_finish(c);
	else
		c->list_owed = true;
	return 0;
}

static int
take_signature(struct keyd_client *c, const struct sign_signature *s)
{
	struct keyd_call *call = c->calls[s->head.id % KEYD_CALLS_MAX];

	if (!call || call->id != s->head.id)
		return 0; /* nobody waits for it any more */
	if (call->queued)
		return -EBADMSG; /* an answer to what was not asked on this connection */
	if (s->status == SIGN_OK)
		c->n_signed++;
	else
		c->n_refused++;
	call_finish(c, call, s);
	return 0;
}

int
keyd_client_take(struct keyd_client *c, const union sign_msg *m, size_t len)
{
	const int type = sign_check(SIGN_FROM_SIGNER, m, len);

	switch (type) {
	case SIGN_KEY:
		return take_key(c, &m->key);
	case SIGN_SIGNATURE:
		return take_signature(c, &m->signature);
	case SIGN_CHANGED:
		list_start(c);
		return 0;
	default:
		return type < 0 ? type : -EBADMSG;
	}
}

/* Return: 0 nothing more there; -errno the connection is over. */
static int
receive_all(struct keyd_client *c)
{
	union sign_msg m[BATCH];
	struct mmsghdr vec[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int n;

	do {
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ &m[i], sizeof(m[i]) };
			vec[i].msg_hdr.msg_iov = &iov[i];
			vec[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(c->fd, vec, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		for (int i = 0; i < n; i++) {
			const int r = vec[i].msg_len == 0
					  ? -ESHUTDOWN
					  : keyd_client_take(c, &m[i], vec[i].msg_len);

			if (r < 0) {
				c->n_bad_replies += r != -ESHUTDOWN;
				return r;
			}
		}
	} while (n == BATCH);
	return 0;
}

int
keyd_client_want(const struct keyd_client *c)
{
	if (c->state == KEYD_DOWN)
		return 0;
	return 1 | (c->blocked ? 2 : 0);
}

void
keyd_client_step(struct keyd_client *c, uint64_t now_usec)
{
	int r;

	if (c->state == KEYD_DOWN)
		return;
	r = receive_all(c);
	if (r >= 0)
		r = send_waiting(c);
	if (r < 0)
		keyd_client_down(c, now_usec, r);
}

uint64_t
keyd_client_tick(struct keyd_client *c, uint64_t now_usec)
{
	int r;

	if (c->state == KEYD_UP)
		return 0;
	if (now_usec < c->retry_usec)
		return c->retry_usec;
	r = keyd_connect(c->path);
	if (r < 0) {
		keyd_client_down(c, now_usec, r);
		return c->retry_usec;
	}
	c->fd = r;
	c->state = KEYD_UP;
	c->n_connects++;
	list_start(c);
	r = send_waiting(c);
	if (r < 0)
		keyd_client_down(c, now_usec, r);
	return c->state == KEYD_UP ? 0 : c->retry_usec;
}

int
keyd_call_start(struct keyd_client *c, struct keyd_call *call, const uint8_t *key, unsigned scheme,
    const uint8_t *tbs, size_t len)
{
	unsigned slot = c->free_hint;
	int r;

	if (c->n_calls == KEYD_CALLS_MAX)
		return -EBUSY;
	while (c->calls[slot])
		slot = (slot + 1) % KEYD_CALLS_MAX;
	c->sequence = c->sequence % SEQUENCE_MAX + 1;
	(void)sign_begin(&call->request, SIGN_SIGN, c->sequence * KEYD_CALLS_MAX + slot);
	memcpy(call->request.sign.key, key, SIGN_KEY_ID_BYTES);
	call->request.sign.scheme = (uint16_t)scheme;
	r = sign_set_tbs(&call->request.sign, tbs, len);
	if (r < 0)
		return r;
	call->id = call->request.head.id;
	call->finished = false;
	c->calls[slot] = call;
	c->free_hint = (slot + 1) % KEYD_CALLS_MAX;
	c->n_calls++;
	call_queue(c, call);
	return 0;
}

int
keyd_client_wait(
    struct keyd_client *c, bool (*until)(const void *arg), const void *arg, uint64_t usec)
{
	const uint64_t end = clock_usec() + usec;

	for (uint64_t now = clock_usec(); !until(arg); now = clock_usec()) {
		const uint64_t again = keyd_client_tick(c, now);
		const uint64_t wake = again > 0 && again < end ? again : end;
		struct pollfd p = { .fd = c->fd };
		int want;

		keyd_client_flush(c);
		want = keyd_client_want(c);
		p.events = (short)((want & 1 ? POLLIN : 0) | (want & 2 ? POLLOUT : 0));
		if (now >= end)
			return -ETIMEDOUT;
		(void)poll(&p, want ? 1 : 0, (int)((wake - now) / 1000) + 1); /* EINTR: once more */
		keyd_client_step(c, clock_usec());
	}
	return 0;
}

bool
keyd_client_is_ready(const struct keyd_client *c)
{
	return c->state == KEYD_UP && !c->list_owed && c->list_id == 0;
}

const struct keyd_key *
keyd_client_key(const struct keyd_client *c, const uint8_t *id)
{
	for (size_t i = 0; i < c->n_keys; i++)
		if (memcmp(c->keys[i].id, id, SIGN_KEY_ID_BYTES) == 0)
			return &c->keys[i];
	return NULL;
}
