/*
 * main.c - sallyport-httpd: arguments, self-check, sockets, loop, exit code.
 * Runs as: user sallyport-httpd, without any right; refuses to be more.
 * Logs:    yes.
 * Tests:   tests/http/test_http_start.py
 */
#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/hooks.h"
#include "worker/listener.h"
#include "worker/options.h"
#include "worker/selfcheck.h"
#include "worker/server.h"
#include "worker/site/site.h"
#include "worker/tls/tls.h"

static void
main_respond(void *site, const struct request *r, int64_t now, struct answer *a)
{
	site_answer(site, r, now, a);
}

static const struct server_options main_defaults = {
	.limits = {
		.head = { .line_bytes = 8192, .head_bytes = 16384, .fields = 100 },
		.body_bytes = 1 << 20,
		.requests = 10000,
	},
	.patience_usec = {
		[PATIENCE_HANDSHAKE] = 15 * USEC_PER_SEC,
		[PATIENCE_HEAD] = 15 * USEC_PER_SEC,
		[PATIENCE_IDLE] = 75 * USEC_PER_SEC,
		[PATIENCE_BODY] = 30 * USEC_PER_SEC,
		[PATIENCE_WRITE] = 60 * USEC_PER_SEC,
		[PATIENCE_LINGER] = 5 * USEC_PER_SEC,
	},
	.drain_idle_usec = 1 * USEC_PER_SEC,
	.drain_usec = 30 * USEC_PER_SEC,
	.connections = 100000,
	.respond = main_respond,
	.respond_error = site_answer_error,
};

static int
main_fail(int code, const struct why *why)
{
	log_error("%s", why->text);
	return code;
}

/* The command line over the defaults. Return: 0 or -EINVAL with why. */
static int
main_tls_options(const struct options *o, struct tls_options *t, struct why *why)
{
	*t = tls_defaults;
	t->n_certs = o->certs.n;
	memcpy(t->certs, o->certs.item, o->certs.n * sizeof(t->certs[0]));
	t->keyd = o->keyd ? o->keyd : t->keyd;
	t->min_version = o->tls_min ? o->tls_min : t->min_version;
	t->groups = o->tls_groups ? o->tls_groups : t->groups;
	t->client_ca = o->client_ca;
	if (o->client_ca)
		t->client_auth = TLS_CLIENT_AUTH_REQUIRED;
	if (!o->client_auth || strcmp(o->client_auth, "required") == 0)
		return 0;
	if (strcmp(o->client_auth, "optional") != 0)
		return why_set(
		    why, -EINVAL, "--client-auth %s: want required or optional", o->client_auth);
	t->client_auth = TLS_CLIENT_AUTH_OPTIONAL;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct listeners listeners;
	struct server_options so = main_defaults;
	struct site_options site = {
		.index = "index.html", .cache_files = 4096, .cache_bytes = 64u << 20
	};
	struct options o;
	struct why why = { "" };
	static struct tls_options tls_options;
	struct server *server = NULL;
	struct tls *tls = NULL;
	int r;

	log_setup("sallyport-httpd", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no MSG_NOSIGNAL */
	if (options_parse(argc, argv, &o, &why) < 0)
		return main_fail(EX_USAGE, &why);
	if (o.help) {
		options_help();
		return 0;
	}
	if (o.version) {
		(void)printf("sallyport-httpd %s\n", SALLYPORT_VERSION);
		return 0;
	}
	if (!o.check && selfcheck(&why) < 0)
		return main_fail(EX_NOPERM, &why);
	if (main_tls_options(&o, &tls_options, &why) < 0)
		return main_fail(EX_USAGE, &why);
	site.root = o.root;
	r = site_new(&site, (struct site **)&so.site, &why);
	if (r < 0)
		return main_fail(EX_CONFIG, &why);
	if (o.check) {
		site_free(so.site);
		return tls_check(&tls_options, &why) < 0 ? main_fail(EX_CONFIG, &why) : 0;
	}
	if (hook_is_set("short-handshake")) /* so that a test can watch thousands run out of time */
		so.patience_usec[PATIENCE_HANDSHAKE] = USEC_PER_SEC;
	so.factory[ROLE_HTTP] = plain_factory;
	if (listeners_take(&listeners, &why) < 0)
		return main_fail(EX_UNAVAILABLE, &why);
	if (o.certs.n > 0) {
		if (tls_new(&tls_options, &tls, &why) < 0)
			return main_fail(EX_CONFIG, &why);
		so.factory[ROLE_HTTPS] = tls_factory(tls);
	}
	if (server_new(&so, &listeners, &server, &why) < 0)
		return main_fail(EX_UNAVAILABLE, &why);
	if (tls)
		tls_attach(tls, server_loop(server));
	r = server_run(server);
	if (tls)
		tls_detach(tls);
	server_free(server);
	tls_free(tls);
	site_free(so.site);
	return r < 0 ? EX_SOFTWARE : 0;
}
