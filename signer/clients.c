/*
 * clients.c - see clients.h.
 */
#include "signer/clients.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"

#define ACCEPT_BATCH 8
#define HOLD_USEC 200 /* so long a reply may wait for the next ones, to be sent with them */
#define LOG_PER_SEC 2
#define LOG_BURST 20

void
clients_init(struct clients *all, uint64_t rate_per_sec, uint64_t rate_burst)
{
	*all = (struct clients){ .rate_per_sec = rate_per_sec, .rate_burst = rate_burst };
	limit_init(&all->log_rate, LOG_PER_SEC, LOG_BURST);
}

/* One line per refusal, but a hostile client must not be able to fill the disk. */
static bool
may_log(struct clients *all)
{
	if (!limit_take(&all->log_rate, clock_usec())) {
		all->unlogged++;
		return false;
	}
	if (all->unlogged > 0)
		log_warning("%llu refusals were not logged", (unsigned long long)all->unlogged);
	all->unlogged = 0;
	return true;
}

/* Closes and forgets; the caller must not touch all->slot[i] as this client any more. */
static void
client_drop(struct clients *all, size_t i)
{
	struct client *c = all->slot[i];

	assert(c); /* a slot below n holds one until clients_compact() */
	(void)fd_close(c->fd);
	free(c);
	all->slot[i] = NULL;
}

/* After a turn: close the gaps, so that slots and pollfds are the same sequence again. */
static void
clients_compact(struct clients *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->slot[i])
			all->slot[kept++] = all->slot[i];
	all->n = kept;
}

void
clients_accept(struct clients *all, int listener)
{
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		_cleanup_fd_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct ucred cred = { 0 };
		socklen_t len = sizeof(cred);
		struct client *c;

		if (fd < 0)
			return; /* EAGAIN; the rest is this connection's loss */
		(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len); /* for the log only */
		c = all->n < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
		if (!c) {
			all->count.turned_away++;
			if (may_log(all))
				log_warning("client pid %d uid %u turned away: %d are connected",
				    (int)cred.pid, cred.uid, CLIENTS_MAX);
			continue;
		}
		*c = (struct client){ .fd = fd_take(&fd), .pid = cred.pid, .uid = cred.uid };
		limit_init(&c->rate, all->rate_per_sec, all->rate_burst);
		all->slot[all->n++] = c;
		all->count.accepted++;
		log_debug("client pid %d uid %u connected", (int)c->pid, c->uid);
	}
}

static void
client_note(struct clients *all, struct client *c, const struct serve_note *note)
{
	if (note->type == SIGN_LIST) {
		all->count.listed++;
		return;
	}
	if (note->status == SIGN_OK) {
		all->count.signed_++;
		c->signed_++;
		return;
	}
	if (note->status == SIGN_FAILED)
		all->count.failed++;
	else
		all->count.refused++;
	c->refused++;
	if (may_log(all))
		log_warning("client pid %d uid %u: refused to sign with %s by scheme 0x%04x: %s",
		    (int)c->pid, c->uid, note->key ? note->key->name : "(no key)", note->scheme,
		    sign_status_text(note->status));
}

/* Return: how many were sent; 0 the socket is full; -errno. */
static int
client_send(struct client *c, union sign_msg *msg, unsigned n)
{
	struct mmsghdr vec[CLIENT_BATCH] = { 0 };
	struct iovec iov[CLIENT_BATCH];
	int r;

	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ &msg[i], sign_size(msg[i].head.type) };
		vec[i].msg_hdr.msg_iov = &iov[i];
		vec[i].msg_hdr.msg_iovlen = 1;
	}
	r = sendmmsg(c->fd, vec, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (r >= 0)
		return r;
	return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

/* What is owed comes before anything new. Return: 1 nothing is owed; 0 still; -errno. */
static int
client_flush(struct client *c, const struct keyset *set)
{
	union sign_msg changed;
	int r = 1;

	while (c->sent < c->made) {
		r = client_send(c, c->reply + c->sent, c->made - c->sent);
		if (r <= 0)
			return r;
		c->sent += (unsigned)r;
	}
	c->sent = c->made = 0;
	if (c->tell_change) {
		(void)sign_begin(&changed, SIGN_CHANGED, 0);
		changed.changed.generation = set->generation;
		r = client_send(c, &changed, 1);
		if (r > 0)
			c->tell_change = false;
	}
	return r > 0 ? 1 : r;
}

/* Return: how many requests came; 0 none; -errno. At most so many as the client may ask now. */
static int
client_receive(struct client *c, union sign_msg *in, struct mmsghdr *vec, uint64_t now_usec)
{
	struct iovec iov[CLIENT_BATCH];
	const uint64_t room = limit_room(&c->rate, now_usec);
	int n;

	for (unsigned i = 0; i < CLIENT_BATCH; i++) {
		iov[i] = (struct iovec){ &in[i], sizeof(in[i]) };
		vec[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	/* MSG_TRUNC gives the true length: a longer message has no type of that size. */
	n = recvmmsg(c->fd, vec, room < CLIENT_BATCH ? (unsigned)room : CLIENT_BATCH,
	    MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

/*
 * What the client has asked, up to a batch of it. Replies leave together, but none waits long.
 * Return: 1 all is answered; 0 the socket is full; -errno drop (with why_drop for the log, or NULL:
 * it has left).
 */
static int
client_answer(struct clients *all, struct client *c, const struct keyset *set, uint64_t now_usec,
    const char **why_drop)
{
	union sign_msg in[CLIENT_BATCH];
	struct mmsghdr vec[CLIENT_BATCH];
	uint64_t since = now_usec;
	int r = 1;
	const int n = client_receive(c, in, vec, now_usec);

	for (int i = 0; i < n && r >= 0; i++) {
		const uint64_t now = clock_usec();
		struct serve_note note;

		if (now - since > HOLD_USEC) {
			r = client_flush(c, set);
			since = now;
			if (r < 0)
				return r;
		}
		if (vec[i].msg_len == 0)
			return -ESHUTDOWN; /* closed, or an empty message, which is none of ours */
		(void)limit_take(&c->rate, now_usec); /* there is one: client_receive() counted */
		r = serve_request(set, &in[i], vec[i].msg_len, &c->reply[c->made], &note);
		if (r < 0) {
			*why_drop = r == -EPROTONOSUPPORT ? "another protocol version"
							  : "malformed message";
			(void)client_flush(c, set); /* what was right is answered */
			return r;
		}
		client_note(all, c, &note);
		c->made++;
	}
	return n < 0 ? n : client_flush(c, set);
}

static bool
client_may_ask(struct clients *all, struct client *c, uint64_t now_usec)
{
	if (limit_wait(&c->rate, now_usec) == 0) {
		c->throttled = false;
		return true;
	}
	if (!c->throttled) {
		all->count.throttled++;
		if (may_log(all))
			log_warning(
			    "client pid %d uid %u: over %llu requests a second, slowed down",
			    (int)c->pid, c->uid, (unsigned long long)all->rate_per_sec);
	}
	c->throttled = true;
	return false;
}

/* poll(2) reports the hang-up of a throttled client unasked, again and again: that one goes. */
static void
client_serve(
    struct clients *all, size_t i, const struct keyset *set, short revents, uint64_t now_usec)
{
	struct client *c = all->slot[i];
	const char *why_drop = NULL;
	int r = client_flush(c, set);

	if (r > 0 && !client_may_ask(all, c, now_usec)) {
		if (revents & (POLLHUP | POLLERR))
			client_drop(all, i);
		return;
	}
	if (r > 0)
		r = client_answer(all, c, set, now_usec, &why_drop);
	if (r > 0)
		(void)client_may_ask(all, c, now_usec); /* else clients_poll_fill() leaves it out */
	if (r >= 0)
		return;
	if (why_drop) {
		all->count.dropped++;
		if (may_log(all))
			log_warning(
			    "client pid %d uid %u dropped: %s", (int)c->pid, c->uid, why_drop);
	}
	client_drop(all, i);
}

size_t
clients_poll_fill(
    const struct clients *all, struct pollfd *fds, int *timeout_msec, uint64_t now_usec)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct client *c = all->slot[i];
		const uint64_t wait = limit_wait(&c->rate, now_usec);
		const int msec = (int)(wait / 1000) + 1;

		fds[i] = (struct pollfd){ .fd = c->fd };
		if (c->made > 0 || c->tell_change)
			fds[i].events = POLLOUT;
		else if (wait == 0)
			fds[i].events = POLLIN;
		else if (*timeout_msec < 0 || msec < *timeout_msec)
			*timeout_msec = msec;
	}
	return all->n;
}

void
clients_poll_done(struct clients *all, const struct keyset *set, const struct pollfd *fds, size_t n,
    uint64_t now_usec)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents != 0)
			client_serve(all, i, set, fds[i].revents, now_usec);
	clients_compact(all);
}

void
clients_keys_changed(struct clients *all, const struct keyset *set)
{
	for (size_t i = 0; i < all->n; i++) {
		all->slot[i]->tell_change = true;
		(void)client_flush(all->slot[i], set); /* else when poll(2) says there is room */
	}
}

bool
clients_are_flushed(const struct clients *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->slot[i]->made > 0)
			return false;
	return true;
}

void
clients_done(struct clients *all)
{
	for (size_t i = 0; i < all->n; i++)
		client_drop(all, i);
	all->n = 0;
}
