/*
 * tls_transport.c - the transport that is TLS: OpenSSL between a connection and its socket.
 * Runs as: worker, no rights.
 * Trusts:  nothing that the peer sends.
 * Owns:    the descriptor and the SSL, until close; also a job that is paused in it: that one is
 *          resumed once more before anything is freed, or OpenSSL leaks its stack.
 * Tests:   tests/tls
 */
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/buf.h"
#include "common/clock.h"
#include "worker/tls/tls_int.h"

#define SMALL_BYTES (16u << 10) /* TCP's first flight; the next one holds a full record */
#define IDLE_USEC USEC_PER_SEC /* after a pause TCP begins slowly again, and so do we */

static const struct transport_ops tls_kernel_ops;

static struct tls_conn *
tls_conn_of(struct transport *t)
{
	struct tls_conn *c = t->state;

	c->t = t;
	return c;
}

/*
 * What SSL_get_error(3) says, in transport.h's terms; sets t->want. Leaves OpenSSL's error queue
 * empty, as everything here finds it: to clear it before each call would cost more than it looks.
 */
static ssize_t
tls_result(struct tls_conn *c, int r)
{
	const int saved = errno, error = SSL_get_error(c->ssl, r);

	switch (error) {
	case SSL_ERROR_WANT_READ:
		c->t->want = WANT_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		c->t->want = WANT_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return saved ? -saved : -ECONNRESET;
	default:
		ERR_clear_error();
		return -EPROTO;
	}
}

/* SSL_set_async_callback(3): the signer has answered. Called from the signer's watcher. */
static int
tls_on_answer(SSL *ssl, void *arg)
{
	struct tls_conn *c = arg;

	const uint64_t usec = clock_usec() - c->asked_usec;
	struct tls_stats *s = c->tls->stats;
	unsigned bucket = 0;

	(void)ssl;
	while (bucket + 1 < ELEMENTSOF(s->signer_usec) && usec >> (bucket + 4) > 0)
		bucket++;
	s->signer_usec[bucket]++;
	s->signer_usec_sum += usec;
	c->answered = true;
	c->t->wake(c->t);
	return 1;
}

/*
 * Begins with the default's context if there is one: most connections stay with it. Only when the
 * first byte is there: who connects and says nothing costs no SSL.
 * Return: 0; -EAGAIN with t->want set; -errno.
 */
static int
tls_open(struct tls_conn *c)
{
	const struct certset *set = c->tls->now.set;
	char byte;

	if (recv(c->t->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
		c->t->want = WANT_READ;
		return -EAGAIN;
	}
	c->seat = (struct certset_seat){ &c->tls->now, c->tls->first_group };
	c->ssl = SSL_new(set ? certset_find(set, c->seat.group, NULL) : c->tls->base);
	if (!c->ssl || SSL_set_fd(c->ssl, c->t->fd) != 1 ||
	    SSL_set_async_callback(c->ssl, tls_on_answer) != 1 ||
	    SSL_set_async_callback_arg(c->ssl, c) != 1 || SSL_set_app_data(c->ssl, &c->seat) != 1)
		return -ENOMEM;
	c->shaking = true;
	c->tls->stats->now.handshakes++;
	return 0;
}

/* The handshake is over, this way or that. */
static void
tls_shaken(struct tls_conn *c)
{
	c->shaking = false;
	c->tls->stats->now.handshakes--;
}

/*
 * Who the client is, by a certificate that has verified now or when the session began. Only what
 * can be printed comes of it: RFC 4514 with everything else escaped.
 */
static void
tls_identify(struct tls_conn *c)
{
	X509 *cert = SSL_get0_peer_certificate(c->ssl);
	BIO *text =
	    cert && SSL_get_verify_result(c->ssl) == X509_V_OK ? BIO_new(BIO_s_mem()) : NULL;
	char *data;
	long n;

	c->identity.group = c->seat.group;
	if (!text)
		return;
	if (X509_NAME_print_ex(text, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(text, &data);
		c->identity.subject =
		    n <= IDENTITY_SUBJECT_MAX ? strndup(data, (size_t)n) : strdup("(too long)");
	}
	(void)BIO_free(text);
	ERR_clear_error();
}

static const struct identity *
tls_identity(const struct transport *t)
{
	return &((const struct tls_conn *)t->state)->identity;
}

static int
tls_done(struct tls_conn *c)
{
	struct tls_stats *s = c->tls->stats;

	tls_identify(c);
	tls_shaken(c);
	SSL_clear_mode(c->ssl, SSL_MODE_ASYNC); /* else it would wrap every read and write */
	if (SSL_version(c->ssl) == TLS1_3_VERSION)
		s->tls13++;
	else
		s->tls12++;
	if (SSL_session_reused(c->ssl))
		s->resumed++;
	if (c->identity.subject)
		s->client_certs++;
	if (BIO_get_ktls_send(SSL_get_wbio(c->ssl))) {
		s->kernel++;
		c->t->ops = &tls_kernel_ops;
	}
	tls_job_free(c->tls);
	return 0;
}

/* What the error that OpenSSL has at hand means. */
static enum tls_failure
tls_why_failed(int error)
{
	const unsigned long first = ERR_peek_error();
	const int reason = ERR_GET_REASON(first);

	if (error != SSL_ERROR_SSL)
		return TLS_FAIL_CLOSED;
	if (ERR_GET_LIB(first) != ERR_LIB_SSL)
		return TLS_FAIL_PROTOCOL;
	if (reason >= SSL_AD_REASON_OFFSET)
		return TLS_FAIL_ALERT;
	switch (reason) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return TLS_FAIL_CLOSED;
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_UNKNOWN_PROTOCOL:
		return TLS_FAIL_NOT_TLS;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
		return TLS_FAIL_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
		return TLS_FAIL_NOTHING_SHARED;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_FAIL_ALPN;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return TLS_FAIL_CLIENT_CERT;
	default:
		return TLS_FAIL_PROTOCOL;
	}
}

static void
tls_failed(struct tls_conn *c, enum tls_failure why)
{
	c->tls->stats->failed[why]++;
	tls_shaken(c);
}

static int
tls_go_on(struct tls_conn *c)
{
	struct tls *tls = c->tls;
	const bool was_paused = c->paused;
	enum tls_failure why;
	ssize_t n;
	int r, error;

	c->paused = c->answered = false;
	ERR_clear_error();
	r = SSL_accept(c->ssl);
	if (r == 1)
		return tls_done(c);
	error = SSL_get_error(c->ssl, r);
	switch (error) {
	case SSL_ERROR_WANT_ASYNC:
		c->paused = true;
		c->asked_usec = clock_usec();
		c->t->want = WANT_NOTHING;
		return -EAGAIN;
	case SSL_ERROR_WANT_ASYNC_JOB: /* all slots are taken: the first that ends wakes us */
		tls_conn_wait(c, &tls->for_job);
		c->t->want = WANT_NOTHING;
		return -EAGAIN;
	case SSL_ERROR_WANT_X509_LOOKUP: /* certset_on_cert(): there is none for it at present */
		tls_conn_wait(c, &tls->for_keys);
		tls_job_free(tls);
		c->t->want = WANT_NOTHING;
		return -EAGAIN;
	default:
		break;
	}
	why = tls_why_failed(error);
	if (why == TLS_FAIL_PROTOCOL && was_paused)
		why = TLS_FAIL_SIGNER; /* a client's alert may be what comes next, too */
	n = tls_result(c, r);
	tls_job_free(tls);
	if (n == -EAGAIN)
		return -EAGAIN;
	tls_failed(c, why);
	return n < 0 ? (int)n : -ECONNRESET;
}

static int
tls_handshake(struct transport *t)
{
	struct tls_conn *c = tls_conn_of(t);
	int r;

	t->want = WANT_NOTHING;
	if (c->paused && !c->answered)
		return -EAGAIN; /* to resume it now would be to give it up */
	r = c->ssl ? 0 : tls_open(c);
	return r < 0 ? r : tls_go_on(c);
}

static ssize_t
tls_read(struct transport *t, void *dst, size_t len)
{
	struct tls_conn *c = tls_conn_of(t);
	int n;

	errno = 0;
	n = SSL_read(c->ssl, dst, len > INT32_MAX ? INT32_MAX : (int)len);
	return n > 0 ? n : tls_result(c, n);
}

static bool
tls_pending(struct transport *t)
{
	return SSL_has_pending(tls_conn_of(t)->ssl) == 1;
}

/*
 * Small records first: a receiver can use a record only when all of it has come. Never in the
 * middle of one that the socket had no room for.
 */
static void
tls_size_records(struct tls_conn *c)
{
	const uint64_t now = tls_now_usec(c->tls);
	bool small;

	if (now - c->sent_usec > IDLE_USEC)
		c->sent_bytes = 0;
	c->sent_usec = now;
	small = c->sent_bytes < SMALL_BYTES;
	if (small != c->small) {
		const long bytes = small ? c->tls->o->first_record : TLS_RECORD_MAX;

		/* Both are in range. Lowering the first lowers the second, raising it does not. */
		(void)SSL_set_max_send_fragment(c->ssl, bytes);
		(void)SSL_set_split_send_fragment(c->ssl, bytes);
	}
	c->small = small;
}

/*
 * One record, one call: pieces are put together first, and no call is longer than a record, for
 * libssl would keep the buffer of the first one, which is too small for the first that is large.
 * It wants the same bytes again after WANT_WRITE, at whatever address, and so they come.
 */
static ssize_t
tls_writev(struct transport *t, const struct iovec *iov, int n, bool more)
{
	struct tls_conn *c = tls_conn_of(t);
	const char *data = iov->iov_base;
	size_t len = iov->iov_len, max;
	int r;

	(void)more;
	if (n > 1 && len < TLS_RECORD_MAX) {
		len = 0;
		for (int i = 0; i < n; i++) {
			const size_t room = TLS_RECORD_MAX - len;
			const size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;

			memcpy(c->tls->scratch + len, iov[i].iov_base, part);
			len += part;
		}
		data = c->tls->scratch;
	}
	if (len == 0)
		return 0;
	if (!c->again)
		tls_size_records(c);
	max = c->small ? c->tls->o->first_record : TLS_RECORD_MAX;
	errno = 0;
	r = SSL_write(c->ssl, data, (int)(len < max ? len : max));
	c->again = r <= 0;
	if (r <= 0)
		return tls_result(c, r);
	c->sent_bytes += (uint32_t)r;
	return r;
}

static void
tls_finish(struct transport *t)
{
	struct tls_conn *c = tls_conn_of(t);

	if (c->ssl && SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl); /* the peer may be gone already */
	ERR_clear_error();
	(void)shutdown(t->fd, SHUT_WR);
}

/*
 * A paused job is resumed: the provider sees that no answer has come, cancels its call and fails,
 * so that the job ends. OpenSSL would otherwise leak the job with its stack (31 KB).
 */
static void
tls_give_up(struct tls_conn *c)
{
	if (!c->paused)
		return;
	while (SSL_waiting_for_async(c->ssl))
		(void)SSL_accept(c->ssl); /* its outcome is nobody's business any more */
}

static void
tls_close(struct transport *t)
{
	struct tls_conn *c = tls_conn_of(t);
	struct tls *tls = c->tls;

	tls_conn_unwait(c);
	if (c->shaking)
		tls_failed(c, c->paused ? TLS_FAIL_SIGNER_TIME : TLS_FAIL_TIME);
	tls_give_up(c);
	SSL_free(c->ssl);
	ERR_clear_error();
	free(c->identity.subject);
	free(c);
	tls_job_free(tls); /* its slot, or its turn to get one */
	t->state = NULL;
	t->fd = fd_close(t->fd);
}

/* Only where the kernel encrypts: it takes the bytes out of the file itself. */
static ssize_t
tls_sendfile(struct transport *t, int fd, off_t *off, size_t len)
{
	struct tls_conn *c = tls_conn_of(t);
	ssize_t n;

	errno = 0;
	n = SSL_sendfile(c->ssl, fd, *off, len, 0);
	if (n == 0)
		return 0; /* the file has shrunk */
	if (n < 0)
		return tls_result(c, -1);
	*off += n;
	return n;
}

#define TLS_OPS \
	.secure = true, .handshake = tls_handshake, .read = tls_read, .writev = tls_writev, \
	.pending = tls_pending, .finish = tls_finish, .close = tls_close, .identity = tls_identity

static const struct transport_ops tls_ops = { .name = "tls", TLS_OPS };
static const struct transport_ops tls_kernel_ops = {
	.name = "ktls", .sendfile = tls_sendfile, TLS_OPS
};

static int
tls_take(void *context, int fd, struct transport *t)
{
	struct tls_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)fd_close(fd);
		return -ENOMEM;
	}
	c->tls = context;
	*t = (struct transport){ .ops = &tls_ops, .fd = fd, .state = c };
	return 0;
}

struct transport_factory
tls_factory(struct tls *tls)
{
	return (struct transport_factory){ .take = tls_take, .context = tls };
}
