/*
 * tls.c - see tls.h.
 */
#include "worker/config/tls.h"

#include <string.h>

static const char *
either(const char *option, const char *setting)
{
	return option ? option : setting;
}

/* A policy from its words. */
static int
policy_read(const char *ca, const char *auth, struct tls_policy *ret, struct why *why)
{
	static const char *const words[] = { [TLS_CLIENT_AUTH_NONE] = "none",
		[TLS_CLIENT_AUTH_OPTIONAL] = "optional",
		[TLS_CLIENT_AUTH_REQUIRED] = "required" };
	unsigned i = ca ? TLS_CLIENT_AUTH_REQUIRED : TLS_CLIENT_AUTH_NONE;

	if (auth)
		for (i = 0; i < ELEMENTSOF(words) && strcmp(words[i], auth) != 0;)
			i++;
	if (i == ELEMENTSOF(words))
		return why_set(
		    why, -EINVAL, "client-auth %s: want required, optional or none", auth);
	*ret = (struct tls_policy){ (enum tls_client_auth)i, i ? ca : NULL };
	return i && !ca ? why_set(why, -EINVAL, "client-auth %s: it needs a client-ca", auth) : 0;
}

static unsigned
group_of_host(const void *map, const char *host)
{
	return map_host(map, span_of(host ? host : ""))->tls_group;
}

static void
certs_add(struct tls_options *t, const struct text_list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		t->certs[t->n_certs++] = list->item[i];
}

/* All files, so that those of a site stand together. */
static int
read_certificates(struct config *c, const struct options *o, struct tls_group *groups)
{
	struct tls_options *t = &c->tls;
	size_t n = o->certs.n + c->settings.certificates.n;

	for (uint32_t i = 0; i < c->map.n_hosts; i++)
		n += c->map.hosts[i].tls.certificates.n;
	t->certs = pool_alloc(&c->map.pool, n * sizeof(*t->certs));
	if (!t->certs)
		return -ENOMEM;
	for (size_t i = 0; i < o->certs.n; i++)
		t->certs[t->n_certs++] = o->certs.item[i];
	certs_add(t, &c->settings.certificates);
	groups[0].n = t->n_certs;
	for (uint32_t i = 0; i < c->map.n_hosts; i++) {
		const struct vhost *h = &c->map.hosts[i];

		if (h->tls_group == 0)
			continue;
		groups[h->tls_group].first = t->n_certs;
		groups[h->tls_group].n = h->tls.certificates.n;
		certs_add(t, &h->tls.certificates);
	}
	return 0;
}

static int
read_policies(struct config *c, const struct options *o, struct tls_group *groups, struct why *why)
{
	const struct settings *s = &c->settings;
	const char *ca = either(o->client_ca, s->client_ca);
	const char *auth = either(o->client_auth, s->client_auth);
	int r = policy_read(ca, auth, &groups[0].policy, why);

	for (uint32_t i = 0; i < c->map.n_hosts && r == 0; i++) {
		struct vhost *h = &c->map.hosts[i];
		const struct tls_policy *p = &groups[h->tls_group].policy;

		if (h->tls_group > 0)
			r = policy_read(either(h->tls.client_ca, ca),
			    either(h->tls.client_auth, h->tls.client_ca ? NULL : auth),
			    &groups[h->tls_group].policy, why);
		if (r < 0)
			return why_prefix(why, r, "site \"%s\"", h->title);
		h->asks_client = p->auth != TLS_CLIENT_AUTH_NONE;
		h->needs_client = p->auth == TLS_CLIENT_AUTH_REQUIRED;
		for (uint32_t k = 0; k < h->n_routes && !h->asks_client; k++)
			if (h->routes[k].s.client_subjects.n > 0)
				return why_set(why, -EINVAL,
				    "site \"%s\": client-subjects, but no client-ca", h->title);
	}
	return r;
}

int
config_tls(struct config *c, const struct options *o, struct why *why)
{
	const struct settings *s = &c->settings;
	struct tls_options *t = &c->tls;
	struct tls_group *groups =
	    pool_alloc(&c->map.pool, (c->map.n_tls_groups + 1) * sizeof(*groups));
	int r;

	*t = tls_defaults;
	t->keyd = either(o->keyd, s->signer);
	t->min_version = either(o->tls_min, s->tls_min);
	t->ciphers = s->tls_ciphers;
	t->suites = s->tls_suites;
	t->groups_list = either(o->tls_groups, s->tls_groups);
	t->security_level = (int)s->tls_security_level;
	t->ticket_epoch_sec = (unsigned)(s->ticket_lifetime_usec / USEC_PER_SEC);
	t->ticket_credential = s->ticket_credential;
	t->ktls = s->tls_kernel;
	t->first_record = (unsigned)s->tls_first_record;
	t->group_of = group_of_host;
	if (!groups || read_certificates(c, o, groups) < 0)
		return why_set(why, -ENOMEM, "certificates");
	r = read_policies(c, o, groups, why);
	t->groups = groups;
	t->n_groups = c->map.n_tls_groups + 1;
	return r;
}
