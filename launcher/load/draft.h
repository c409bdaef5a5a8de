/*
 * draft.h - a unit while it is loaded: what will go into the plan, and what only the loader needs.
 * Runs as: as load.h. For the files of this folder alone.
 * Tests:   tests/unit/test_load.c
 * Owns:    drafts live on the heap until plan_load() returns; their texts are in the plan already.
 */
#pragma once

#include "launcher/load/build.h"
#include "launcher/load/directive.h"
#include "launcher/load/load.h"
#include "launcher/load/resolve.h"
#include "launcher/unit/name.h"

/* Where a directive was last set; file NULL: never. */
struct where {
	const char *file; /* in the plan */
	uint32_t line;
};

struct draft {
	struct plan_unit unit; /* copied into the plan as it is, when all is known */
	struct unit_name name;
	const char *id, *path; /* in the plan */
	const char *own_dir; /* in the plan: the folder of a UNIT given as a path; or NULL */
	struct ref service_name; /* Service= */
	struct plan_list socket_names; /* Sockets=, struct plan_word */
	struct plan_list supplementary; /* SupplementaryGroups=, struct plan_word */
	struct plan_list dependency_names[DEPENDENCY_END]; /* struct plan_word */
	struct draft *service; /* of a socket: the unit it starts */
	struct where *set; /* by directive_index() */
	bool linked; /* what it brings along was looked for */
	bool needed; /* named, or needed by what is: if it fails, the load fails */
	bool dropped; /* left out of the plan */
	bool listed; /* has its place in the order of the plan */
};

/* The last question to resolve.h and its answer. */
struct loader_names {
	bool asked;
	char user[256], group[256];
	struct resolved answer;
};

struct loader {
	const struct load_options *options;
	struct build build;
	struct diag *diag;
	struct draft *drafts[PLAN_UNITS_MAX]; /* as they were found */
	size_t n_drafts;
	struct draft *order[PLAN_UNITS_MAX]; /* as they go into the plan */
	size_t n_order;
	struct loader_names names;
	bool changed; /* linking has to go on */
};

/* A text of the plan being built; NULL for none. */
static inline const char *
draft_text(struct loader *l, struct ref r)
{
	return build_at(&l->build, r);
}

/* Where Section.Name was set in this unit; file is NULL when it was not. */
struct where draft_where(const struct draft *d, enum section section, const char *name);

static inline bool
draft_has(const struct draft *d, enum section section, const char *name)
{
	return draft_where(d, section, name).file;
}

/* A finding about a unit, or about a directive of it that was set. Return: -EINVAL. */
int draft_error(struct loader *l, const struct draft *d, const char *format, ...) _printf_(3, 4);
int draft_error_at(struct loader *l, const struct draft *d, enum section section, const char *name,
    const char *format, ...) _printf_(5, 6);

/*
 * draft_read - the text of one file of a unit, applied directive by directive.
 * @fd: borrowed. Findings go to the loader's diag. Return: 0; -errno when it cannot be read.
 */
_must_check_ int draft_read(
    struct loader *l, struct draft *d, const char *path, int fd, struct why *why);

/* The defaults of an empty unit of its kind. */
void draft_defaults(struct draft *d);

/* finish.c: what can only be said when all lines are read: users, defaults of ours, rules. */
void draft_finish(struct loader *l, struct draft *d);

/* How a unit comes to be looked for, which says what it means that it is not there. */
enum pull {
	PULL_NEEDED, /* an error */
	PULL_IF_THERE, /* nothing; but if it is there it must be good */
	PULL_WANTED, /* nothing; and if it is no good, a warning */
	PULL_AGAIN, /* all was said */
};

/* load.c: by name; NULL when it cannot be loaded (the findings say why). */
struct draft *loader_unit(
    struct loader *l, const struct unit_name *name, const char *own_dir, enum pull how);

/* load.c: what is loaded already, by any of its names. */
struct draft *loader_find(struct loader *l, const char *id);

/* link.c: pulls in what each draft needs (n_drafts grows) and finds the service of each socket. */
void loader_link(struct loader *l);

/* link.c: units that are only wanted and cannot be had are dropped, their findings forgiven. */
void loader_leave_out(struct loader *l);

/* link.c: does the service get the descriptors of this socket? */
bool draft_feeds(struct loader *l, const struct draft *socket, const struct draft *service);

/* link.c: the order of the plan: command line first to last, a socket before its service. */
void loader_order(struct loader *l);

/* link.c: whom a unit points at, by index, once all have theirs. */
void draft_connect(struct loader *l, struct draft *d);
