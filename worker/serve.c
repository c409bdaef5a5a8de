/*
 * serve.c - see serve.h.
 */
#include "worker/serve.h"

#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "worker/admin.h"
#include "worker/evloop.h"
#include "worker/hooks.h"
#include "worker/sandbox.h"
#include "worker/sandbox_try.h"
#include "worker/site/site.h"
#include "worker/site/users.h"
#include "worker/tls/tls.h"

#if SALLYPORT_HOOKS
#define serve_try sandbox_try
#else
static void
serve_try(void)
{
}
#endif

/* How long a line of the access log may wait in its buffer. */
#define LOG_FLUSH_USEC (500 * 1000)

struct worker {
	const struct serve_context *c;
	struct site *site;
	struct tls *tls;
	struct server *server;
	struct access_log *log;
	struct evloop_timer flush; /* of the log */
	struct worker_stats *stats;
};

static void
worker_respond(void *arg, const struct request *r, int64_t now, struct answer *a)
{
	struct worker *w = arg;

	if (r->role == ROLE_ADMIN)
		admin_answer(w->c->shared, r, a);
	else
		site_answer(w->site, r, now, a);
}

static void
worker_respond_error(void *arg, unsigned status, struct answer *a)
{
	struct worker *w = arg;

	site_answer_error(w->site, status, a);
}

static void
worker_finished(void *arg, const struct exchange *x)
{
	struct worker *w = arg;
	unsigned bucket = 0;

	while (bucket + 1 < ELEMENTSOF(w->stats->latency) && x->usec >> (bucket + 4) > 0)
		bucket++;
	w->stats->latency[bucket]++;
	w->stats->latency_sum_usec += x->usec;
	if (!w->log)
		return;
	access_log_line(w->log, x);
	if (!evloop_timer_is_set(&w->flush))
		evloop_timer_set(&w->flush, LOG_FLUSH_USEC);
}

static void
worker_flush(void *arg)
{
	struct worker *w = arg;

	access_log_flush(w->log);
}

static void
worker_reopen(void *arg)
{
	struct worker *w = arg;
	struct why why = { "" };

	if (access_log_reopen(w->log, &why) < 0)
		log_error("the old file stays: %s", why.text);
}

/* Once per turn of the loop: figures that others keep are put where all can read them. */
static void
worker_turn(void *arg, uint64_t now_usec)
{
	struct worker *w = arg;

	(void)now_usec;
	w->stats->cache = filecache_stats(w->site->files);
	w->stats->log_dropped = access_log_dropped(w->log);
	if (w->tls)
		tls_count(w->tls);
}

static void
worker_server_options(struct worker *w, struct server_options *o)
{
	const struct settings *s = &w->c->config->settings;

	*o = (struct server_options){
		.limits = {
			.head = { (uint16_t)s->request_line, (uint16_t)s->header_bytes,
			    (uint16_t)s->header_fields },
			.body_bytes = s->body_bytes,
			.min_rate = s->min_rate,
			.requests = s->requests_per_connection,
		},
		.addrs = { s->connections_per_address, s->request_rate, s->request_burst },
		.addrs_table = w->c->shared->addrs,
		.worker = w->c->index,
		.drain_idle_usec = s->drain_idle_usec,
		.drain_usec = s->drain_usec,
		.connections = s->connections,
		.stats = &w->stats->server,
		.respond = worker_respond,
		.respond_error = worker_respond_error,
		.finished = worker_finished,
		.turn = worker_turn,
		.reopen = worker_reopen,
		.arg = w,
	};
	/* Ids of requests: a random beginning, so that those of two workers do not meet. */
	if (getentropy(&o->first_id, sizeof(o->first_id)) < 0)
		o->first_id = (uint64_t)getpid() << 32;
	memcpy(o->patience_usec, s->patience_usec, sizeof(o->patience_usec));
	if (hook_is_set("short-handshake")) /* so that a test can watch thousands run out of time */
		o->patience_usec[PATIENCE_HANDSHAKE] = USEC_PER_SEC;
	o->factory[ROLE_HTTP] = plain_factory;
	o->factory[ROLE_ADMIN] = plain_factory;
	if (w->tls)
		o->factory[ROLE_HTTPS] = tls_factory(w->tls);
}

static int
worker_make(struct worker *w, struct why *why)
{
	const struct settings *s = &w->c->config->settings;
	static struct tls_options tls; /* borrowed by tls_new() for the life of the process */
	struct server_options o;
	int r;

	r = site_new(
	    &w->c->config->map, s->cache_files, s->cache_bytes, s->server_field, &w->site, why);
	if (r == 0 && w->c->config->tls.n_certs > 0) {
		tls = w->c->config->tls;
		tls.tickets = w->c->tickets;
		tls.group_arg = &w->c->config->map;
		r = tls_new(&tls, &w->stats->tls, &w->tls, why);
	}
	if (r == 0)
		r = access_log_new(s->access_log, s->access_format, &w->log, why);
	if (r < 0)
		return r;
	worker_server_options(w, &o);
	r = server_new(&o, w->c->listeners, &w->server, why);
	if (r < 0)
		return r;
	evloop_timer_init(server_loop(w->server), &w->flush, worker_flush, w);
	if (w->tls)
		tls_attach(w->tls, server_loop(w->server));
	return 0;
}

/* The directory of a path, in the pool; renewed files have other inodes, so their place is named. */
static const char *
path_folder(struct pool *pool, const char *path)
{
	char *copy = path ? pool_strdup(pool, path) : NULL;
	char *slash = copy ? strrchr(copy, '/') : NULL;

	if (!copy)
		return NULL;
	if (!slash)
		return ".";
	slash[slash == copy ? 1 : 0] = '\0';
	return copy;
}

/* Where a file is, and where it really is: certbot's live/ links into archive/. */
static int
worker_folder(struct pool *pool, struct sandbox *s, const char *path)
{
	_cleanup_free_ char *real = path ? realpath(path, NULL) : NULL;

	return sandbox_read(s, path_folder(pool, path)) | sandbox_read(s, path_folder(pool, real));
}

static int
worker_paths(const struct serve_context *c, struct pool *pool, struct sandbox *s)
{
	const struct map *m = &c->config->map;
	const struct tls_options *t = &c->config->tls;
	int r = 0;

	for (uint32_t i = 0; i < m->n_hosts; i++)
		for (uint32_t k = 0; k < m->hosts[i].n_routes; k++) {
			const struct route *route = &m->hosts[i].routes[k];
			const struct user_pages *pages;

			r |= sandbox_read(s, route->s.alias ? route->s.alias : route->s.root);
			for (size_t n = 0; (pages = users_at(route->users, n)) != NULL; n++)
				r |= sandbox_read(s, pages->path);
		}
	for (size_t i = 0; i < t->n_certs; i++)
		r |= worker_folder(pool, s, t->certs[i]);
	for (size_t i = 0; t->n_certs > 0 && i < t->n_groups; i++)
		r |= worker_folder(pool, s, t->groups[i].policy.client_ca);
	if (t->n_certs > 0)
		r |= sandbox_read(s, getenv("CREDENTIALS_DIRECTORY"));
	if (strcmp(c->config->settings.access_log, "syslog") == 0)
		r |= sandbox_read(s, "/etc/localtime");
	if (c->config->settings.access_log[0] == '/')
		r |= sandbox_write(s, path_folder(pool, c->config->settings.access_log));
	return r < 0 ? -E2BIG : 0;
}

static int
worker_confine(const struct serve_context *c, struct pool *pool, struct why *why)
{
	static struct sandbox s;
	int abi = 0, r;

	if (!c->config->settings.sandbox)
		return 0;
	r = worker_paths(c, pool, &s);
	if (r < 0)
		return why_set(why, r, "sandbox: too many directories");
	r = sandbox_worker(&s, &abi, why);
	if (r == 0)
		log_debug("confined: seccomp, Landlock ABI %d", abi);
	return r;
}

int
serve_check(const struct config *c, const struct listeners *l, struct why *why)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].role == ROLE_HTTPS && c->tls.n_certs == 0)
			return why_set(
			    why, -EOPNOTSUPP, "socket %s: it needs a certificate", l->list[i].text);
	return 0;
}

int
serve(const struct serve_context *c)
{
	struct worker w = { .c = c, .stats = &c->shared->worker[c->index] };
	struct why why = { "" };
	struct pool pool = { 0 };
	int r;

	r = worker_make(&w, &why);
	if (r == 0)
		r = worker_confine(c, &pool, &why);
	if (r == 0 && hook_is_set("try"))
		serve_try();
	if (r < 0) {
		log_error("%s", why.text);
	} else {
		(void)!write(c->ready_fd, "R", 1); /* who reads it watches our exit too */
		(void)close(c->ready_fd);
		r = server_run(w.server);
	}
	if (w.tls && w.server)
		tls_detach(w.tls);
	server_free(w.server);
	access_log_free(w.log);
	tls_free(w.tls);
	site_free(w.site);
	pool_done(&pool);
	return r == 0 ? 0 : r == -ETIMEDOUT ? EX_SOFTWARE : EX_CONFIG;
}
