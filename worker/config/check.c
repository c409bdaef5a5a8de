/*
 * check.c - see check.h.
 */
#include "worker/config/check.h"

#include <sys/stat.h>

#include "common/log.h"
#include "common/num.h"
#include "worker/http/field.h"
#include "worker/http/target.h"
#include "worker/site/map.h"

static int
check_fail(struct why *why, const char *text, const char *want)
{
	return why_set(why, -EINVAL, "\"%s\": want %s", text, want);
}

static bool
in_words(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* One of words; want is how people are told. */
static int
check_word(struct why *why, const char *text, const char *const *words, size_t n, const char *want)
{
	return in_words(text, words, n) ? 0 : check_fail(why, text, want);
}

int
check_log_target(const char *text, struct why *why)
{
	static const char *const words[] = { "off", "stdout", "syslog" };
	uint64_t fd;

	if (in_words(text, words, ELEMENTSOF(words)) || text[0] == '/' ||
	    str_starts(text, "unix:/"))
		return 0;
	if (str_starts(text, "fd:") && num_parse_str(text + 3, 1, 65535, &fd) == 0)
		return 0;
	return check_fail(why, text, "off, stdout, syslog, unix:/PATH, fd:N or /PATH");
}

int
check_log_format(const char *text, struct why *why)
{
	static const char *const words[] = { "common", "combined", "json" };

	if (in_words(text, words, ELEMENTSOF(words)))
		return 0;
	for (const char *p = strchr(text, '%'); p; p = strchr(p + 2, '%'))
		if (p[1] == '\0' || !strchr("htrsbDivRUmHquCc%", p[1]))
			return check_fail(
			    why, text, "only %h %t %r %s %b %D %i %v %R %U %m %H %q %u %c %C %%");
	return strchr(text, '%') ? 0 : check_fail(why, text, "common, combined, json or a format");
}

int
check_log_level(const char *text, struct why *why)
{
	static const char *const words[] = { "error", "warning", "notice", "info", "debug" };

	return check_word(
	    why, text, words, ELEMENTSOF(words), "error, warning, notice, info or debug");
}

int
check_host(const char *text, struct why *why)
{
	const struct span host = span_of(str_starts(text, "*.") ? text + 2 : text);
	struct span split;

	if (host.len > 0 && host_split(host, &split) == 0 && split.len == host.len &&
	    !strchr(host.ptr, '*'))
		return 0;
	return check_fail(why, text, "a host without port, or *.host");
}

int
check_dir(const char *text, struct why *why)
{
	struct stat st;

	if (text[0] != '/')
		return check_fail(why, text, "an absolute path");
	if (stat(text, &st) < 0)
		return why_set(why, -errno, "%s", text);
	return S_ISDIR(st.st_mode) ? 0 : why_set(why, -ENOTDIR, "%s", text);
}

int
check_file(const char *text, struct why *why)
{
	if (text[0] != '/')
		return check_fail(why, text, "an absolute path");
	return access(text, R_OK) < 0 ? why_set(why, -errno, "%s", text) : 0;
}

int
check_path(const char *text, struct why *why)
{
	return text[0] == '/' ? 0 : check_fail(why, text, "an absolute path");
}

int
check_tls_version(const char *text, struct why *why)
{
	static const char *const words[] = { "1.2", "1.3" };

	return check_word(why, text, words, ELEMENTSOF(words), "1.2 or 1.3");
}

int
check_client_auth(const char *text, struct why *why)
{
	static const char *const words[] = { "none", "optional", "required" };

	return check_word(why, text, words, ELEMENTSOF(words), "required, optional or none");
}

/* RFC 6797 6.1: one max-age, then perhaps includeSubDomains and (not its) preload. */
int
check_hsts(const char *text, struct why *why)
{
	const char *rest = text + strcspn(text, ";");
	uint64_t age;

	if (str_starts(text, "max-age=") &&
	    num_parse((struct span){ text + 8, strcspn(text + 8, ";") }, 10, 0, UINT32_MAX, &age) ==
		0 &&
	    (strcmp(rest, "") == 0 || strcmp(rest, "; includeSubDomains") == 0 ||
		strcmp(rest, "; includeSubDomains; preload") == 0))
		return 0;
	return check_fail(
	    why, text, "max-age=SECONDS, with \"; includeSubDomains\" and \"; preload\" or not");
}

int
check_name(const char *text, struct why *why)
{
	if (*text && strlen(text) < 128 && !strchr(text, '/') && strcmp(text, "..") != 0)
		return 0;
	return check_fail(why, text, "a file's name");
}

int
check_try(const char *text, struct why *why)
{
	uint64_t status;

	if (text[0] == '=' && num_parse_str(text + 1, 400, 599, &status) == 0)
		return 0;
	if (text[0] == '/' || str_starts(text, "$path"))
		return 0;
	return check_fail(why, text, "$path..., /path or =404");
}

int
check_value(const char *text, struct why *why)
{
	for (const char *p = text; *p; p++)
		if (!char_is((unsigned char)*p, CHAR_VALUE))
			return check_fail(why, text, "a field's value: no control bytes");
	return 0;
}

int
check_field(const char *text, struct why *why)
{
	static const char *const ours[] = { "content-length", "transfer-encoding", "connection",
		"date", "upgrade", "trailer" };
	const size_t n = strcspn(text, ":");

	for (size_t i = 0; i < n; i++)
		if (!char_is((unsigned char)text[i], CHAR_TOKEN))
			return check_fail(why, text, "Name: value");
	for (size_t i = 0; i < ELEMENTSOF(ours); i++)
		if (span_same((struct span){ text, n }, ours[i]))
			return check_fail(
			    why, text, "a field that is not the server's own business");
	if (n == 0 || text[n] != ':' || text[n + 1] != ' ' || text[n + 2] == '\0')
		return check_fail(why, text, "Name: value");
	return check_value(text + n + 2, why);
}

int
check_cache_type(const char *text, struct why *why)
{
	const char *colon = strstr(text, ": ");

	if (colon && memchr(text, '/', (size_t)(colon - text)))
		return check_value(colon + 2, why);
	return check_fail(why, text, "type/subtype: value, or type/*: value");
}

int
check_error_page(const char *text, struct why *why)
{
	uint64_t status;

	if (strlen(text) > 5 && text[3] == '=' && text[4] == '/' &&
	    num_parse((struct span){ text, 3 }, 10, 400, 599, &status) == 0)
		return 0;
	return check_fail(why, text, "404=/path");
}

int
check_access(const char *text, struct why *why)
{
	struct net_rule rule = { 0 };

	if (str_starts(text, "allow ") && net_parse(text + 6, &rule) == 0)
		return 0;
	if (str_starts(text, "deny ") && net_parse(text + 5, &rule) == 0)
		return 0;
	return check_fail(why, text, "allow or deny, and an address, a network or all");
}

int
check_realm(const char *text, struct why *why)
{
	if (strpbrk(text, "\"\\"))
		return check_fail(why, text, "no quotes or backslashes");
	return check_value(text, why);
}

int
check_method(const char *text, struct why *why)
{
	static const char *const words[] = { "GET", "HEAD", "OPTIONS" };

	return check_word(why, text, words, ELEMENTSOF(words), "GET, HEAD or OPTIONS");
}

int
check_users_dir(const char *text, struct why *why)
{
	if (*text && text[0] != '/' && strlen(text) < 128 && !strstr(text, ".."))
		return 0;
	return check_fail(why, text, "a path below a home directory");
}
