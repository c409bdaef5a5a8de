/*
 * context.c - see context.h.
 */
#include "worker/tls/context.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

const struct tls_options tls_defaults = {
	.keyd = TLS_KEYD_DEFAULT,
	.min_version = "1.2",
	.ciphers = TLS_CIPHERS_DEFAULT,
	.suites = TLS_SUITES_DEFAULT,
	.groups_list = TLS_GROUPS_DEFAULT,
	.security_level = 2,
	.ticket_epoch_sec = 8 * 3600,
	.ticket_credential = "ticket-key",
	.first_record = 4096,
	.alpn = "\x08http/1.1",
	.alpn_len = 9,
};

const char *
openssl_error(char *text, size_t size)
{
	const char *data = NULL;
	int flags = 0;
	unsigned long code = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	(void)snprintf(text, size, "%s%s%s", reason ? reason : "",
	    (flags & ERR_TXT_STRING) && data && *data ? ": " : "",
	    (flags & ERR_TXT_STRING) && data ? data : "");
	ERR_clear_error();
	return text;
}

/* RFC 7301 3.2: no common protocol is the end; a client that asked for another must not get ours.
 */
static int
context_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	const struct tls_options *o = arg;
	unsigned char *chosen = NULL;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, o->alpn, (unsigned)o->alpn_len, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_versions(SSL_CTX *ctx, const struct tls_options *o, struct why *why)
{
	int min;

	if (strcmp(o->min_version, "1.2") == 0)
		min = TLS1_2_VERSION;
	else if (strcmp(o->min_version, "1.3") == 0)
		min = TLS1_3_VERSION;
	else
		return why_set(why, -EINVAL, "TLS version %s: want 1.2 or 1.3", o->min_version);
	SSL_CTX_set_security_level(ctx, o->security_level);
	if (SSL_CTX_set_min_proto_version(ctx, min) != 1)
		return why_set(why, -EINVAL, "TLS version %s", o->min_version);
	if (SSL_CTX_set_cipher_list(ctx, o->ciphers) != 1)
		return why_set(why, -EINVAL, "cipher list %s", o->ciphers);
	if (SSL_CTX_set_ciphersuites(ctx, o->suites) != 1)
		return why_set(why, -EINVAL, "TLS 1.3 suites %s", o->suites);
	if (SSL_CTX_set1_groups_list(ctx, o->groups_list) != 1)
		return why_set(why, -EINVAL, "groups %s", o->groups_list);
	return 0;
}

static void
set_behaviour(SSL_CTX *ctx, const struct tls_options *o, struct tickets *tickets)
{
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
		     SSL_OP_NO_ANTI_REPLAY /* early data is off: max_early_data is 0 */
		     | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
		     (o->ktls ? SSL_OP_ENABLE_KTLS : 0));
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ASYNC);
	SSL_CTX_set_read_ahead(ctx, 1);
	/* Tickets hold the session: nothing to look up, nothing to share but their keys. */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(
	    ctx, 1); /* one more write each; browsers take what they get */
	(void)SSL_CTX_set_timeout(ctx, (long)o->ticket_epoch_sec);
	tickets_use(tickets, ctx);
	if (o->alpn_len > 0)
		SSL_CTX_set_alpn_select_cb(ctx, context_on_alpn, (void *)(uintptr_t)o);
}

SSL_CTX *
context_new(const struct tls_options *o, const struct policy *policy, struct tickets *tickets,
    struct why *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int r = ctx ? set_versions(ctx, o, why) : why_set(why, -ENOMEM, "SSL_CTX");

	if (r == 0)
		r = policy_use(policy, ctx, why);
	if (r < 0) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return NULL;
	}
	set_behaviour(ctx, o, tickets);
	return ctx;
}
