/*
 * control.h - what an operator's verb says to the manager and back, over RUNTIME/control.
 * Runs as: manager (answers), whoever calls `sallyport VERB` (asks).
 * Trusts:  nobody. Who asks is told by SO_PEERCRED: everybody may ask, only uid 0 and the
 *          launcher's own user may change anything.
 * Tests:   tests/unit/test_control.c, tests/fuzz/fuzz_control.c
 *
 * SOCK_SEQPACKET, host byte order. One request packet of fixed size; then reply packets: each a
 * head and text, the last one of kind END. A connection may ask again after END, not before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"

#define CONTROL_VERSION 1u /* bump on any change below; both ends refuse a mismatch */
#define CONTROL_SOCKET "control" /* below the runtime directory */
#define CONTROL_UNIT_MAX 256u
#define CONTROL_PACKET_MAX 8192u

enum control_verb {
	CONTROL_SHOW, /* one unit, or all of them when `unit` is empty */
	CONTROL_START,
	CONTROL_STOP,
	CONTROL_RESTART,
	CONTROL_RELOAD,
	CONTROL_KILL,
	CONTROL_RESET_FAILED, /* one unit or all */
	CONTROL_VERB_END,
};

enum control_flag {
	CONTROL_NO_BLOCK = 1 << 0, /* answer when the job is queued, not when it is done */
};

enum control_whom {
	CONTROL_WHOM_ALL, /* the whole process group of each process of the unit */
	CONTROL_WHOM_MAIN,
	CONTROL_WHOM_CONTROL,
	CONTROL_WHOM_END,
};

struct control_request {
	uint32_t version;
	uint32_t verb; /* enum control_verb */
	uint32_t flags; /* enum control_flag; START, STOP, RESTART, RELOAD only */
	int32_t signo; /* KILL only: 1..64 */
	uint32_t whom; /* KILL only: enum control_whom */
	char unit[CONTROL_UNIT_MAX]; /* id, NUL-terminated, zeros after it */
};

enum control_kind {
	CONTROL_REPLY_UNIT, /* text: lines Key=Value of one unit, control bytes escaped */
	CONTROL_REPLY_END, /* error and text: how it went */
	CONTROL_REPLY_KIND_END,
};

struct control_reply_head {
	uint32_t version;
	uint32_t kind; /* enum control_kind */
	int32_t error; /* 0, or errno; END only */
	uint32_t n; /* bytes of text that follow */
};

/*
 * control_check - is this a request?
 * Return: 0 and a copy; -EPROTO when size, version, verb, a field the verb does not use or the
 *         name is wrong (why says which).
 */
_must_check_ int control_check(
    const void *bytes, size_t len, struct control_request *ret, struct why *why);

/* The same for a reply; *ret_text points into bytes and is not NUL-terminated. */
_must_check_ int control_check_reply(const void *bytes, size_t len, struct control_reply_head *ret,
    const char **ret_text, struct why *why);

/* True if the verb changes something: only the owner may. */
bool control_changes(uint32_t verb);

/* "show", "start", ...; "?" for an unknown one. */
const char *control_verb_name(uint32_t verb);
