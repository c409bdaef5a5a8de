/*
 * site.c - see site.h.
 */
#include "worker/site/site.h"

#include "common/num.h"
#include "worker/hooks.h"
#include "worker/http/field.h"
#include "worker/http/httpdate.h"
#include "worker/http/target.h"
#include "worker/site/auth.h"
#include "worker/site/find.h"
#include "worker/site/list.h"
#include "worker/site/page.h"
#include "worker/site/secure.h"
#include "worker/site/send.h"
#include "worker/site/users.h"
#include "worker/site/variant.h"

/* What a request has been resolved to so far. */
struct visit {
	const struct request *r;
	const struct vhost *host;
	const struct route *route;
	struct span path; /* below the route's root: alias taken off */
	bool bare; /* the alias itself was asked for, without a slash behind */
	int64_t now;
};

int
site_new(const struct map *map, size_t cache_files, size_t cache_bytes, bool server_field,
    struct site **ret, struct why *why)
{
	struct site *s = calloc(1, sizeof(*s));

	if (!s || filecache_new(cache_files, cache_bytes, &s->files) < 0) {
		free(s);
		return why_set(why, -ENOMEM, "site");
	}
	s->map = map;
	s->server_field = server_field;
	*ret = s;
	return 0;
}

void
site_free(struct site *s)
{
	if (!s)
		return;
	filecache_free(s->files);
	free(s);
}

/* "/dir" is a directory: send the client to "/dir/", so that its relative links work. */
static void
answer_slash(struct answer *a, struct span path, struct span query)
{
	char storage[ANSWER_FIELDS_MAX / 2];
	struct buf location;

	buf_init(&location, storage, sizeof(storage));
	path_encode(path, &location);
	(void)buf_putc(&location, '/');
	if (query.len > 0) {
		(void)buf_putc(&location, '?');
		(void)buf_put(&location, query.ptr, query.len);
	}
	if (location.failed)
		page_status(a, 404); /* too long to be sent back */
	else
		page_redirect(a, 301, (struct span){ location.data, location.len });
}

/* Puts the variables of a redirect in. A value is encoded again: it cannot end the field. */
static void
redirect_expand(const struct site *s, const struct visit *v, struct buf *out)
{
	const struct span path = span_of(s->path);

	for (const char *p = v->route->s.redirect; *p;) {
		if (str_starts(p, "$host")) {
			(void)buf_put(out, v->r->host.ptr, v->r->host.len);
			p += 5;
		} else if (str_starts(p, "$path")) {
			path_encode(path, out);
			p += 5;
		} else if (str_starts(p, "$rest")) {
			const size_t n = v->route->kind == MATCH_PREFIX ? v->route->match_len : 0;

			path_encode((struct span){ path.ptr + n, path.len - n }, out);
			p += 5;
		} else if (str_starts(p, "$query")) {
			if (v->r->query.len > 0)
				(void)buf_putc(out, '?');
			(void)buf_put(out, v->r->query.ptr, v->r->query.len);
			p += 6;
		} else {
			(void)buf_putc(out, *p++);
		}
	}
}

static void
answer_redirect(const struct site *s, const struct visit *v, struct answer *a)
{
	char storage[ANSWER_FIELDS_MAX / 2];
	struct buf location;

	buf_init(&location, storage, sizeof(storage));
	redirect_expand(s, v, &location);
	if (location.failed)
		page_status(a, 414);
	else
		page_redirect(a, v->route->s.status ? v->route->s.status : 302,
		    (struct span){ location.data, location.len });
}

/* The text belongs to the map, which outlives every answer. */
static void
answer_text(const struct route *route, struct answer *a)
{
	const struct span text = span_of(route->s.respond);

	a->status = (uint16_t)(route->s.status ? route->s.status : 200);
	if (a->status == 204 || a->status == 304) {
		a->no_length = true;
		return;
	}
	answer_field(a, "Content-Type",
	    span_of(route->s.type ? route->s.type : "text/plain; charset=utf-8"));
	a->one = (struct stretch){ text.ptr, 0, text.len };
	a->n_body = 1;
	a->length = text.len;
}

/* Expires, when Cache-Control says max-age: for caches that do not know that (RFC 9111 5.3). */
static void
answer_expires(const char *cache, int64_t now, struct answer *a)
{
	const char *age = strstr(cache, "max-age=");
	char date[HTTPDATE_BYTES + 1];
	uint64_t seconds;

	if (!age)
		return;
	age += strlen("max-age=");
	if (num_parse((struct span){ age, strspn(age, "0123456789") }, 10, 0, INT32_MAX, &seconds) <
	    0)
		return;
	httpdate_format(now + (int64_t)seconds, date);
	answer_field(a, "Expires", (struct span){ date, HTTPDATE_BYTES });
}

static void
answer_cache_control(const struct route *route, const struct file *f, int64_t now, struct answer *a)
{
	const char *value = route->s.cache;

	for (uint32_t i = 0; i < route->n_cache; i++) {
		const char *type = route->cache_rules[i].type;
		const size_t n = strlen(type);

		if (strncmp(f->type, type, n) != 0)
			continue;
		if (type[n - 1] != '/' && f->type[n] != '\0' && f->type[n] != ';')
			continue;
		value = route->cache_rules[i].value;
		break;
	}
	if (!value)
		return;
	answer_field(a, "Cache-Control", span_of(value));
	if (route->s.expires)
		answer_expires(value, now, a);
}

static void
answer_files(struct site *s, const struct visit *v, struct answer *a)
{
	const struct variant_rules rules = { v->route->s.precompressed, v->route->s.compress };
	const struct file_root root = find_root(v->route);
	struct file *f, *best;
	unsigned status = 404;

	if (v->route->root < 0) {
		page_status(a, 404); /* a route for users' pages alone */
		return;
	}
	if (v->bare) {
		answer_slash(a, span_of(s->path), v->r->query);
		return;
	}
	switch (find_file(s, v->route, v->path, v->now, &f, &status)) {
	case FOUND_FILE:
		best = variant_choose(s->files, f, v->r, &rules, &root, s->work, v->now);
		send_file(v->r, f, best, v->now, a);
		if (a->status < 400)
			answer_cache_control(v->route, f, v->now, a);
		return;
	case FOUND_SLASH:
		answer_slash(a, span_of(s->path), v->r->query);
		return;
	case FOUND_DIR:
		if (v->route->s.autoindex)
			list_answer(v->route, v->r, s->work, span_of(s->path), a);
		else
			page_status(a, 403);
		return;
	case FOUND_ERROR:
		break;
	}
	page_status(a, status);
}

/* Whether this client may. Return: true to go on; else a is the answer. */
static bool
visit_allowed(const struct visit *v, struct answer *a)
{
	static const uint8_t unknown[16];
	const char *user = NULL;
	char challenge[256];

	if (!net_allowed(v->route->access_rules, v->route->n_access,
		v->r->peer ? v->r->peer->addr : unknown) ||
	    !secure_subject(v->host, v->route, v->r)) {
		page_status(a, 403);
		return false;
	}
	if (!v->route->passwords)
		return true;
	switch (auth_check(v->route->passwords, v->r, v->now, &user)) {
	case AUTH_OK:
		a->user = user;
		return true;
	case AUTH_BUSY:
		answer_field(a, "Retry-After", span_of("1"));
		page_status(a, 429);
		return false;
	case AUTH_NEEDED:
		break;
	}
	(void)snprintf(challenge, sizeof(challenge), "Basic realm=\"%.200s\", charset=\"UTF-8\"",
	    v->route->s.auth_realm);
	answer_field(a, "WWW-Authenticate", span_of(challenge));
	page_status(a, 401);
	return false;
}

static void
visit_method(const struct visit *v, unsigned status, struct answer *a)
{
	answer_field(a, "Allow", span_of(v->route->allow));
	page_status(a, status);
}

static void
visit_answer(struct site *s, const struct visit *v, struct answer *a)
{
	const struct route_settings *rs = &v->route->s;

	if (!visit_allowed(v, a))
		return;
	if (!((v->route->methods >> v->r->method) & 1))
		visit_method(v, 405, a);
	else if (v->r->method == METHOD_OPTIONS)
		visit_method(v, 204, a);
	else if (rs->redirect)
		answer_redirect(s, v, a);
	else if (rs->respond)
		answer_text(v->route, a);
	else if (rs->status)
		page_status(a, rs->status);
	else
		answer_files(s, v, a);
}

/* The route's own page for this status, if it has one and can be read. The status stays. */
static void
visit_error_page(struct site *s, const struct visit *v, struct answer *a)
{
	const struct file_root root = find_root(v->route);
	struct file *f = NULL;

	for (uint32_t i = 0; i < v->route->n_pages && !f; i++) {
		const struct error_page *page = &v->route->pages[i];

		if (page->status != a->status)
			continue;
		if (filecache_get(s->files, &root, span_of(page->path), v->now, &f) < 0)
			return;
	}
	if (!f || f->is_dir) {
		file_unref(f);
		return;
	}
	page_replace(a, f);
}

/*
 * "/~name/rest": the route as it is, but with that user's pages as its root. Return: false when
 * the answer is made already.
 */
static bool
visit_user(struct site *s, struct visit *v, struct route *ret_route, struct answer *a)
{
	const char *slash = memchr(v->path.ptr + 2, '/', v->path.len - 2);
	const size_t n = slash ? (size_t)(slash - v->path.ptr) : v->path.len;
	const struct user_pages *pages =
	    users_find(v->route->users, (struct span){ v->path.ptr + 2, n - 2 });

	if (!pages) {
		page_status(a, 404);
		return false;
	}
	if (!slash) {
		answer_slash(a, span_of(s->path), v->r->query);
		return false;
	}
	*ret_route = *v->route;
	ret_route->root = pages->root;
	ret_route->root_id = pages->root_id;
	v->route = ret_route;
	v->path = (struct span){ slash, v->path.len - n };
	return true;
}

static void
host_answer(struct site *s, const struct vhost *host, const struct request *r, int64_t now,
    struct answer *a)
{
	struct visit v = { .r = r, .host = host, .now = now };
	struct route user_route;
	size_t len = 0;
	int status;

	a->head_only = r->method == METHOD_HEAD;
	a->no_server = !s->server_field;
	if (r->method == METHOD_OTHER) {
		page_status(a, 501);
		return;
	}
	v.route = &host->routes[host->n_routes - 1];
	if (r->path.len == 0 || r->path.ptr[0] == '*') {
		/* CONNECT, which we never do, and OPTIONS of the server as a whole. */
		visit_method(&v, r->method == METHOD_OPTIONS ? 204 : 405, a);
		return;
	}
	if (r->path.len >= SITE_PATH_MAX) {
		page_status(a, 414);
		return;
	}
	status = hook_is_set("raw-path") ? path_decode(r->path, s->path, &len)
					 : path_normalise(r->path, s->path, &len);
	if (status != 0) {
		page_status(a, (unsigned)status);
		return;
	}
	v.path = (struct span){ s->path, len };
	if (!secure_allows(host, r, v.path, a))
		return;
	v.route = vhost_route(host, v.path);
	if (v.route->s.alias && v.route->kind == MATCH_PREFIX) {
		const size_t n =
		    v.route->match_len - (v.route->match[v.route->match_len - 1] == '/');

		v.bare = len == n;
		v.path = len > n ? (struct span){ s->path + n, len - n } : span_of("/");
	}
	if (!v.route->users || len < 2 || memcmp(s->path, "/~", 2) != 0 ||
	    visit_user(s, &v, &user_route, a))
		visit_answer(s, &v, a);
	if (a->status >= 400 && v.route->n_pages > 0)
		visit_error_page(s, &v, a);
	if (v.route->fields_len > 0)
		(void)buf_put(&a->fields, v.route->fields, v.route->fields_len);
}

void
site_answer(struct site *s, const struct request *r, int64_t now, struct answer *a)
{
	const struct vhost *host = map_host(s->map, r->host);

	host_answer(s, host, r, now, a);
	secure_fields(host, r, a);
}

void
site_answer_error(struct site *s, unsigned status, struct answer *a)
{
	a->no_server = !s->server_field;
	page_status(a, status);
	a->close = true;
}
