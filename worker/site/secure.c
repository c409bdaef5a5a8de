/*
 * secure.c - see secure.h.
 */
#include "worker/site/secure.h"

#include "worker/http/target.h"
#include "worker/site/page.h"

#define HTTPS_PORT 443

/* Tokens that anybody may read; an authority asks for them by plain HTTP (RFC 8555 8.3). */
static bool
is_challenge(struct span path)
{
	static const char prefix[] = "/.well-known/acme-challenge/";

	return path.len >= sizeof(prefix) - 1 && memcmp(path.ptr, prefix, sizeof(prefix) - 1) == 0;
}

/* The host that a request is for: the one it names, or the first of the site. */
static struct span
host_name(const struct vhost *h, const struct request *r)
{
	if (r->host.len > 0)
		return r->host;
	return span_of(h->names.n > 0 && h->names.item[0][0] != '*' ? h->names.item[0] : "");
}

static void
answer_https(const struct vhost *h, const struct request *r, struct span path, struct answer *a)
{
	const struct span host = host_name(h, r);
	char storage[ANSWER_FIELDS_MAX / 2];
	struct buf location;

	if (host.len == 0) {
		page_status(a, 400);
		return;
	}
	buf_init(&location, storage, sizeof(storage));
	(void)buf_printf(&location, "https://%.*s", (int)host.len, host.ptr);
	if (h->tls.port != HTTPS_PORT)
		(void)buf_printf(&location, ":%u", h->tls.port);
	path_encode(path, &location);
	if (r->query.len > 0)
		(void)buf_printf(&location, "?%.*s", (int)r->query.len, r->query.ptr);
	if (location.failed)
		page_status(a, 414);
	else
		page_redirect(a, 308, (struct span){ location.data, location.len });
}

bool
secure_allows(const struct vhost *h, const struct request *r, struct span path, struct answer *a)
{
	if (r->secure) {
		if (!h->asks_client || !r->identity || r->identity->group == h->tls_group)
			return true;
		page_status(a, 421);
		return false;
	}
	if (is_challenge(path) || (!h->tls.redirect && !h->needs_client))
		return true;
	if (h->tls.redirect)
		answer_https(h, r, path, a);
	else
		page_status(a, 403);
	return false;
}

bool
secure_subject(const struct vhost *h, const struct route *route, const struct request *r)
{
	const struct text_list *list = &route->s.client_subjects;
	const bool its = r->identity && r->identity->group == h->tls_group;
	const char *subject = its ? r->identity->subject : NULL;

	for (uint32_t i = 0; subject && i < list->n; i++)
		if (strcmp(list->item[i], "any") == 0 || strcmp(list->item[i], subject) == 0)
			return true;
	return list->n == 0;
}

void
secure_fields(const struct vhost *h, const struct request *r, struct answer *a)
{
	if (r->secure && h->tls.hsts)
		answer_field(a, "Strict-Transport-Security", span_of(h->tls.hsts));
}
