/*
 * table.c - see table.h.
 */
#include "worker/config/table.h"

#include <assert.h>

#include "common/clock.h"
#include "common/num.h"
#include "worker/config/check.h"
#include "worker/tls/context.h"

#define G(member) offsetof(struct settings, member)
#define S(member) offsetof(struct site_settings, member)
#define R(member) offsetof(struct route_settings, member)
#define SECONDS(n) ((n)*USEC_PER_SEC)
#define DAY SECONDS(86400)
#define PATIENCE(p) (G(patience_usec) + (p) * sizeof(uint64_t))

const struct config_row config_rows[] = {
	/* clang-format off */
	{ IN_GLOBAL, "workers", CONFIG_AUTO, G(workers), 1, 256, "auto", NULL,
	  "Processes that serve: a number, or auto for one per CPU." },
	{ IN_GLOBAL, "connections", CONFIG_COUNT, G(connections), 1, 1000000, "20000", NULL,
	  "Connections at once, of one worker; beyond, new ones wait in the kernel." },
	{ IN_GLOBAL, "connections-per-address", CONFIG_COUNT, G(connections_per_address), 0, 1000000, "0", NULL,
	  "Connections at once of one client address (IPv6: one /64), to all workers; 0 for no limit." },
	{ IN_GLOBAL, "requests-per-connection", CONFIG_COUNT, G(requests_per_connection), 1, 1000000000, "10000", NULL,
	  "The last of them is answered with Connection: close." },
	{ IN_GLOBAL, "request-rate", CONFIG_COUNT, G(request_rate), 0, 1000000, "0", NULL,
	  "Requests a second of one client address, to all workers, 429 beyond; 0 for no limit." },
	{ IN_GLOBAL, "request-burst", CONFIG_COUNT, G(request_burst), 1, 1000000, "50", NULL,
	  "How many requests may come at once before request-rate binds." },
	{ IN_GLOBAL, "request-line", CONFIG_SIZE, G(request_line), 64, 32768, "8K", NULL,
	  "Longest request line; 414 beyond." },
	{ IN_GLOBAL, "header-bytes", CONFIG_SIZE, G(header_bytes), 256, 65000, "16K", NULL,
	  "Longest head of a request; 431 beyond." },
	{ IN_GLOBAL, "header-fields", CONFIG_COUNT, G(header_fields), 1, 10000, "100", NULL,
	  "Most field lines of a request; 431 beyond." },
	{ IN_GLOBAL, "body-bytes", CONFIG_SIZE, G(body_bytes), 0, UINT64_C(1) << 40, "1M", NULL,
	  "Longest body of a request; 413 beyond. Bodies are read and thrown away." },
	{ IN_GLOBAL, "header-timeout", CONFIG_TIME, PATIENCE(PATIENCE_HEAD), 1000, DAY, "15s", NULL,
	  "For the head of a request, from its first byte, or from the connection." },
	{ IN_GLOBAL, "idle-timeout", CONFIG_TIME, PATIENCE(PATIENCE_IDLE), 1000, DAY, "75s", NULL,
	  "Between two requests of a connection." },
	{ IN_GLOBAL, "body-timeout", CONFIG_TIME, PATIENCE(PATIENCE_BODY), 1000, DAY, "30s", NULL,
	  "Between two reads of a request's body." },
	{ IN_GLOBAL, "write-timeout", CONFIG_TIME, PATIENCE(PATIENCE_WRITE), 1000, DAY, "60s", NULL,
	  "For a client to take any of an answer." },
	{ IN_GLOBAL, "handshake-timeout", CONFIG_TIME, PATIENCE(PATIENCE_HANDSHAKE), 1000, DAY, "15s", NULL,
	  "For a TLS handshake, all of it." },
	{ IN_GLOBAL, "linger-timeout", CONFIG_TIME, PATIENCE(PATIENCE_LINGER), 1000, DAY, "5s", NULL,
	  "For a client to close, after the last answer." },
	{ IN_GLOBAL, "min-rate", CONFIG_SIZE, G(min_rate), 0, UINT64_C(1) << 30, "200", NULL,
	  "Bytes a second that a body or an answer must move, after its first ten seconds; 0 for none." },
	{ IN_GLOBAL, "drain-timeout", CONFIG_TIME, G(drain_usec), 1000, DAY, "30s", NULL,
	  "At the end, what is not finished by then is cut." },
	{ IN_GLOBAL, "drain-idle", CONFIG_TIME, G(drain_idle_usec), 1000, DAY, "1s", NULL,
	  "At the end, how long an idle connection may still send a request." },
	{ IN_GLOBAL, "cache-files", CONFIG_COUNT, G(cache_files), 0, 1000000, "4096", NULL,
	  "Files to keep; 0 to keep none. Each is looked at again once a second." },
	{ IN_GLOBAL, "cache-bytes", CONFIG_SIZE, G(cache_bytes), 0, UINT64_C(1) << 40, "64M", NULL,
	  "Memory for small files and compressed ones." },
	{ IN_GLOBAL, "mime-types", CONFIG_TEXT, G(mime_types), 0, 0, "/etc/mime.types", NULL,
	  "Types by suffix, beside the built-in ones; need not exist." },
	{ IN_GLOBAL, "server-field", CONFIG_BOOL, G(server_field), 0, 0, "yes", NULL,
	  "Send the Server field." },
	{ IN_GLOBAL, "sandbox", CONFIG_BOOL, G(sandbox), 0, 0, "yes", NULL,
	  "Confine the workers by Landlock and seccomp." },
	{ IN_GLOBAL, "access-log", CONFIG_TEXT, G(access_log), 0, 0, "off", check_log_target,
	  "off, stdout, syslog, unix:PATH (datagram), fd:N, or a file's path." },
	{ IN_GLOBAL, "access-format", CONFIG_TEXT, G(access_format), 0, 0, "combined", check_log_format,
	  "common, combined, json, or a text with %h %t %r %s %b %D %i %v %R %U %m %H %q %c %C." },
	{ IN_GLOBAL, "log-level", CONFIG_TEXT, G(log_level), 0, 0, "info", check_log_level,
	  "error, warning, notice, info or debug." },
	{ IN_GLOBAL, "certificates", CONFIG_LIST, G(certificates), 0, 0, NULL, check_file,
	  "Certificates with their chains (PEM), for all sites, chosen by their names." },
	{ IN_GLOBAL, "signer", CONFIG_TEXT, G(signer), 0, 0, TLS_KEYD_DEFAULT, check_path,
	  "The socket of sallyport-keyd, which has the private keys." },
	{ IN_GLOBAL, "tls-min", CONFIG_TEXT, G(tls_min), 0, 0, "1.2", check_tls_version,
	  "Oldest version of TLS: 1.2 or 1.3." },
	{ IN_GLOBAL, "tls-ciphers", CONFIG_TEXT, G(tls_ciphers), 0, 0, TLS_CIPHERS_DEFAULT, NULL,
	  "Ciphers of TLS 1.2, as openssl-ciphers(1) has them." },
	{ IN_GLOBAL, "tls-suites", CONFIG_TEXT, G(tls_suites), 0, 0, TLS_SUITES_DEFAULT, NULL,
	  "Cipher suites of TLS 1.3." },
	{ IN_GLOBAL, "tls-groups", CONFIG_TEXT, G(tls_groups), 0, 0, TLS_GROUPS_DEFAULT, NULL,
	  "Groups for the key exchange, best first." },
	{ IN_GLOBAL, "tls-security-level", CONFIG_COUNT, G(tls_security_level), 1, 5, "2", NULL,
	  "SSL_CTX_set_security_level(3); 2 wants 112 bits of everything." },
	{ IN_GLOBAL, "tls-first-record", CONFIG_SIZE, G(tls_first_record), 512, 16384, "4K", NULL,
	  "Largest TLS record until 16K went out without a pause of a second; then 16K." },
	{ IN_GLOBAL, "tls-kernel", CONFIG_BOOL, G(tls_kernel), 0, 0, "no", NULL,
	  "Let the kernel encrypt what is sent, where it can (module tls); files then go by sendfile." },
	{ IN_GLOBAL, "ticket-lifetime", CONFIG_TIME, G(ticket_lifetime_usec), SECONDS(60), 7 * DAY, "8h", NULL,
	  "How long a session may be resumed; its keys change as often." },
	{ IN_GLOBAL, "ticket-credential", CONFIG_TEXT, G(ticket_credential), 0, 0, "ticket-key", check_name,
	  "The credential that keys of tickets come from, if there is one of this name." },
	{ IN_GLOBAL, "client-ca", CONFIG_TEXT, G(client_ca), 0, 0, NULL, check_file,
	  "Ask clients for a certificate of these authorities (PEM)." },
	{ IN_GLOBAL, "client-auth", CONFIG_TEXT, G(client_auth), 0, 0, NULL, check_client_auth,
	  "With client-ca: required (the default), optional, or none." },

	{ IN_SITE, "names", CONFIG_LIST, S(names), 0, 0, NULL, check_host,
	  "Hosts of this site; *.example.org for all below. Default: the site's title." },
	{ IN_SITE, "default", CONFIG_BOOL, S(is_default), 0, 0, "no", NULL,
	  "This site answers for hosts that no site names; else the first one does." },
	{ IN_SITE, "certificates", CONFIG_LIST, S(tls.certificates), 0, 0, NULL, check_file,
	  "This site's own certificates, instead of those of all; one of each kind of key, say." },
	{ IN_SITE, "client-ca", CONFIG_TEXT, S(tls.client_ca), 0, 0, NULL, check_file,
	  "As above, for clients of this site." },
	{ IN_SITE, "client-auth", CONFIG_TEXT, S(tls.client_auth), 0, 0, NULL, check_client_auth,
	  "As above, for clients of this site." },
	{ IN_SITE, "https-redirect", CONFIG_BOOL, S(tls.redirect), 0, 0, "no", NULL,
	  "Send plain HTTP to HTTPS (308), all but /.well-known/acme-challenge/." },
	{ IN_SITE, "https-port", CONFIG_COUNT, S(tls.port), 1, 65535, "443", NULL,
	  "The port that https-redirect sends clients to." },
	{ IN_SITE, "hsts", CONFIG_TEXT, S(tls.hsts), 0, 0, NULL, check_hsts,
	  "Strict-Transport-Security of answers over TLS: \"max-age=63072000\"." },

	{ IN_ROUTE, "root", CONFIG_TEXT, R(root), 0, 0, NULL, check_dir,
	  "Serve the files below this directory, the request's whole path appended." },
	{ IN_ROUTE, "alias", CONFIG_TEXT, R(alias), 0, 0, NULL, check_dir,
	  "As root, but what the route matched is taken off the path first." },
	{ IN_ROUTE, "index", CONFIG_LIST, R(index), 0, 0, "index.html", check_name,
	  "Names to look for in a directory." },
	{ IN_ROUTE, "try", CONFIG_LIST, R(try_list), 0, 0, NULL, check_try,
	  "What to look for, in turn: $path, $path.html, /app.html, and =404 to give up." },
	{ IN_ROUTE, "redirect", CONFIG_TEXT, R(redirect), 0, 0, NULL, check_value,
	  "Send clients there; $host, $path, $rest and $query are filled in. See status." },
	{ IN_ROUTE, "respond", CONFIG_TEXT, R(respond), 0, 0, NULL, NULL,
	  "Answer with this text. See status and type." },
	{ IN_ROUTE, "status", CONFIG_COUNT, R(status), 200, 599, "0", NULL,
	  "Of redirect (302) or respond (200); alone, answer with this status." },
	{ IN_ROUTE, "type", CONFIG_TEXT, R(type), 0, 0, NULL, check_value,
	  "Content-Type of respond (text/plain), or of every file of the route." },
	{ IN_ROUTE, "autoindex", CONFIG_BOOL, R(autoindex), 0, 0, "no", NULL,
	  "List directories that have no index file." },
	{ IN_ROUTE, "dotfiles", CONFIG_BOOL, R(dotfiles), 0, 0, "no", NULL,
	  "Serve names that begin with a dot; /.well-known/ always is." },
	{ IN_ROUTE, "compress", CONFIG_BOOL, R(compress), 0, 0, "yes", NULL,
	  "Compress text by gzip and brotli, once for each file that is kept." },
	{ IN_ROUTE, "precompressed", CONFIG_BOOL, R(precompressed), 0, 0, "yes", NULL,
	  "Use FILE.br, FILE.zst and FILE.gz where they are and not older than FILE." },
	{ IN_ROUTE, "headers", CONFIG_LIST, R(headers), 0, 0, NULL, check_field,
	  "Fields for every answer: \"Name: value\"." },
	{ IN_ROUTE, "cache", CONFIG_TEXT, R(cache), 0, 0, NULL, check_value,
	  "Cache-Control of files." },
	{ IN_ROUTE, "cache-types", CONFIG_LIST, R(cache_types), 0, 0, NULL, check_cache_type,
	  "Cache-Control by type: \"image/*: max-age=86400\"; before cache." },
	{ IN_ROUTE, "expires", CONFIG_BOOL, R(expires), 0, 0, "no", NULL,
	  "Send Expires too, by the max-age of cache or cache-types, for caches of HTTP/1.0." },
	{ IN_ROUTE, "error-pages", CONFIG_LIST, R(error_pages), 0, 0, NULL, check_error_page,
	  "Files for statuses, below root: \"404=/404.html\"." },
	{ IN_ROUTE, "access", CONFIG_LIST, R(access), 0, 0, NULL, check_access,
	  "By client address, the first that fits: \"allow 10.0.0.0/8\", \"deny all\"." },
	{ IN_ROUTE, "client-subjects", CONFIG_LIST, R(client_subjects), 0, 0, NULL, check_value,
	  "Only clients with a certificate of one of these subjects (RFC 4514), or any; else 403." },
	{ IN_ROUTE, "auth", CONFIG_TEXT, R(auth), 0, 0, NULL, check_file,
	  "Ask for a name and password of this htpasswd file (crypt hashes)." },
	{ IN_ROUTE, "auth-realm", CONFIG_TEXT, R(auth_realm), 0, 0, "restricted", check_realm,
	  "What the client's dialogue calls it." },
	{ IN_ROUTE, "methods", CONFIG_LIST, R(methods), 0, 0, NULL, check_method,
	  "Methods to allow, of GET, HEAD and OPTIONS; all three by default." },
	{ IN_ROUTE, "users", CONFIG_BOOL, R(users), 0, 0, "no", NULL,
	  "Serve /~name/ from that user's own pages, see users-dir." },
	{ IN_ROUTE, "users-dir", CONFIG_TEXT, R(users_dir), 0, 0, "public_html", check_users_dir,
	  "Where in a user's home the pages are." },
	/* clang-format on */
};

const size_t config_n_rows = ELEMENTSOF(config_rows);

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit size_units[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 },
	{ "G", 1 << 30 } };
static const struct unit time_units[] = { { "us", 1 }, { "ms", 1000 }, { "s", USEC_PER_SEC },
	{ "", USEC_PER_SEC }, { "m", 60 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC },
	{ "d", DAY } };

static int
number_convert(const char *text, const struct unit *units, size_t n_units, uint64_t *ret)
{
	const size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < n_units; i++)
		if (strcmp(text + digits, units[i].suffix) == 0 &&
		    num_parse((struct span){ text, digits }, 10, 0, UINT64_MAX / units[i].factor,
			ret) == 0) {
			*ret *= units[i].factor;
			return 0;
		}
	return -EINVAL;
}

static int
bool_convert(const char *text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = i % 2 == 1;
			return 0;
		}
	return -EINVAL;
}

static int
convert_number(const struct config_row *row, const char *text, void *field, struct why *why)
{
	static const struct {
		const struct unit *units;
		size_t n;
		const char *want;
	} kinds[] = {
		[CONFIG_AUTO] = { size_units, 1, "number or auto" },
		[CONFIG_COUNT] = { size_units, 1, "number" },
		[CONFIG_SIZE] = { size_units, ELEMENTSOF(size_units), "size, such as 16K" },
		[CONFIG_TIME] = { time_units, ELEMENTSOF(time_units), "time, such as 15s" },
	};
	uint64_t v;

	if (number_convert(text, kinds[row->kind].units, kinds[row->kind].n, &v) < 0)
		return why_set(
		    why, -EINVAL, "%s = %s: want a %s", row->name, text, kinds[row->kind].want);
	if (v < row->min || v > row->max)
		return why_set(why, -ERANGE, "%s = %s: out of range", row->name, text);
	if (row->kind == CONFIG_COUNT || row->kind == CONFIG_AUTO)
		*(uint32_t *)field = (uint32_t)v;
	else
		*(uint64_t *)field = v;
	return 0;
}

int
config_convert(
    const struct config_row *row, const char *text, struct pool *pool, void *base, struct why *why)
{
	void *field = (char *)base + row->field;
	int r;

	if (row->check) {
		r = row->check(text, why);
		if (r < 0)
			return why_prefix(why, r, "%s", row->name);
	}
	switch (row->kind) {
	case CONFIG_BOOL:
		if (bool_convert(text, field) < 0)
			return why_set(why, -EINVAL, "%s = %s: want yes or no", row->name, text);
		return 0;
	case CONFIG_AUTO:
		if (strcmp(text, "auto") == 0) {
			*(uint32_t *)field = 0;
			return 0;
		}
		return convert_number(row, text, field, why);
	case CONFIG_COUNT:
	case CONFIG_SIZE:
	case CONFIG_TIME:
		return convert_number(row, text, field, why);
	case CONFIG_TEXT:
		*(char **)field = pool_strdup(pool, text);
		return *(char **)field ? 0 : why_set(why, -ENOMEM, "%s", row->name);
	case CONFIG_LIST:
		*(struct text_list *)field = (struct text_list){ 0 };
		return config_append(row, text, pool, base, why);
	}
	return -EINVAL;
}

int
config_append(
    const struct config_row *row, const char *text, struct pool *pool, void *base, struct why *why)
{
	struct text_list *list = (struct text_list *)(void *)((char *)base + row->field);
	char **items = pool_alloc(pool, (list->n + 1) * sizeof(*items));
	char *copy = pool_strdup(pool, text);
	int r;

	if (!items || !copy)
		return why_set(why, -ENOMEM, "%s", row->name);
	if (row->check) {
		r = row->check(text, why);
		if (r < 0)
			return why_prefix(why, r, "%s", row->name);
	}
	if (list->n > 0)
		memcpy(items, list->item, list->n * sizeof(*items));
	items[list->n] = copy;
	/* A new array each time: a route's list begins as its site's and must not change that. */
	*list = (struct text_list){ list->n + 1, items };
	return 0;
}

int
config_defaults(enum config_where where, struct pool *pool, void *base)
{
	for (size_t i = 0; i < config_n_rows; i++) {
		const struct config_row *row = &config_rows[i];
		const bool special = strcmp(row->name, "status") == 0;
		int r;

		if (row->where != where || !row->value || special)
			continue;
		r = config_convert(row, row->value, pool, base, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

void
config_print_help(void)
{
	static const char *const titles[] = { "\nIn the configuration file, outside any section:\n",
		"\nIn site \"NAME\" { ... }:\n",
		"\nIn site, for all of it, or in its route \"/prefix\", \"=/exact\" or "
		"\"*.suffix\" { "
		"... }:\n" };
	int last = -1;

	for (size_t i = 0; i < config_n_rows; i++) {
		const struct config_row *row = &config_rows[i];

		if ((int)row->where != last)
			(void)printf("%s", titles[row->where]);
		last = (int)row->where;
		(void)printf("  %-24s %s", row->name, row->doc);
		if (row->value && strcmp(row->value, "0") != 0)
			(void)printf(" (%s)", row->value);
		(void)printf("\n");
	}
}
