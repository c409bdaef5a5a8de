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
		*(const char **)(void *)((char *)ret + row->field) = value;
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
