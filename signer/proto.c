/*
 * proto.c - see proto.h.
 */
#include "signer/proto.h"

#include <string.h>

static bool
is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

static bool
sign_list_ok(const union sign_msg *m)
{
	return m->head.id != 0 && m->list.zero == 0 && m->list.index < SIGN_KEYS_MAX;
}

static bool
sign_request_ok(const union sign_msg *m)
{
	const struct sign_request *r = &m->sign;

	if (m->head.id == 0 || r->tbs_len == 0 || r->tbs_len > SIGN_TBS_MAX)
		return false;
	return is_zero(r->tbs + r->tbs_len, sizeof(r->tbs) - r->tbs_len);
}

static bool
sign_key_ok(const union sign_msg *m)
{
	const struct sign_key *k = &m->key;

	if (m->head.id == 0 || k->generation == 0 || k->zero != 0 || k->total > SIGN_KEYS_MAX)
		return false;
	if (k->spki_len > SIGN_SPKI_MAX ||
	    !is_zero(k->spki + k->spki_len, sizeof(k->spki) - k->spki_len))
		return false;
	if (k->index >= k->total) /* beyond the end: only the totals count */
		return k->kind == 0 && k->spki_len == 0 && is_zero(k->key, sizeof(k->key));
	return k->kind > 0 && k->kind < SIGN_KIND_END && k->spki_len > 0;
}

static bool
sign_signature_ok(const union sign_msg *m)
{
	const struct sign_signature *s = &m->signature;

	if (m->head.id == 0 || s->zero != 0 || s->status >= SIGN_STATUS_END)
		return false;
	if (s->sig_len > SIGN_SIG_MAX || (s->sig_len > 0) != (s->status == SIGN_OK))
		return false;
	return is_zero(s->sig + s->sig_len, sizeof(s->sig) - s->sig_len);
}

static bool
sign_changed_ok(const union sign_msg *m)
{
	return m->head.id == 0 && m->changed.generation != 0;
}

static const struct sign_row {
	uint16_t type;
	uint16_t size;
	enum sign_from from;
	bool (*ok)(const union sign_msg *m);
} sign_rows[] = {
	{ SIGN_LIST, sizeof(struct sign_list), SIGN_FROM_WORKER, sign_list_ok },
	{ SIGN_SIGN, sizeof(struct sign_request), SIGN_FROM_WORKER, sign_request_ok },
	{ SIGN_KEY, sizeof(struct sign_key), SIGN_FROM_SIGNER, sign_key_ok },
	{ SIGN_SIGNATURE, sizeof(struct sign_signature), SIGN_FROM_SIGNER, sign_signature_ok },
	{ SIGN_CHANGED, sizeof(struct sign_changed), SIGN_FROM_SIGNER, sign_changed_ok },
};

static const struct sign_row *
sign_row_of(unsigned type)
{
	for (size_t i = 0; i < ELEMENTSOF(sign_rows); i++)
		if (sign_rows[i].type == type)
			return &sign_rows[i];
	return NULL;
}

int
sign_check(enum sign_from from, const union sign_msg *msg, size_t len)
{
	const struct sign_row *row;

	if (len < sizeof(msg->head))
		return -EBADMSG;
	if (msg->head.version != SIGN_VERSION)
		return -EPROTONOSUPPORT;
	row = sign_row_of(msg->head.type);
	if (!row || row->from != from || row->size != len || !row->ok(msg))
		return -EBADMSG;
	return row->type;
}

size_t
sign_size(unsigned type)
{
	const struct sign_row *row = sign_row_of(type);

	return row ? row->size : 0;
}

size_t
sign_begin(union sign_msg *msg, enum sign_type type, uint32_t id)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.version = SIGN_VERSION;
	msg->head.type = (uint16_t)type;
	msg->head.id = id;
	return sign_size(type);
}

int
sign_set_tbs(struct sign_request *m, const uint8_t *tbs, size_t len)
{
	if (len == 0 || len > sizeof(m->tbs))
		return -EMSGSIZE;
	memcpy(m->tbs, tbs, len);
	m->tbs_len = (uint16_t)len;
	return 0;
}

const char *
sign_status_text(unsigned status)
{
	static const char *const texts[SIGN_STATUS_END] = {
		[SIGN_OK] = "signed",
		[SIGN_UNKNOWN_KEY] = "unknown key",
		[SIGN_REFUSED_SHAPE] = "not a TLS server handshake text",
		[SIGN_REFUSED_SCHEME] = "scheme not allowed for this key and TLS version",
		[SIGN_FAILED] = "operation failed",
	};

	return status < SIGN_STATUS_END ? texts[status] : "?";
}

const char *
sign_kind_text(unsigned kind)
{
	static const char *const texts[SIGN_KIND_END] = {
		[SIGN_KIND_RSA] = "RSA",
		[SIGN_KIND_P256] = "P-256",
		[SIGN_KIND_P384] = "P-384",
		[SIGN_KIND_ED25519] = "Ed25519",
	};

	return kind < SIGN_KIND_END && texts[kind] ? texts[kind] : "?";
}
