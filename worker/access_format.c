/*
 * access_format.c - what a line of the access log looks like; see access_log.h.
 */
#include <arpa/inet.h>
#include <time.h>

#include "common/clock.h"
#include "common/json.h"
#include "worker/access_log.h"
#include "worker/http/field.h"

#define FORMAT_COMMON "%h - %u [%t] \"%r\" %s %b"
#define FORMAT_COMBINED FORMAT_COMMON " \"%R\" \"%U\""
#define FIELD_SHOWN_MAX 1024 /* bytes of Referer and the like */
#define TARGET_SHOWN_MAX 4096

static void
access_escaped(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.ptr[i];

		if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f)
			(void)buf_printf(out, "\\x%02x", c);
		else
			(void)buf_putc(out, (char)c);
	}
}

static struct span
shown_field(const struct request *r, enum field f)
{
	struct span s = request_field(r, f);

	if (s.len > FIELD_SHOWN_MAX)
		s.len = FIELD_SHOWN_MAX;
	return s;
}

static struct span
shown_target(const struct request *r)
{
	struct span s = request_piece(r, r->target);

	if (s.len > TARGET_SHOWN_MAX)
		s.len = TARGET_SHOWN_MAX;
	return s;
}

static void
put_field(struct buf *out, const struct request *r, enum field f)
{
	if (request_has(r, f))
		access_escaped(out, shown_field(r, f));
	else
		(void)buf_putc(out, '-');
}

static void
peer_text(const struct peer *p, char *dst, size_t size)
{
	static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nobody[16];

	if (memcmp(p->addr, nobody, 16) == 0)
		(void)snprintf(dst, size, "unix:");
	else if (memcmp(p->addr, v4_prefix, 12) == 0)
		(void)inet_ntop(AF_INET, p->addr + 12, dst, (socklen_t)size);
	else
		(void)inet_ntop(AF_INET6, p->addr, dst, (socklen_t)size);
}

/* "25/Nov/2026:22:36:31 +0000", always UTC: a log should not jump by an hour. */
static void
access_time(struct buf *out, uint64_t wall_usec)
{
	const time_t seconds = (time_t)(wall_usec / USEC_PER_SEC);
	char text[64];
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	(void)buf_puts(out, text);
}

static void
put_time_rfc3339(struct buf *out, uint64_t wall_usec)
{
	const time_t seconds = (time_t)(wall_usec / USEC_PER_SEC);
	char text[64];
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)buf_puts(out, text);
}

static struct span
host_of(const struct request *r)
{
	return (struct span){ request_field(r, FIELD_HOST).ptr, r->host_len };
}

static struct span
query_of(const struct request *r)
{
	const struct span target = shown_target(r);
	const char *mark = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;

	if (!mark)
		return (struct span){ "", 0 };
	return (struct span){ mark, target.len - (size_t)(mark - target.ptr) };
}

static void
put_request_line(struct buf *out, const struct request *r)
{
	if (r->target.len == 0) {
		(void)buf_putc(out, '-'); /* it did not come so far */
		return;
	}
	access_escaped(out, request_piece(r, r->method_text));
	(void)buf_putc(out, ' ');
	access_escaped(out, shown_target(r));
	(void)buf_printf(out, " HTTP/1.%u", r->minor);
}

static const char *
client_subject(const struct request *r)
{
	return r->identity ? r->identity->subject : NULL;
}

/* One that does not verify ends the handshake: there is no request of it. NULL without TLS. */
static const char *
client_verified(const struct request *r)
{
	return !r->identity ? NULL : r->identity->subject ? "ok" : "none";
}

static void
put_letter(struct buf *out, char letter, const struct exchange *x)
{
	const struct request *r = x->r;
	char peer[INET6_ADDRSTRLEN];

	switch (letter) {
	case 'h':
		peer_text(x->peer, peer, sizeof(peer));
		(void)buf_puts(out, peer);
		break;
	case 't':
		access_time(out, x->wall_usec);
		break;
	case 'r':
		put_request_line(out, r);
		break;
	case 's':
		(void)buf_printf(out, "%u", x->status);
		break;
	case 'b':
		(void)buf_printf(out, "%llu", (unsigned long long)x->body_bytes);
		break;
	case 'D':
		(void)buf_printf(out, "%llu", (unsigned long long)x->usec);
		break;
	case 'i':
		(void)buf_printf(out, "%016llx", (unsigned long long)x->id);
		break;
	case 'v':
		access_escaped(out, host_of(r));
		break;
	case 'R':
		put_field(out, r, FIELD_REFERER);
		break;
	case 'U':
		put_field(out, r, FIELD_USER_AGENT);
		break;
	case 'u':
		(void)buf_puts(out, x->user ? x->user : "-");
		break;
	case 'c':
		access_escaped(out, span_of(client_subject(r) ? client_subject(r) : "-"));
		break;
	case 'C':
		(void)buf_puts(out, client_verified(r) ? client_verified(r) : "-");
		break;
	case 'm':
		access_escaped(out, request_piece(r, r->method_text));
		break;
	case 'H':
		(void)buf_printf(out, "HTTP/1.%u", r->minor);
		break;
	case 'q':
		access_escaped(out, query_of(r));
		break;
	default:
		(void)buf_putc(out, letter);
	}
}

static void
format_json(const struct exchange *x, struct buf *out)
{
	const struct request *r = x->r;
	char peer[INET6_ADDRSTRLEN], id[17], time_text[64];
	struct buf when;
	struct json j;

	peer_text(x->peer, peer, sizeof(peer));
	(void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)x->id);
	buf_init(&when, time_text, sizeof(time_text));
	put_time_rfc3339(&when, x->wall_usec);
	json_init(&j, out);
	json_open_object(&j, NULL);
	json_str(&j, "time", time_text);
	json_str(&j, "id", id);
	json_str(&j, "client", peer);
	json_str(&j, "user", x->user);
	json_span(&j, "host", host_of(r));
	json_span(&j, "method", request_piece(r, r->method_text));
	json_span(&j, "target", shown_target(r));
	json_str(&j, "protocol", r->minor ? "HTTP/1.1" : "HTTP/1.0");
	json_bool(&j, "tls", r->secure);
	json_str(&j, "client_subject", client_subject(r));
	json_str(&j, "client_verified", client_verified(r));
	json_u64(&j, "status", x->status);
	json_u64(&j, "bytes", x->body_bytes);
	json_u64(&j, "usec", x->usec);
	json_span(&j, "referer", shown_field(r, FIELD_REFERER));
	json_span(&j, "user_agent", shown_field(r, FIELD_USER_AGENT));
	json_close(&j);
}

void
access_log_format(const char *format, const struct exchange *x, struct buf *out)
{
	if (strcmp(format, "json") == 0) {
		format_json(x, out);
		return;
	}
	if (strcmp(format, "common") == 0)
		format = FORMAT_COMMON;
	else if (strcmp(format, "combined") == 0)
		format = FORMAT_COMBINED;
	for (const char *p = format; *p; p++) {
		if (*p == '%' && p[1])
			put_letter(out, *++p, x);
		else
			(void)buf_putc(out, *p);
	}
}
