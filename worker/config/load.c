/*
 * load.c - see load.h. libconfuse knows the syntax; every value is text to it, and the table says
 * what the text must be, while the line is still known.
 */
#include "worker/config/load.h"

#include <confuse.h>
#include <string.h>

#include "worker/config/route.h"

/* libconfuse's callbacks have no argument of ours. Loading is done by one thread, before serving. */
static struct {
	struct why *why;
	bool said;
	struct pool *scrap;
} loading;

static void on_error(cfg_t *cfg, const char *format, va_list args) _printf_(2, 0);

static void
on_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[512];

	if (loading.said)
		return; /* the first complaint is the one that helps */
	loading.said = true;
	(void)vsnprintf(text, sizeof(text), format, args);
	(void)why_set(
	    loading.why, 0, "%s:%d: %s", cfg->filename ? cfg->filename : "?", cfg->line, text);
}

static const struct config_row *
row_find(const char *name, bool section)
{
	for (size_t i = 0; i < config_n_rows; i++)
		if (strcmp(config_rows[i].name, name) == 0 &&
		    (config_rows[i].where != IN_GLOBAL) == section)
			return &config_rows[i];
	return NULL;
}

/* The value at hand is converted into nothing, for its complaint and its line. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct config_row *row = row_find(cfg_opt_name(opt), strcmp(cfg->name, "root") != 0);
	union {
		struct settings settings;
		struct site_settings site;
		struct route_settings route;
	} nowhere;
	struct why why = { "" };

	memset(&nowhere, 0, sizeof(nowhere));
	for (unsigned i = 0; row && i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);

		if (text && config_convert(row, text, loading.scrap, &nowhere, &why) < 0) {
			cfg_error(cfg, "%s", why.text);
			return -1;
		}
	}
	return 0;
}

/* cfg_opt_t rows of our rows; sub is the section inside, or NULL. */
static size_t
opts_fill(cfg_opt_t *opts, bool global, bool site, cfg_opt_t *sub, const char *sub_name)
{
	size_t n = 0;

	for (size_t i = 0; i < config_n_rows; i++) {
		const struct config_row *row = &config_rows[i];

		if ((row->where == IN_GLOBAL) != global || (row->where == IN_SITE && !site))
			continue;
		if (row->kind == CONFIG_LIST)
			opts[n++] = (cfg_opt_t)CFG_STR_LIST(row->name, 0, CFGF_NODEFAULT);
		else
			opts[n++] = (cfg_opt_t)CFG_STR(row->name, 0, CFGF_NODEFAULT);
		opts[n - 1].validcb = on_value;
	}
	if (sub)
		opts[n++] = (cfg_opt_t)CFG_SEC(
		    sub_name, sub, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	opts[n++] = (cfg_opt_t)CFG_END();
	return n;
}

/* Everything that a section says, over what base holds already. */
static int
section_read(cfg_t *cfg, enum config_where where, struct pool *pool, void *base, struct why *why)
{
	for (size_t i = 0; i < config_n_rows; i++) {
		const struct config_row *row = &config_rows[i];
		cfg_opt_t *opt;

		if (row->where != where)
			continue;
		opt = cfg_getopt(cfg, row->name);
		for (unsigned k = 0; opt && k < cfg_opt_size(opt); k++) {
			const char *text = cfg_opt_getnstr(opt, k);
			int r;

			if (!text)
				continue;
			r = k == 0 ? config_convert(row, text, pool, base, why)
				   : config_append(row, text, pool, base, why);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool
section_says(cfg_t *cfg, const char *name)
{
	cfg_opt_t *opt = cfg_getopt(cfg, name);

	return opt && cfg_opt_size(opt) > 0 && cfg_opt_getnstr(opt, 0);
}

/* What a route inherits: all but what makes a route what it is. */
static void
route_inherit(const struct route_settings *site, cfg_t *cfg, struct route_settings *ret)
{
	*ret = *site;
	ret->status = 0;
	ret->redirect = ret->respond = NULL;
	if (section_says(cfg, "alias"))
		ret->root = NULL;
	if (section_says(cfg, "root"))
		ret->alias = NULL;
}

static int
site_read(cfg_t *cfg, struct map *m, struct vhost *h, struct why *why)
{
	const unsigned n = cfg_size(cfg, "route");
	struct site_settings site = { 0 };
	struct route_settings base = { 0 };
	struct route *r;
	int e;

	if (config_defaults(IN_ROUTE, &m->pool, &base) < 0)
		return why_set(why, -ENOMEM, "site %s", cfg_title(cfg));
	if (config_defaults(IN_SITE, &m->pool, &site) < 0)
		return why_set(why, -ENOMEM, "site %s", cfg_title(cfg));
	e = section_read(cfg, IN_SITE, &m->pool, &site, why);
	if (e == 0)
		e = section_read(cfg, IN_ROUTE, &m->pool, &base, why);
	if (e < 0)
		return e;
	h->title = pool_strdup(&m->pool, cfg_title(cfg));
	h->names = site.names;
	h->is_default = site.is_default;
	h->tls = site.tls;
	if (h->tls.certificates.n > 0 || h->tls.client_ca || h->tls.client_auth)
		h->tls_group = ++m->n_tls_groups;
	h->routes = pool_alloc(&m->pool, (n + 1) * sizeof(*h->routes));
	if (!h->title || !h->routes)
		return why_set(why, -ENOMEM, "site %s", cfg_title(cfg));
	if (h->names.n == 0 && strcmp(h->title, "*") != 0) {
		static const struct config_row names = { IN_SITE, "names", CONFIG_LIST, 0, 0, 0,
			NULL, check_site_title, NULL };

		e = config_convert(&names, h->title, &m->pool, &h->names, why);
		if (e < 0)
			return e;
	}
	for (unsigned i = 0; i < n; i++) {
		cfg_t *sub = cfg_getnsec(cfg, "route", i);
		struct route_settings s;

		route_inherit(&base, sub, &s);
		e = section_read(sub, IN_ROUTE, &m->pool, &s, why);
		if (e < 0)
			return e;
		r = &h->routes[h->n_routes++];
		e = route_make(&m->pool, cfg_title(sub), &s, r, why);
		if (e < 0)
			return why_prefix(why, e, "%s:%d: route \"%s\"", sub->filename, sub->line,
			    cfg_title(sub));
	}
	r = &h->routes[h->n_routes++];
	e = route_make(&m->pool, "/", &base, r, why);
	return e < 0 ? why_prefix(why, e, "%s:%d: site \"%s\"", cfg->filename, cfg->line, h->title)
		     : 0;
}

static int
sites_read(cfg_t *cfg, struct config *c, struct why *why)
{
	const unsigned n = cfg_size(cfg, "site");
	struct map *m = &c->map;

	if (n == 0)
		return why_set(why, -EINVAL, "%s: no site in it", cfg->filename);
	m->hosts = pool_alloc(&m->pool, n * sizeof(*m->hosts));
	if (!m->hosts)
		return why_set(why, -ENOMEM, "sites");
	for (unsigned i = 0; i < n; i++) {
		const int r =
		    site_read(cfg_getnsec(cfg, "site", i), m, &m->hosts[m->n_hosts++], why);

		if (r < 0)
			return r;
	}
	return map_finish(m, why);
}

int
config_load(const char *path, struct config *ret, struct why *why)
{
	/* One more for the section inside and one for the end. */
	_cleanup_free_ cfg_opt_t *route = calloc(config_n_rows + 2, sizeof(cfg_opt_t));
	_cleanup_free_ cfg_opt_t *site = calloc(config_n_rows + 2, sizeof(cfg_opt_t));
	_cleanup_free_ cfg_opt_t *top = calloc(config_n_rows + 2, sizeof(cfg_opt_t));
	struct config c = { 0 };
	struct pool scrap = { 0 };
	cfg_t *cfg;
	int r;

	if (!route || !site || !top)
		return why_set(why, -ENOMEM, "%s", path);
	(void)opts_fill(route, false, false, NULL, NULL);
	(void)opts_fill(site, false, true, route, "route");
	(void)opts_fill(top, true, false, site, "site");
	cfg = cfg_init(top, CFGF_NONE);
	if (!cfg)
		return why_set(why, -ENOMEM, "%s", path);
	loading.why = why;
	loading.said = false;
	loading.scrap = &scrap;
	(void)cfg_set_error_function(cfg, on_error); /* the old one is none */
	errno = 0;
	r = cfg_parse(cfg, path);
	if (r == CFG_FILE_ERROR)
		r = why_set(why, errno ? -errno : -EIO, "%s", path);
	else if (r != CFG_SUCCESS)
		r = loading.said ? -EINVAL : why_set(why, -EINVAL, "%s: does not parse", path);
	if (r == 0)
		r = config_defaults(IN_GLOBAL, &c.map.pool, &c.settings);
	if (r == 0)
		r = section_read(cfg, IN_GLOBAL, &c.map.pool, &c.settings, why);
	if (r == 0)
		r = sites_read(cfg, &c, why);
	(void)cfg_free(cfg);
	pool_done(&scrap);
	if (r < 0) {
		config_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

int
config_of_root(const char *root, struct config *ret, struct why *why)
{
	struct config c = { 0 };
	struct map *m = &c.map;
	struct route_settings s = { 0 };
	int r = -ENOMEM;

	m->hosts = pool_alloc(&m->pool, sizeof(*m->hosts));
	if (m->hosts) {
		m->n_hosts = 1;
		m->hosts[0].title = root;
		m->hosts[0].routes = pool_alloc(&m->pool, sizeof(*m->hosts[0].routes));
	}
	if (m->hosts && m->hosts[0].routes)
		r = config_defaults(IN_GLOBAL, &m->pool, &c.settings);
	if (r == 0)
		r = config_defaults(IN_ROUTE, &m->pool, &s);
	if (r < 0) {
		config_done(&c);
		return why_set(why, r, "defaults");
	}
	s.root = root;
	m->hosts[0].n_routes = 1;
	r = route_make(&m->pool, "/", &s, &m->hosts[0].routes[0], why);
	if (r == 0)
		r = map_finish(m, why);
	if (r < 0) {
		config_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void
config_done(struct config *c)
{
	map_done(&c->map);
}
