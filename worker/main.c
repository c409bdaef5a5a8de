/*
 * main.c - sallyport-httpd: arguments, self-check, sockets, supervisor, exit code.
 * Runs as: user sallyport-httpd, without any right; refuses to be more.
 * Logs:    yes.
 * Tests:   tests/http/test_http_start.py
 */
#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "worker/config/table.h"
#include "worker/sandbox.h"
#include "worker/selfcheck.h"
#include "worker/site/mime.h"
#include "worker/supervise.h"
#include "worker/tls/record_pool.h"
#include "worker/tls/tls.h"

static int
main_fail(int code, const struct why *why)
{
	log_error("%s", why->text);
	return code;
}

static enum log_level
main_level(const char *name)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };

	for (unsigned i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum log_level)(LOG_LEVEL_ERROR + i);
	return LOG_LEVEL_INFO;
}

/* Options that can be judged without sockets. */
static int
main_check(const struct config *c, struct why *why)
{
	const int r = tls_check(&c->tls, why);

	return r < 0 ? r : mime_load(c->settings.mime_types);
}

int
main(int argc, char **argv)
{
	static struct listeners listeners;
	static struct config *config; /* static: what main holds when it fails is no leak */
	struct options o;
	struct why why = { "" };
	int r;

	record_pool_use();
	log_setup("sallyport-httpd", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no MSG_NOSIGNAL */
	if (options_parse(argc, argv, &o, &why) < 0)
		return main_fail(EX_USAGE, &why);
	if (o.help) {
		options_help();
		config_print_help();
		return 0;
	}
	if (o.version) {
		(void)printf("sallyport-httpd %s\n", SALLYPORT_VERSION);
		return 0;
	}
	if (!o.check && selfcheck(&why) < 0)
		return main_fail(EX_NOPERM, &why);
	config = calloc(1, sizeof(*config));
	r = config ? supervise_load(&o, config, &why) : why_set(&why, -ENOMEM, "configuration");
	if (r == 0)
		r = main_check(config, &why);
	if (r < 0)
		return main_fail(EX_CONFIG, &why);
	log_setup("sallyport-httpd", LOG_FORMAT_TEXT, main_level(config->settings.log_level));
	if (o.check) {
		config_done(config);
		free(config);
		return 0;
	}
	if (listeners_take(&listeners, &why) < 0 || serve_check(config, &listeners, &why) < 0)
		return main_fail(EX_UNAVAILABLE, &why);
	if (config->settings.sandbox && sandbox_supervisor(&why) < 0)
		return main_fail(EX_OSERR, &why);
	return supervise(&o, &listeners, config);
}
