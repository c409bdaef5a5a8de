/*
 * token.h - systemd.syntax(7): a unit file's text as sections and assignments.
 * Runs as: as load.h.
 * Trusts:  nothing about the text: any bytes are taken apart or reported, never run past.
 * Owns:    the line being put together, until tokens_done().
 * Tests:   tests/unit/test_token.c, tests/fuzz/fuzz_unit_file.c
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"
#include "common/why.h"

#define TOKEN_FILE_BYTES_MAX (1u << 20)
#define TOKEN_LINE_BYTES_MAX \
	65000u /* with its continuation lines; a plan's text is shorter than 64 kB */

enum token_kind {
	TOKEN_END, /* of the text */
	TOKEN_SECTION, /* [key] */
	TOKEN_ASSIGN, /* key=value */
	TOKEN_BAD, /* value says what is wrong with the line */
};

struct token {
	enum token_kind kind;
	uint32_t line; /* the first line of it, from 1 */
	const char *key, *value; /* trimmed; valid until the next call */
};

struct tokens {
	struct span text;
	size_t at;
	uint32_t line;
	struct buf joined; /* one logical line */
};

/* text must outlive t; tokens_done() frees the one line that t keeps. */
void tokens_init(struct tokens *t, struct span text);
void tokens_done(struct tokens *t);

/* The next token. Empty lines and comments are skipped, continuation lines joined by a blank. */
void tokens_next(struct tokens *t, struct token *ret);
