/*
 * table.h - every option of the configuration file, once: what parses it, what --help and the
 * manual page say of it, and where its value goes.
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_config.py (the manual page names every row)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/conn.h"
#include "worker/site/map.h"

/* Options outside any section. */
struct settings {
	uint32_t workers; /* 0: one per CPU */
	uint32_t connections, connections_per_address, requests_per_connection;
	uint32_t request_rate, request_burst; /* per address and second; 0: no limit */
	uint64_t request_line, header_bytes, body_bytes;
	uint32_t header_fields;
	uint64_t min_rate; /* bytes per second */
	uint64_t patience_usec[PATIENCE_END];
	uint64_t drain_usec, drain_idle_usec;
	uint32_t cache_files;
	uint64_t cache_bytes;
	const char *mime_types;
	bool server_field, sandbox;
	const char *access_log, *access_format, *log_level;
	struct text_list certificates;
	const char *signer, *tls_min, *tls_ciphers, *tls_suites, *tls_groups;
	uint32_t tls_security_level;
	bool tls_kernel;
	uint64_t tls_first_record, ticket_lifetime_usec;
	const char *ticket_credential, *client_ca, *client_auth;
};

/* Options of a site that its routes do not have. */
struct site_settings {
	struct text_list names;
	bool is_default;
	struct site_tls tls;
};

enum config_kind {
	CONFIG_BOOL, /* bool: yes or no */
	CONFIG_AUTO, /* uint32_t, or auto: 0 */
	CONFIG_COUNT, /* uint32_t */
	CONFIG_SIZE, /* uint64_t bytes: 16K, 1M, 2G */
	CONFIG_TIME, /* uint64_t microseconds: 500ms, 15s, 2m, 1h, 7d */
	CONFIG_TEXT, /* const char * */
	CONFIG_LIST, /* struct text_list: { "a", "b" } */
};

enum config_where {
	IN_GLOBAL, /* struct settings */
	IN_SITE, /* struct site_settings */
	IN_ROUTE, /* struct route_settings; in a site too, for all its routes */
};

struct config_row {
	enum config_where where;
	const char *name;
	enum config_kind kind;
	size_t field;
	uint64_t min, max; /* of numbers, in bytes or microseconds */
	const char *value; /* the default as one would write it; NULL: none */
	/* What is wrong with a text or a list element; NULL: anything goes. */
	int (*check)(const char *text, struct why *why);
	const char *doc;
};

extern const struct config_row config_rows[];
extern const size_t config_n_rows;

/* A value of a row from its text. Texts are copied into pool. Return: 0 or -errno with why. */
_must_check_ int config_convert(
    const struct config_row *row, const char *text, struct pool *pool, void *base, struct why *why);

/* One more element of a CONFIG_LIST. */
_must_check_ int config_append(
    const struct config_row *row, const char *text, struct pool *pool, void *base, struct why *why);

/* Gives every row of `where` its default. */
_must_check_ int config_defaults(enum config_where where, struct pool *pool, void *base);

/* For --help. */
void config_print_help(void);
