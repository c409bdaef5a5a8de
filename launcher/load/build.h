/*
 * build.h - a plan while it is being written.
 * Runs as: root at start and in the child that checks a reload; never in the resident half.
 * Owns:    a memfd and its writable mapping until build_freeze() or build_done().
 * Tests:   tests/unit/test_plan.c
 */
#pragma once

#include "launcher/unit/plan.h"

/* Places never move while a plan is built: the mapping is as large as a plan may get. */
struct build {
	struct plan *plan;
	int fd;
	bool full; /* sticky: something did not fit; build_freeze() reports it */
};

/* An empty plan. Return: 0 or -errno; build_done() is safe after either. */
_must_check_ int build_init(struct build *b, struct why *why);

/* Releases what was not given up by build_freeze(); safe twice. */
/* The same in a memfd that somebody else will map; takes it, also on failure. */
_must_check_ int build_take_fd(struct build *b, int take_fd, struct why *why);
void build_done(struct build *b);

/*
 * build_alloc - size zeroed bytes, 8-aligned.
 * Return: a place that is always writable; when the plan is full, `full` is set and a shared scrap
 * area is handed out, so that parsers need no error path for it.
 */
void *build_alloc(struct build *b, size_t size, struct ref *ret_ref);

/* A copy of text. NULL gives "none". */
struct ref build_str(struct build *b, const char *text);
struct ref build_span(struct build *b, struct span text);

/* Appends an element of the given size, whose first member is its `next`. */
void *build_append(struct build *b, struct plan_list *list, size_t size);
void build_append_word(struct build *b, struct plan_list *list, const char *text);

/* A fresh unit in the plan; NULL when PLAN_UNITS_MAX is reached. */
struct plan_unit *build_unit(struct build *b, enum unit_kind kind, const char *id);

/* The writable place of a reference made by this builder. */
void *build_at(struct build *b, struct ref r);

/*
 * build_freeze - cut to size, seal, and give the descriptor up.
 * @ret_fd: owned by the caller; close-on-exec
 * Return: 0; -ENOSPC when the plan did not fit; -errno.
 */
_must_check_ int build_freeze(struct build *b, int *ret_fd, struct why *why);
