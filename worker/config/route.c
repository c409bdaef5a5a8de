/*
 * route.c - see route.h. The texts have passed their checks (check.c).
 */
#include "worker/config/route.h"

#include <assert.h>

#include "common/num.h"
#include "worker/config/check.h"
#include "worker/http/field.h"
#include "worker/site/auth.h"
#include "worker/site/beneath.h"
#include "worker/site/users.h"

#define METHODS_ALL ((1u << METHOD_GET) | (1u << METHOD_HEAD) | (1u << METHOD_OPTIONS))

int
check_site_title(const char *text, struct why *why)
{
	return check_host(text, why);
}

static int
route_match(const char *match, struct route *r, struct why *why)
{
	if (match[0] == '*' && match[1]) {
		r->kind = MATCH_SUFFIX;
		match++;
	} else if (match[0] == '=' && match[1] == '/') {
		r->kind = MATCH_EXACT;
		match++;
	} else if (match[0] == '/') {
		r->kind = MATCH_PREFIX;
	} else {
		return why_set(why, -EINVAL, "want /prefix, =/exact or *.suffix");
	}
	r->match = match;
	r->match_len = strlen(match);
	return 0;
}

static uint32_t last_id; /* of roots; never the same twice in a process */

static int
route_root(struct route *r, struct why *why)
{
	const char *dir = r->s.alias ? r->s.alias : r->s.root;

	if (r->s.alias && r->s.root)
		return why_set(why, -EINVAL, "root and alias exclude each other");
	if (!dir)
		return 0;
	r->root = beneath_root(dir);
	if (r->root < 0)
		return why_set(why, r->root, "root directory %s", dir);
	r->root_id = ++last_id;
	return 0;
}

static int
route_fields(struct pool *pool, struct route *r)
{
	size_t size = 1;
	struct buf b;
	char *storage;

	for (uint32_t i = 0; i < r->s.headers.n; i++)
		size += strlen(r->s.headers.item[i]) + 2;
	storage = pool_alloc(pool, size);
	if (!storage)
		return -ENOMEM;
	buf_init(&b, storage, size);
	for (uint32_t i = 0; i < r->s.headers.n; i++) {
		(void)buf_puts(&b, r->s.headers.item[i]);
		(void)buf_puts(&b, "\r\n");
	}
	assert(!b.failed);
	r->fields = storage;
	r->fields_len = b.len;
	return 0;
}

static int
route_methods(struct pool *pool, struct route *r)
{
	char storage[64];
	struct buf b;

	r->methods = r->s.methods.n > 0 ? 0 : METHODS_ALL;
	for (uint32_t i = 0; i < r->s.methods.n; i++)
		r->methods |=
		    1u << method_lookup(r->s.methods.item[i], strlen(r->s.methods.item[i]));
	buf_init(&b, storage, sizeof(storage));
	for (unsigned m = 0; m < METHOD_END; m++)
		if ((r->methods >> m) & 1)
			(void)buf_printf(
			    &b, "%s%s", b.len > 0 ? ", " : "", method_name((enum method)m));
	r->allow = pool_strdup(pool, buf_cstr(&b));
	return r->allow ? 0 : -ENOMEM;
}

static int
route_access(struct pool *pool, struct route *r)
{
	r->n_access = r->s.access.n;
	r->access_rules = pool_alloc(pool, r->n_access * sizeof(*r->access_rules));
	for (uint32_t i = 0; r->access_rules && i < r->n_access; i++) {
		const char *text = r->s.access.item[i];

		r->access_rules[i].allow = text[0] == 'a';
		if (net_parse(strchr(text, ' ') + 1, &r->access_rules[i]) < 0)
			return -EINVAL;
	}
	return r->access_rules ? 0 : -ENOMEM;
}

static int
route_pages(struct pool *pool, struct route *r)
{
	r->n_pages = r->s.error_pages.n;
	r->pages = pool_alloc(pool, r->n_pages * sizeof(*r->pages));
	for (uint32_t i = 0; r->pages && i < r->n_pages; i++) {
		const char *text = r->s.error_pages.item[i];
		uint64_t status;

		if (num_parse((struct span){ text, 3 }, 10, 400, 599, &status) < 0)
			return -EINVAL;
		r->pages[i] = (struct error_page){ (uint16_t)status, text + 4 };
	}
	return r->pages ? 0 : -ENOMEM;
}

/* A type with a star is kept up to its slash. */
static int
route_cache(struct pool *pool, struct route *r)
{
	r->n_cache = r->s.cache_types.n;
	r->cache_rules = pool_alloc(pool, r->n_cache * sizeof(*r->cache_rules));
	for (uint32_t i = 0; r->cache_rules && i < r->n_cache; i++) {
		char *type = pool_strdup(pool, r->s.cache_types.item[i]);
		char *colon = type ? strstr(type, ": ") : NULL;

		if (!colon)
			return -ENOMEM;
		*colon = '\0';
		r->cache_rules[i].value = colon + 2;
		if (colon > type && colon[-1] == '*')
			colon[-1] = '\0';
		r->cache_rules[i].type = type;
	}
	return r->cache_rules ? 0 : -ENOMEM;
}

static int
route_is_whole(const struct route *r, struct why *why)
{
	if (r->s.redirect && r->s.respond)
		return why_set(why, -EINVAL, "redirect and respond exclude each other");
	if (r->s.redirect && r->s.status && (r->s.status < 300 || r->s.status > 399))
		return why_set(why, -EINVAL, "redirect with status %u", r->s.status);
	if (r->root < 0 && !r->s.redirect && !r->s.respond && !r->s.status && !r->s.users)
		return why_set(why, -EINVAL,
		    "nothing to do: want root, alias, redirect, respond, status or users");
	return 0;
}

int
route_make(struct pool *pool, const char *match, const struct route_settings *s, struct route *ret,
    struct why *why)
{
	int r;

	*ret = (struct route){ .s = *s, .root = -EBADF };
	match = pool_strdup(pool, match);
	if (!match)
		return why_set(why, -ENOMEM, "route");
	r = route_match(match, ret, why);
	if (r == 0)
		r = route_root(ret, why);
	if (r == 0)
		r = route_is_whole(ret, why);
	if (r < 0)
		return r;
	if (s->auth) {
		r = htpasswd_load(s->auth, &ret->passwords, why);
		if (r < 0)
			return r;
	}
	if (s->users) {
		r = users_load(s->users_dir, &last_id, &ret->users, why);
		if (r < 0)
			return r;
	}
	r = route_fields(pool, ret);
	if (r == 0)
		r = route_methods(pool, ret);
	if (r == 0)
		r = route_access(pool, ret);
	if (r == 0)
		r = route_pages(pool, ret);
	if (r == 0)
		r = route_cache(pool, ret);
	return r < 0 ? why_set(why, r, "route %s", match) : 0;
}
