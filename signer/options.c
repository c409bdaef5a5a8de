/*
 * options.c - see options.h.
 */
#include "signer/options.h"

#include <getopt.h>

#include "common/clock.h"
#include "common/num.h"

#define RATE_DEFAULT 5000
#define RETIRE_SEC_DEFAULT 600
#define RETIRE_SEC_MAX (7 * 86400)

static const char keyd_help[] =
    "usage: sallyport-keyd [OPTION]...\n"
    "Holds TLS private keys and signs handshakes for sallyport-httpd, and nothing else.\n"
    "Takes its listening socket from the service manager (unix, seqpacket) and its keys from\n"
    "$CREDENTIALS_DIRECTORY: each PEM private key in it; the password of NAME in NAME.pass.\n"
    "\n"
    "  --key FILE           a key from a file as well (repeatable)\n"
    "  --rate N[:BURST]     requests a second of one client, 0 for no limit (5000:10000)\n"
    "  --retire-sec N       a replaced key still signs for N seconds (600)\n"
    "  --log-format=json    log lines as JSON\n"
    "  --debug              log more\n"
    "  --check              read the keys, print what they are, leave\n"
    "  --help, --version\n"
    "\n"
    "SIGHUP reads the keys again; SIGTERM answers what was asked, then leaves.\n";

enum option_id { OPT_KEY = 256, OPT_RATE, OPT_RETIRE, OPT_LOG_FORMAT, OPT_DEBUG, OPT_CHECK };

static const struct option keyd_long_options[] = {
	{ "key", required_argument, NULL, OPT_KEY },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "retire-sec", required_argument, NULL, OPT_RETIRE },
	{ "log-format", required_argument, NULL, OPT_LOG_FORMAT },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int
parse_rate(const char *text, struct keyd_options *o)
{
	const char *colon = strchr(text, ':');
	const size_t n = colon ? (size_t)(colon - text) : strlen(text);
	int r = num_parse((struct span){ text, n }, 10, 0, 1000000, &o->rate_per_sec);

	o->rate_burst = o->rate_per_sec * 2;
	if (r == 0 && colon)
		r = num_parse_str(colon + 1, 1, 10000000, &o->rate_burst);
	return r;
}

/* Return: OPTIONS_RUN to go on, OPTIONS_EXIT, or -EINVAL. */
static int
apply(int opt, const char *value, struct keyd_options *o, struct why *why)
{
	switch (opt) {
	case OPT_KEY:
		if (o->sources.n_files == KEYS_FILES_MAX)
			return why_set(why, -EINVAL, "more than %d --key", KEYS_FILES_MAX);
		o->sources.files[o->sources.n_files++] = value;
		return OPTIONS_RUN;
	case OPT_RATE:
		if (parse_rate(value, o) < 0)
			return why_set(why, -EINVAL, "--rate %s: want N or N:BURST", value);
		return OPTIONS_RUN;
	case OPT_RETIRE:
		if (num_parse_str(value, 0, RETIRE_SEC_MAX, &o->retire_usec) < 0)
			return why_set(why, -EINVAL, "--retire-sec %s: want seconds", value);
		o->retire_usec *= USEC_PER_SEC;
		return OPTIONS_RUN;
	case OPT_LOG_FORMAT:
		o->json = strcmp(value, "json") == 0;
		if (!o->json && strcmp(value, "text") != 0)
			return why_set(why, -EINVAL, "--log-format %s: want text or json", value);
		return OPTIONS_RUN;
	case OPT_DEBUG:
		o->debug = true;
		return OPTIONS_RUN;
	case OPT_CHECK:
		o->check = true;
		return OPTIONS_RUN;
	case 'h':
		(void)fputs(keyd_help, stdout);
		return OPTIONS_EXIT;
	case 'V':
		(void)puts("sallyport-keyd " SALLYPORT_VERSION);
		return OPTIONS_EXIT;
	default:
		return why_set(why, -EINVAL, "see --help");
	}
}

int
keyd_options_parse(int argc, char **argv, struct keyd_options *ret, struct why *why)
{
	struct keyd_options o = {
		.rate_per_sec = RATE_DEFAULT,
		.rate_burst = 2 * RATE_DEFAULT,
		.retire_usec = RETIRE_SEC_DEFAULT * USEC_PER_SEC,
		.sources.directory = getenv("CREDENTIALS_DIRECTORY"),
	};
	int opt, r = OPTIONS_RUN;

	while (
	    r == OPTIONS_RUN && (opt = getopt_long(argc, argv, "", keyd_long_options, NULL)) >= 0)
		r = apply(opt, optarg, &o, why);
	if (r == OPTIONS_RUN && optind < argc)
		r = why_set(why, -EINVAL, "%s: no such argument; see --help", argv[optind]);
	if (r == OPTIONS_RUN)
		*ret = o;
	return r;
}
