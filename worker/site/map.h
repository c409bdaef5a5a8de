/*
 * map.h - the sites and routes of a configuration, ready to be asked: which site has this host,
 * which of its routes has this path.
 * Runs as: worker, no rights.
 * Trusts:  the configuration's author; config/load.c has checked its form.
 * Owns:    every text and table of a map lives in its pool and goes with it; root descriptors too.
 * Tests:   tests/unit/test_site_map.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "worker/http/message.h"

/* Memory that is freed all at once. */
struct pool {
	void **blocks;
	size_t n;
};

/* What either returns lives until pool_done(); NULL when there is no memory. */
void *pool_alloc(struct pool *p, size_t size); /* zeroed; NULL when there is no memory */
char *pool_strdup(struct pool *p, const char *text);
void pool_done(struct pool *p);

struct text_list {
	uint32_t n;
	char **item;
};

/* What a site or a route may say; a route begins as a copy of its site's. config/table.c has the
 * meaning of each in words. */
struct route_settings {
	const char *root, *alias;
	struct text_list index, try_list;
	const char *redirect, *respond, *type;
	uint32_t status;
	bool autoindex, dotfiles, compress, precompressed, users;
	struct text_list headers, cache_types, error_pages, access, methods, client_subjects;
	bool expires;
	const char *cache, *auth, *auth_realm, *users_dir;
};

/* What a site says of TLS, for all its routes. */
struct site_tls {
	struct text_list certificates;
	const char *client_ca, *client_auth, *hsts;
	bool redirect;
	uint32_t port; /* where redirect sends clients */
};

struct net_rule {
	bool allow;
	uint8_t bits; /* of the 128 of a v4-mapped or v6 address; 0 is everybody */
	uint8_t addr[16];
};

struct error_page {
	uint16_t status;
	const char *path;
};

struct cache_rule {
	const char *type; /* "text/html", or "image/" for every image */
	const char *value;
};

struct htpasswd; /* auth.h */
struct users; /* users.h */

enum match_kind {
	MATCH_PREFIX, /* whole segments */
	MATCH_SUFFIX,
	MATCH_EXACT,
};

struct route {
	struct route_settings s;
	enum match_kind kind;
	const char *match;
	size_t match_len;
	int root; /* directory descriptor of root or alias; -EBADF */
	uint32_t root_id;
	bool has_status; /* status was set by this route, not inherited */
	unsigned methods; /* bit per enum method */
	const char *allow; /* the Allow field of that */
	const char *fields; /* "Name: value CRLF" lines */
	size_t fields_len;
	uint32_t n_access, n_pages, n_cache;
	struct net_rule *access_rules;
	struct error_page *pages;
	struct cache_rule *cache_rules;
	struct htpasswd *passwords;
	struct users *users; /* NULL unless s.users */
};

struct vhost {
	const char *title;
	struct text_list names;
	bool is_default;
	struct site_tls tls;
	unsigned tls_group; /* see struct identity */
	bool asks_client, needs_client; /* for a certificate; config/tls.c */
	uint32_t n_routes;
	struct route
	    *routes; /* exact, then suffix, then prefix by falling length; the last is "/" */
};

struct map_name {
	const char *name; /* lower case; a wildcard without its star: ".example.org" */
	const struct vhost *host;
};

struct map {
	struct pool pool;
	uint32_t n_hosts;
	struct vhost *hosts;
	const struct vhost *fallback;
	unsigned n_tls_groups; /* beside group 0, of all that say nothing of their own */
	uint32_t n_names;
	bool any_suffix; /* a name that begins with a dot */
	uint64_t lengths; /* of names: a bit for each, modulo 64 */
	struct map_name *names; /* sorted */
};

/* Sorts routes and names; -EEXIST with why when a name is claimed twice. */
_must_check_ int map_finish(struct map *m, struct why *why);
void map_done(struct map *m);

/* The site for a host as it was sent, without port. Never NULL. */
const struct vhost *map_host(const struct map *m, struct span host);

/* The route for a normalised path. Never NULL. */
const struct route *vhost_route(const struct vhost *h, struct span path);

/* "10.0.0.0/8", "::1", "all". Return: 0 or -EINVAL. */
_must_check_ int net_parse(const char *text, struct net_rule *ret);

/* First rule that holds the address decides; none does: allowed. */
bool net_allowed(const struct net_rule *rules, size_t n, const uint8_t addr[16]);
