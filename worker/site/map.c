/*
 * map.c - see map.h.
 */
#include "worker/site/map.h"

#include <arpa/inet.h>
#include <assert.h>

#include "common/num.h"
#include "worker/http/field.h"
#include "worker/site/auth.h"
#include "worker/site/users.h"

#define HOST_NAME_MAX_BYTES 255

void *
pool_alloc(struct pool *p, size_t size)
{
	void **blocks = reallocarray(p->blocks, p->n + 1, sizeof(*blocks));
	void *block;

	if (!blocks)
		return NULL;
	p->blocks = blocks;
	block = calloc(1, size > 0 ? size : 1);
	if (block)
		p->blocks[p->n++] = block;
	return block;
}

char *
pool_strdup(struct pool *p, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = pool_alloc(p, size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

void
pool_done(struct pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->blocks[i]);
	free(p->blocks);
	*p = (struct pool){ 0 };
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(((const struct map_name *)a)->name, ((const struct map_name *)b)->name);
}

/* Exact before suffix before prefix; longer before shorter; else as written (routes are few). */
static bool
route_before(const struct route *a, const struct route *b)
{
	static const int rank[] = { [MATCH_EXACT] = 0, [MATCH_SUFFIX] = 1, [MATCH_PREFIX] = 2 };

	if (a->kind != b->kind)
		return rank[a->kind] < rank[b->kind];
	return a->kind == MATCH_PREFIX && a->match_len > b->match_len;
}

static void
routes_sort(struct route *routes, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct route moved = routes[i];
		size_t k = i;

		for (; k > 0 && route_before(&moved, &routes[k - 1]); k--)
			routes[k] = routes[k - 1];
		routes[k] = moved;
	}
}

static int
map_add_names(struct map *m, struct vhost *h)
{
	for (uint32_t i = 0; i < h->names.n; i++) {
		char *name = pool_strdup(&m->pool, h->names.item[i]);

		if (!name)
			return -ENOMEM;
		for (char *p = name; *p; p++)
			*p = char_lower(*p);
		if (str_starts(name, "*."))
			name++;
		m->any_suffix |= *name == '.';
		m->lengths |= UINT64_C(1) << strlen(name) % 64;
		m->names[m->n_names++] = (struct map_name){ name, h };
	}
	return 0;
}

int
map_finish(struct map *m, struct why *why)
{
	size_t total = 0;

	assert(m->n_hosts > 0);
	m->fallback = &m->hosts[0];
	for (uint32_t i = 0; i < m->n_hosts; i++) {
		total += m->hosts[i].names.n;
		if (m->hosts[i].is_default)
			m->fallback = &m->hosts[i];
		routes_sort(m->hosts[i].routes, m->hosts[i].n_routes);
	}
	m->names = pool_alloc(&m->pool, total * sizeof(*m->names));
	if (!m->names)
		return why_set(why, -ENOMEM, "sites");
	for (uint32_t i = 0; i < m->n_hosts; i++)
		if (map_add_names(m, &m->hosts[i]) < 0)
			return why_set(why, -ENOMEM, "sites");
	qsort(m->names, m->n_names, sizeof(*m->names), name_compare);
	for (uint32_t i = 1; i < m->n_names; i++)
		if (strcmp(m->names[i - 1].name, m->names[i].name) == 0)
			return why_set(why, -EEXIST,
			    "the name %s%s belongs to site \"%s\" and to \"%s\"",
			    m->names[i].name[0] == '.' ? "*" : "", m->names[i].name,
			    m->names[i - 1].host->title, m->names[i].host->title);
	return 0;
}

void
map_done(struct map *m)
{
	for (uint32_t i = 0; i < m->n_hosts; i++) {
		for (uint32_t k = 0; k < m->hosts[i].n_routes; k++) {
			fd_closep(&m->hosts[i].routes[k].root);
			htpasswd_free(m->hosts[i].routes[k].passwords);
			users_free(m->hosts[i].routes[k].users);
		}
	}
	pool_done(&m->pool);
	*m = (struct map){ 0 };
}

static const struct vhost *
map_find(const struct map *m, const char *name)
{
	const struct map_name key = { name, NULL };
	const struct map_name *found =
	    bsearch(&key, m->names, m->n_names, sizeof(*m->names), name_compare);

	return found ? found->host : NULL;
}

const struct vhost *
map_host(const struct map *m, struct span host)
{
	char name[HOST_NAME_MAX_BYTES + 1];
	const struct vhost *found;

	if (m->n_names == 0 || host.len == 0 || host.len > HOST_NAME_MAX_BYTES)
		return m->fallback;
	if (host.ptr[host.len - 1] == '.')
		host.len--; /* the root label: "example.org." is the same host */
	if (!m->any_suffix && !((m->lengths >> host.len % 64) & 1))
		return m->fallback; /* asked by address, as often as not */
	for (size_t i = 0; i < host.len; i++)
		name[i] = char_lower(host.ptr[i]);
	name[host.len] = '\0';
	found = map_find(m, name);
	if (!found && !m->any_suffix)
		return m->fallback;
	for (const char *dot = strchr(name, '.'); !found && dot; dot = strchr(dot + 1, '.'))
		if (dot > name)
			found = map_find(m, dot);
	return found ? found : m->fallback;
}

static bool
route_matches(const struct route *r, struct span path)
{
	switch (r->kind) {
	case MATCH_EXACT:
		return path.len == r->match_len && memcmp(path.ptr, r->match, path.len) == 0;
	case MATCH_SUFFIX:
		return path.len >= r->match_len &&
		       memcmp(path.ptr + path.len - r->match_len, r->match, r->match_len) == 0;
	case MATCH_PREFIX:
		break;
	}
	/* "/a" holds "/a" and "/a/b" but not "/ab"; "/a/" holds what begins with it. */
	return path.len >= r->match_len && memcmp(path.ptr, r->match, r->match_len) == 0 &&
	       (r->match[r->match_len - 1] == '/' || path.len == r->match_len ||
		   path.ptr[r->match_len] == '/');
}

const struct route *
vhost_route(const struct vhost *h, struct span path)
{
	for (uint32_t i = 0; i + 1 < h->n_routes; i++)
		if (route_matches(&h->routes[i], path))
			return &h->routes[i];
	return &h->routes[h->n_routes - 1];
}

int
net_parse(const char *text, struct net_rule *ret)
{
	const char *slash = strchr(text, '/');
	const size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char addr[INET6_ADDRSTRLEN];
	struct net_rule rule = { .allow = ret->allow };
	uint64_t bits;
	unsigned base = 0;

	if (strcmp(text, "all") == 0) {
		*ret = rule;
		return 0;
	}
	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, rule.addr + 12) == 1) {
		rule.addr[10] = rule.addr[11] = 0xff;
		base = 96;
	} else if (inet_pton(AF_INET6, addr, rule.addr) != 1) {
		return -EINVAL;
	}
	bits = 128 - base;
	if (slash && num_parse_str(slash + 1, 0, 128 - base, &bits) < 0)
		return -EINVAL;
	rule.bits = (uint8_t)(base + bits);
	*ret = rule;
	return 0;
}

static bool
net_holds(const struct net_rule *rule, const uint8_t addr[16])
{
	const unsigned whole = rule->bits / 8, rest = rule->bits % 8;

	if (memcmp(rule->addr, addr, whole) != 0)
		return false;
	return rest == 0 || ((rule->addr[whole] ^ addr[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

bool
net_allowed(const struct net_rule *rules, size_t n, const uint8_t addr[16])
{
	for (size_t i = 0; i < n; i++)
		if (net_holds(&rules[i], addr))
			return rules[i].allow;
	return true;
}
