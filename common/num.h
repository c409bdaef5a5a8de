/*
 * num.h - the one number parser. No atoi, strtol or sscanf elsewhere.
 * Runs as: every process of ours, root included. Allocates nothing, may run between fork and exec.
 * Tests:   tests/unit/test_num.c
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"

/*
 * num_parse - an unsigned number and nothing else: no sign, no blank, no prefix, no empty text.
 * @text:   digits of the base
 * @base:   8, 10 or 16 (either case)
 * @min,max: inclusive range
 * Return: 0; -EINVAL when text is not such a number; -ERANGE when it is out of range.
 */
_must_check_ int num_parse(
    struct span text, unsigned base, uint64_t min, uint64_t max, uint64_t *ret);

/* The same for a C string in base 10. */
_must_check_ int num_parse_str(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/*
 * num_format - v in decimal into dst, with a NUL; for code between fork and exec, where printf may
 * not be used. dst must hold NUM_TEXT_MAX bytes. Return: dst.
 */
#define NUM_TEXT_MAX 21
char *num_format(char dst[NUM_TEXT_MAX], uint64_t v);
