/*
 * options.c - see options.h.
 */
#include "worker/options.h"

#include <stddef.h>
#include <string.h>

#include "common/buf.h"

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_LIST, /* may be repeated */
};

struct option_row {
	const char *name;
	const char *value; /* what --help calls it; NULL for a flag */
	enum option_kind kind;
	size_t field;
	const char *text;
};

static const struct option_row option_rows[] = {
	{ "root", "DIR", OPTION_TEXT, offsetof(struct options, root),
	    "Serve the files below DIR. All that is needed for one site." },
	{ "config", "FILE", OPTION_TEXT, offsetof(struct options, config),
	    "Read sites, routes and limits from FILE." },
	{ "workers", "N", OPTION_TEXT, offsetof(struct options, workers),
	    "Processes that serve, whatever the configuration says." },
	{ "cert", "FILE", OPTION_LIST, offsetof(struct options, certs),
	    "A certificate and its chain (PEM, repeatable); the key is sallyport-keyd's." },
	{ "keyd", "PATH", OPTION_TEXT, offsetof(struct options, keyd),
	    "The signer's socket (/run/sallyport-keyd/sign.sock)." },
	{ "tls-min", "VERSION", OPTION_TEXT, offsetof(struct options, tls_min),
	    "1.2 (the default) or 1.3." },
	{ "tls-groups", "LIST", OPTION_TEXT, offsetof(struct options, tls_groups),
	    "Groups for the key exchange, best first (X25519:P-256:P-384)." },
	{ "client-ca", "FILE", OPTION_TEXT, offsetof(struct options, client_ca),
	    "Ask clients for a certificate of these CAs (PEM)." },
	{ "client-auth", "MODE", OPTION_TEXT, offsetof(struct options, client_auth),
	    "With --client-ca: \"required\" (the default) or \"optional\"." },
	{ "check", NULL, OPTION_FLAG, offsetof(struct options, check),
	    "Check the configuration, say what is wrong with it, and exit." },
	{ "help", NULL, OPTION_FLAG, offsetof(struct options, help), "Print this and exit." },
	{ "version", NULL, OPTION_FLAG, offsetof(struct options, version),
	    "Print the version and exit." },
};

/* "--name" or "--name=value". Return: the row, *ret_value after '=' or NULL; NULL if unknown. */
static const struct option_row *
option_find(const char *arg, const char **ret_value)
{
	*ret_value = NULL;
	if (!str_starts(arg, "--"))
		return NULL;
	for (size_t i = 0; i < ELEMENTSOF(option_rows); i++) {
		const char *rest = arg + 2;
		const size_t n = strlen(option_rows[i].name);

		if (strncmp(rest, option_rows[i].name, n) != 0)
			continue;
		if (rest[n] == '=')
			*ret_value = rest + n + 1;
		if (rest[n] == '=' || rest[n] == '\0')
			return &option_rows[i];
	}
	return NULL;
}

static int
option_set(struct options *o, const struct option_row *row, const char *value, struct why *why)
{
	void *field = (char *)o + row->field;
	struct option_list *list = field;

	if (row->kind == OPTION_TEXT) {
		*(const char **)field = value;
		return 0;
	}
	if (list->n == OPTION_LIST_MAX)
		return why_set(why, -EINVAL, "--%s more than %d times", row->name, OPTION_LIST_MAX);
	list->item[list->n++] = value;
	return 0;
}

int
options_parse(int argc, char **argv, struct options *ret, struct why *why)
{
	*ret = (struct options){ 0 };
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = option_find(argv[i], &value);

		if (!row)
			return why_set(why, -EINVAL, "unknown option %s; see --help", argv[i]);
		if (row->kind == OPTION_FLAG) {
			if (value)
				return why_set(why, -EINVAL, "--%s takes no value", row->name);
			*(bool *)(void *)((char *)ret + row->field) = true;
			continue;
		}
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value || *value == '\0')
			return why_set(
			    why, -EINVAL, "--%s needs a value: %s", row->name, row->value);
		if (option_set(ret, row, value, why) < 0)
			return -EINVAL;
	}
	if (ret->help || ret->version)
		return 0;
	if (!ret->root && !ret->config)
		return why_set(why, -EINVAL, "nothing to serve: give --root DIR or --config FILE");
	return 0;
}

void
options_help(void)
{
	(void)printf(
	    "sallyport-httpd - a web server that is handed its sockets and never has root\n"
	    "usage: sallyport-httpd --root DIR | --config FILE [OPTION...]\n\n");
	for (size_t i = 0; i < ELEMENTSOF(option_rows); i++) {
		const struct option_row *row = &option_rows[i];
		char left[40];

		(void)snprintf(left, sizeof(left), "--%s%s%s", row->name, row->value ? " " : "",
		    row->value ? row->value : "");
		(void)printf("  %-18s %s\n", left, row->text);
	}
}
