/*
 * effective.h - the value a directive has in a plan, as one would write it: the table of directives
 *               read backwards.
 * Runs as: as check.h.
 * Tests:   tests/unit/test_check.c
 */
#pragma once

#include "common/buf.h"
#include "launcher/load/directive.h"

/*
 * effective_value - the n-th value of a row in a unit.
 * @n:   0, 1, ...: a list has one value an element
 * @out: reset first
 * Return: false when there is no n-th value (a row that is not enforced has none).
 */
bool effective_value(const struct directive *row, const struct plan *p, const struct plan_unit *u,
    uint32_t n, struct buf *out);
