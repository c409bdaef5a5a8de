/*
 * help.h - the texts of --help.
 * Runs as: as help.c.
 * Tests:   tests/lint/manuals.sh
 */
#pragma once

extern const char help_sallyport[], help_run[], help_exec[];
