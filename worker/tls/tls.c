/*
 * tls.c - see tls.h.
 */
#include "worker/tls/tls.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include <openssl/async.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/tls/provider.h"
#include "worker/tls/tls_int.h"

#define START_WAIT_USEC (5 * USEC_PER_SEC)

static void
ring_init(struct tls_conn *ring)
{
	ring->prev = ring->next = ring;
}

void
tls_conn_unwait(struct tls_conn *c)
{
	if (!c->waiting)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->waiting = false;
	c->tls->n_held--;
}

void
tls_conn_wait(struct tls_conn *c, struct tls_conn *ring)
{
	tls_conn_unwait(c);
	c->next = ring;
	c->prev = ring->prev;
	c->prev->next = c;
	ring->prev = c;
	c->waiting = true;
	c->tls->n_held++;
}

/* wake() only marks: the connection is stepped later in the turn, so the ring may be walked. */
static void
ring_wake(struct tls_conn *ring, bool all)
{
	while (ring->next != ring) {
		struct tls_conn *c = ring->next;

		tls_conn_unwait(c);
		c->t->wake(c->t);
		if (!all)
			return;
	}
}

void
tls_job_free(struct tls *tls)
{
	ring_wake(&tls->for_job, false);
}

uint64_t
tls_now_usec(const struct tls *tls)
{
	return tls->loop ? evloop_now_usec(tls->loop) : clock_usec();
}

static void
policies_free(const struct tls_options *o, struct policy **policies)
{
	for (size_t i = 0; policies && i < o->n_groups; i++)
		policy_free(policies[i]);
	free(policies);
}

static int
policies_load(const struct tls_options *o, struct policy ***ret, struct why *why)
{
	struct policy **policies = calloc(o->n_groups, sizeof(struct policy *));
	int r = 0;

	if (!policies) {
		(void)why_set(why, -ENOMEM, "client certificates");
		return -ENOMEM;
	}
	for (size_t i = 0; i < o->n_groups && r == 0; i++)
		r = policy_load(&o->groups[i].policy, &policies[i], why);
	if (r < 0)
		policies_free(o, policies);
	else
		*ret = policies;
	return r;
}

/* Return: as certset_new(); on success the new set and policies are in use. */
static int
load_set(struct tls *tls, struct why *why)
{
	struct certset *set = NULL;
	struct policy **policies = NULL;
	struct why note = { "" };
	int r = policies_load(tls->o, &policies, why);

	if (r == 0)
		r = certset_new(tls->o, policies, tls->tickets, &tls->client, (int64_t)time(NULL),
		    &set, &note, why);
	tls->reload_owed = r != 0;
	if (r != 0) {
		policies_free(tls->o, policies);
		return r;
	}
	if (note.text[0])
		log_warning("%s", note.text);
	certset_free(tls->now.set);
	policies_free(tls->o, tls->now.policies);
	tls->now.set = set;
	tls->now.policies = policies;
	return 0;
}

/* The credential that ticket keys come from. Return: 0 also when there is none. */
static int
share_tickets(struct tls *tls, struct why *why)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const int r = dir ? tickets_share(tls->tickets, dir, tls->o->ticket_credential, why) : 0;

	return r == -ENOENT ? 0 : r;
}

void
tls_reload(struct tls *tls)
{
	struct why why = { "" };
	int r;

	if (share_tickets(tls, &why) < 0)
		log_warning("session tickets keep their key: %s", why.text);
	if (tls->client.generation == 0) {
		tls->reload_owed = true; /* when the signer has told its keys */
		return;
	}
	r = load_set(tls, &why);
	if (r == 0)
		log_notice("%zu certificates loaded", certset_count(tls->now.set));
	else if (tls->now.set)
		log_warning("the old certificates stay%s: %s",
		    r == CERTSET_NO_KEY ? " until the signer has the keys of the new ones" : "",
		    why.text);
	else
		log_error("no TLS yet: %s", why.text);
}

/* The signer has other keys than before: what could not be loaded may be possible now. */
static void
tls_on_keys(void *arg)
{
	struct tls *tls = arg;

	if (tls->loop)
		tls_reload(tls);
}

static void
log_signer(struct tls *tls)
{
	const struct keyd_client *c = &tls->client;
	const bool lost = c->state == KEYD_DOWN;

	if (lost == tls->signer_lost)
		return;
	tls->signer_lost = lost;
	if (lost)
		log_warning(
		    "signer %s: %s; handshakes wait for it", c->path, strerror(-c->last_error));
	else
		log_notice("signer %s: connected again", c->path);
}

/*
 * A handshake that has chosen its certificate needs just that key. So none chooses while the signer
 * is away: it may come back with another set of keys.
 */
static void
tls_hold(struct tls *tls)
{
	tls->now.held = !keyd_client_is_ready(&tls->client);
	if (!tls->now.held && tls->now.set)
		ring_wake(&tls->for_keys, true);
}

/* The descriptor under the watcher changes with every connection to the signer. */
void
tls_sync(struct tls *tls)
{
	struct keyd_client *c = &tls->client;

	tls_hold(tls);
	if (!tls->loop)
		return;
	if (tls->watched_fd != c->fd) {
		if (tls->watched_fd >= 0)
			evloop_fd_want(tls->loop, &tls->io, 0);
		tls->watched_fd = c->fd;
		if (c->fd >= 0)
			evloop_fd_init(&tls->io, c->fd, tls->io.on, tls);
	}
	if (c->fd >= 0) {
		evloop_fd_want(tls->loop, &tls->io, keyd_client_want(c));
	} else if (!evloop_timer_is_set(&tls->timer)) {
		const uint64_t now = clock_usec();

		evloop_timer_set(&tls->timer, c->retry_usec > now ? c->retry_usec - now : 1);
	}
}

static void
tls_on_io(void *arg, int ready)
{
	struct tls *tls = arg;

	(void)ready;
	keyd_client_step(&tls->client, clock_usec());
	log_signer(tls);
	tls_sync(tls);
}

static void
tls_on_timer(void *arg)
{
	struct tls *tls = arg;

	(void)keyd_client_tick(&tls->client, clock_usec()); /* tls_sync() looks at the result */
	log_signer(tls);
	tls_sync(tls);
}

static void
tls_on_hup(void *arg, int signo)
{
	(void)signo;
	tls_reload(arg);
	tls_sync(arg);
}

/* What all the handshakes of this turn ask of the signer goes out at once. */
static void
tls_on_turn_end(void *arg)
{
	struct tls *tls = arg;

	keyd_client_flush(&tls->client);
	tls_sync(tls);
}

void
tls_attach(struct tls *tls, struct evloop *loop)
{
	tls->loop = loop;
	evloop_after(loop, tls_on_turn_end, tls);
	tls->io.on = tls_on_io;
	evloop_timer_init(loop, &tls->timer, tls_on_timer, tls);
	evloop_signal_add(loop, &tls->on_hup, SIGHUP, tls_on_hup, tls);
	tls_sync(tls);
}

void
tls_detach(struct tls *tls)
{
	if (!tls->loop)
		return;
	if (tls->watched_fd >= 0)
		evloop_fd_want(tls->loop, &tls->io, 0);
	tls->watched_fd = -EBADF;
	evloop_timer_stop(&tls->timer);
	evloop_after(tls->loop, NULL, NULL);
	tls->loop = NULL;
}

static bool
tls_has_keys(const void *arg)
{
	return ((const struct tls *)arg)->client.generation != 0;
}

static int
start(struct tls *tls, struct why *why)
{
	int r = 0;

	tls->tickets = tls->o->tickets;
	if (!tls->tickets)
		r = tickets_new(tls->o->ticket_epoch_sec, &tls->tickets, why);
	if (r == 0)
		r = share_tickets(tls, why);
	if (r == 0)
		r = policies_load(tls->o, &tls->now.policies, why);
	if (r < 0)
		return r;
	tls->first_group = tls->o->group_of(tls->o->group_arg, NULL);
	tls->base = context_new(tls->o, tls->now.policies[tls->first_group], tls->tickets, why);
	if (!tls->base)
		return -EINVAL;
	certset_hook(tls->base, tls->o);
	if (ASYNC_init_thread(KEYD_CALLS_MAX, 0) != 1)
		return why_set(why, -EIO, "OpenSSL async jobs");
	if (keyd_client_wait(&tls->client, tls_has_keys, tls, START_WAIT_USEC) < 0) {
		log_warning("signer %s does not answer (%s): handshakes wait for it", tls->o->keyd,
		    tls->client.state == KEYD_DOWN ? strerror(-tls->client.last_error)
						   : "no reply");
		tls->signer_lost = tls->client.state == KEYD_DOWN;
		return 0;
	}
	r = load_set(tls, why);
	return r == CERTSET_NO_KEY ? -ENOKEY : r;
}

int
tls_new(const struct tls_options *o, struct tls_stats *stats, struct tls **ret, struct why *why)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return why_set(why, -ENOMEM, "TLS");
	tls->o = tls->now.o = o;
	tls->stats = stats;
	tls->watched_fd = -EBADF;
	ring_init(&tls->for_keys);
	ring_init(&tls->for_job);
	keyd_client_init(&tls->client, o->keyd);
	tls->client.on_keys = tls_on_keys;
	tls->client.on_keys_arg = tls;
	/* No openssl.cnf: an engine or provider of its could be in the way of ours. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		r = why_set(why, -EIO, "OpenSSL");
	else
		r = provider_load(&tls->client, why);
	if (r == 0)
		r = start(tls, why);
	if (r < 0)
		tls_free(tls);
	else
		*ret = tls;
	return r;
}

int
tls_check(const struct tls_options *o, struct why *why)
{
	struct tickets *tickets = NULL;
	struct policy **policies = NULL;
	SSL_CTX *ctx = NULL;
	int r = tickets_new(o->ticket_epoch_sec, &tickets, why);

	if (r == 0)
		r = policies_load(o, &policies, why);
	if (r == 0) {
		ctx = context_new(o, policies[0], tickets, why);
		r = ctx ? 0 : -EINVAL;
	}
	for (size_t i = 0; i < o->n_certs && r == 0; i++) {
		struct cert c;
		struct why note = { "" };

		r = cert_load(o->certs[i], (int64_t)time(NULL), &c, &note, why);
		if (r == 0)
			cert_done(&c);
		if (note.text[0])
			log_warning("%s", note.text);
	}
	SSL_CTX_free(ctx);
	policies_free(o, policies);
	tickets_free(tickets);
	return r;
}

void
tls_count(struct tls *tls)
{
	struct tls_stats *s = tls->stats;
	const struct keyd_client *c = &tls->client;

	s->signed_ = c->n_signed;
	s->refused = c->n_refused;
	s->connects = c->n_connects;
	s->now.signing = c->n_calls;
	s->now.held = tls->n_held;
	s->now.signer_up = keyd_client_is_ready(c);
	tickets_count(tls->tickets, &s->tickets_made, &s->tickets_unknown);
}

void
tls_free(struct tls *tls)
{
	if (!tls)
		return;
	tls_detach(tls);
	certset_free(tls->now.set);
	policies_free(tls->o, tls->now.policies);
	SSL_CTX_free(tls->base);
	keyd_client_done(&tls->client);
	if (!tls->o->tickets)
		tickets_free(tls->tickets);
	free(tls);
	provider_unload();
}
