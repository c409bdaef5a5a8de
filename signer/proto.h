/*
 * proto.h - what worker and signer say to each other: one SOCK_SEQPACKET message each way.
 * Runs as: sallyport-httpd (client) and sallyport-keyd (server); never linked into root.
 * Trusts:  nobody: sign_check() is the first thing that either end does with what it received.
 * Calls:   libc only.
 * Tests:   tests/unit/test_sign_proto.c, tests/fuzz/fuzz_sign_msg.c, fuzz_sign_reply.c
 *
 * Host byte order (both ends are on one machine), fixed size per type, no padding, every unused
 * byte zero. docs/PROTOCOLS.md, "Signing", says the same in prose. A change of any struct is a new
 * SIGN_VERSION; both ends refuse a version that is not theirs.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

#define SIGN_VERSION 1
#define SIGN_KEY_ID_BYTES 32 /* SHA-256 of the SubjectPublicKeyInfo in DER */
#define SIGN_TBS_MAX 212 /* the longest legal text: 64 + 4 + a P-521 point of 133 = 201 */
#define SIGN_SIG_MAX 512 /* RSA-4096 */
#define SIGN_SPKI_MAX 568 /* RSA-4096 with a 32-bit exponent is 550 */
#define SIGN_KEYS_MAX 256 /* keys that one signer holds */

enum sign_type {
	SIGN_LIST = 0x01, /* request: the key at an index */
	SIGN_SIGN = 0x02, /* request: a signature over a TLS handshake text */
	SIGN_KEY = 0x81, /* reply to SIGN_LIST */
	SIGN_SIGNATURE = 0x82, /* reply to SIGN_SIGN */
	SIGN_CHANGED = 0x83, /* unasked, id 0: the set of keys is another one now; list again */
};

enum sign_status {
	SIGN_OK = 0,
	SIGN_UNKNOWN_KEY = 1, /* no such key (any more) */
	SIGN_REFUSED_SHAPE = 2, /* the text is not a TLS server handshake message */
	SIGN_REFUSED_SCHEME = 3, /* not a scheme of this key and TLS version */
	SIGN_FAILED = 4, /* the operation itself failed */
	SIGN_STATUS_END
};

enum sign_kind {
	SIGN_KIND_RSA = 1,
	SIGN_KIND_P256 = 2,
	SIGN_KIND_P384 = 3,
	SIGN_KIND_ED25519 = 4,
	SIGN_KIND_END
};

struct sign_header {
	uint16_t version; /* SIGN_VERSION */
	uint16_t type; /* enum sign_type */
	uint32_t id; /* the asker's choice, never 0, echoed in the reply */
};

struct sign_list {
	struct sign_header head;
	uint32_t index; /* 0 up to total - 1 of the first reply */
	uint32_t zero;
};

struct sign_request {
	struct sign_header head;
	uint8_t key[SIGN_KEY_ID_BYTES];
	uint16_t scheme; /* TLS SignatureScheme, RFC 8446 4.2.3 */
	uint16_t tbs_len; /* 1..SIGN_TBS_MAX; the rest of tbs is zero */
	uint8_t tbs[SIGN_TBS_MAX];
};

struct sign_key {
	struct sign_header head;
	uint64_t generation; /* another one after each change of the set; never 0 */
	uint32_t index;
	uint32_t total; /* 0: no key at all, and nothing below is set */
	uint8_t key[SIGN_KEY_ID_BYTES];
	uint16_t kind; /* enum sign_kind; 0 when index is beyond total */
	uint16_t spki_len;
	uint8_t spki[SIGN_SPKI_MAX];
	uint32_t zero;
};

struct sign_signature {
	struct sign_header head;
	uint16_t status; /* enum sign_status; sig_len is 0 unless SIGN_OK */
	uint16_t sig_len;
	uint8_t sig[SIGN_SIG_MAX];
	uint32_t zero;
};

struct sign_changed {
	struct sign_header head;
	uint64_t generation;
};

static_assert(sizeof(struct sign_header) == 8, "no padding on the wire");
static_assert(sizeof(struct sign_list) == 16, "no padding on the wire");
static_assert(sizeof(struct sign_request) == 8 + 32 + 4 + SIGN_TBS_MAX, "no padding on the wire");
static_assert(sizeof(struct sign_key) == 8 + 16 + 32 + 4 + SIGN_SPKI_MAX + 4, "no padding");
static_assert(sizeof(struct sign_signature) == 8 + 4 + SIGN_SIG_MAX + 4, "no padding");
static_assert(sizeof(struct sign_changed) == 16, "no padding on the wire");

/* Room for any message of either direction, aligned for each of them. */
union sign_msg {
	struct sign_header head;
	struct sign_list list;
	struct sign_request sign;
	struct sign_key key;
	struct sign_signature signature;
	struct sign_changed changed;
};

enum sign_from {
	SIGN_FROM_WORKER,
	SIGN_FROM_SIGNER,
};

/*
 * sign_check - is this a message that `from` may send?
 * @len: bytes received
 * Return: its enum sign_type; -EPROTONOSUPPORT when the version is another one; -EBADMSG when the
 *         type, the size or a field is wrong. On success every field is in range.
 */
_must_check_ int sign_check(enum sign_from from, const union sign_msg *msg, size_t len);

/* Bytes of a message of this type; 0 when there is no such type. */
size_t sign_size(unsigned type);

/* Zeroes the message and fills its header. Return: its size. */
size_t sign_begin(union sign_msg *msg, enum sign_type type, uint32_t id);

/*
 * sign_set_tbs - the text to be signed into a request made by sign_begin().
 * Return: 0; -EMSGSIZE when it is empty or longer than any legal text.
 */
_must_check_ int sign_set_tbs(struct sign_request *m, const uint8_t *tbs, size_t len);

/* For log lines: "unknown key" and so on; "?" for a number that is none. */
const char *sign_status_text(unsigned status);
const char *sign_kind_text(unsigned kind);
