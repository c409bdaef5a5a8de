/*
 * serve.c - see serve.h.
 */
#include "signer/serve.h"

#include <string.h>

static void
serve_list(const struct keyset *set, const union sign_msg *in, union sign_msg *out,
    struct serve_note *note)
{
	const size_t total = keyset_current(set), index = in->list.index;
	struct sign_key *k = &out->key;

	(void)note;
	k->generation = set->generation;
	k->index = in->list.index;
	k->total = (uint32_t)total;
	if (index >= total)
		return;
	memcpy(k->key, set->keys[index].id, sizeof(k->key));
	k->kind = (uint16_t)set->keys[index].kind;
	k->spki_len = set->keys[index].spki_len;
	memcpy(k->spki, set->keys[index].spki, k->spki_len);
}

/* The order matters to nobody but the log: the first thing that is wrong is named. */
static enum sign_status
try_sign(const struct signer_key *key, const struct sign_request *req, struct sign_signature *sig)
{
	const struct sign_scheme *scheme = scheme_by_code(req->scheme);
	const enum sign_shape shape = shape_of(req->tbs, req->tbs_len);
	int n;

	if (!key)
		return SIGN_UNKNOWN_KEY;
	if (shape == SHAPE_NONE)
		return SIGN_REFUSED_SHAPE;
	if (!scheme || !scheme_allowed(scheme, key->kind, shape))
		return SIGN_REFUSED_SCHEME;
	n = key_sign(key, scheme, req->tbs, req->tbs_len, sig->sig);
	if (n <= 0) {
		memset(sig->sig, 0, sizeof(sig->sig)); /* half a result is nobody's business */
		return SIGN_FAILED;
	}
	sig->sig_len = (uint16_t)n;
	return SIGN_OK;
}

static void
serve_sign(const struct keyset *set, const union sign_msg *in, union sign_msg *out,
    struct serve_note *note)
{
	note->key = keyset_find(set, in->sign.key);
	note->scheme = in->sign.scheme;
	note->status = try_sign(note->key, &in->sign, &out->signature);
	out->signature.status = (uint16_t)note->status;
}

/* Everything that is answered. The sizes were checked against proto.c's table, which has the same.
 */
static const struct {
	enum sign_type request;
	size_t size;
	enum sign_type reply;
	void (*handle)(const struct keyset *set, const union sign_msg *in, union sign_msg *out,
	    struct serve_note *note);
} serve_rows[] = {
	{ SIGN_LIST, sizeof(struct sign_list), SIGN_KEY, serve_list },
	{ SIGN_SIGN, sizeof(struct sign_request), SIGN_SIGNATURE, serve_sign },
};

int
serve_request(const struct keyset *set, const union sign_msg *in, size_t len, union sign_msg *out,
    struct serve_note *note)
{
	const int type = sign_check(SIGN_FROM_WORKER, in, len);

	if (type < 0)
		return type;
	for (size_t i = 0; i < ELEMENTSOF(serve_rows); i++) {
		size_t size;

		if (serve_rows[i].request != (enum sign_type)type || serve_rows[i].size != len)
			continue;
		*note = (struct serve_note){ .type = serve_rows[i].request };
		size = sign_begin(out, serve_rows[i].reply, in->head.id);
		serve_rows[i].handle(set, in, out, note);
		return (int)size;
	}
	return -EBADMSG;
}
