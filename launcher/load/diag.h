/*
 * diag.h - what the loader has to say about unit files: found here, printed by the verb.
 * Runs as: as load.h.
 * Owns:    its findings, in heap memory, until diag_done().
 * Tests:   tests/unit/test_load.c
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

enum diag_level {
	DIAG_ENFORCED, /* the directive does what it says */
	DIAG_NOTED, /* harmless and ignored here; says why */
	DIAG_DEFAULT, /* a default of ours that is stricter than systemd's was applied */
	DIAG_WARNING, /* a sloppy value, ignored as systemd does */
	DIAG_REFUSED, /* would protect and cannot be done here: the unit does not start */
	DIAG_ERROR, /* anything else that stops the load */
	DIAG_LEVEL_END,
};

struct diag_item {
	enum diag_level level;
	char *unit; /* "web.service" */
	char *file; /* NULL when it is about no line */
	uint32_t line; /* 0 when it is about no line */
	char *directive; /* "Service.User", NULL when it is about none */
	char *value; /* as written, NULL */
	char *text; /* the sentence; "" for an enforced directive */
};

struct diag {
	struct diag_item *items;
	size_t n, cap;
	bool lost; /* memory ran out: some finding is missing, so the load fails */
	size_t fatal; /* how many are DIAG_REFUSED or DIAG_ERROR */
};

/* No findings yet; diag_done() frees them all. */
void diag_init(struct diag *d);
void diag_done(struct diag *d);

/* Adds one finding; all texts are copied. */
void diag_add(struct diag *d, enum diag_level level, const char *unit, const char *file,
    uint32_t line, const char *directive, const char *value, const char *format, ...)
    _printf_(8, 9);

/* A later line took a directive back: what was refused about it in this unit is only noted. */
void diag_withdraw(struct diag *d, const char *unit, const char *directive);

/* What stops the load in this unit only warns. Return: true when there was such a finding. */
bool diag_forgive(struct diag *d, const char *unit);

/* "enforced", "noted", ... */
const char *diag_level_name(enum diag_level level);
