/*
 * quote.h - systemd's word splitting: blanks, 'single' and "double" quotes, C escapes
 *           (systemd.syntax(7), "Quoting").
 * Runs as: as load.h.
 * Tests:   tests/unit/test_quote.c, tests/fuzz/fuzz_unit_file.c
 */
#pragma once

#include "common/buf.h"

/* What word_next() had to let pass. */
enum word_note {
	WORD_BAD_ESCAPE = 1 << 0, /* an escape C does not have: kept as written, as systemd does */
};

/*
 * word_next - the next word of *p, unquoted, into out (which is reset first).
 * @p:     moved to the start of the word after it
 * @notes: ORed with enum word_note; may be NULL
 * Return: 1 when there is a word (it may be empty: ""); 0 at the end; -EINVAL for a quote that is
 *         never closed; -ENOBUFS when the word does not fit.
 */
_must_check_ int word_next(const char **p, struct buf *out, unsigned *notes);
