/*
 * directive.h - the table of all directives: the one place that says what the launcher does about
 *               each of them.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_directive.c, tests/fuzz/fuzz_unit_file.c
 *
 * To add a directive: a row in table.c, a field in plan.h, and what enforces it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/unit/plan.h"

struct draft;
struct loader;
struct directive;

enum section {
	SECTION_UNIT,
	SECTION_SOCKET,
	SECTION_SERVICE,
	SECTION_EXEC, /* systemd.exec(5), .kill(5), .resource-control(5): in [Service] and [Socket]
		       */
	SECTION_INSTALL,
	SECTION_END,
};

enum directive_class {
	DIRECTIVE_ENFORCED, /* does what it says; a bad value is ignored with a warning, as in
			       systemd */
	DIRECTIVE_STRICT, /* does what it says; a bad value is an error */
	DIRECTIVE_PENDING, /* read and kept, but nothing acts on it yet: refused until something
			      does */
	DIRECTIVE_NOTED, /* harmless, ignored, said so */
	DIRECTIVE_REFUSED, /* would protect or change what runs, and is not done here */
};

/* One "Name=value" line on its way into a draft. */
struct assign {
	struct loader *loader;
	struct draft *draft;
	const char *file; /* in the plan */
	struct plan_source at; /* the same, for what goes into the plan */
	const struct directive *row;
	const char *full; /* "Service.User" */
	const char *value; /* trimmed; "" resets */
	struct why why; /* filled by a parser that fails */
};

/*
 * A parser writes one value into its field.
 * Return: 0; PARSE_NOTED when the value is good and comes to nothing here; -EOPNOTSUPP when it is
 *         good but not done here (then it is refused by name); another -errno when it is no such
 *         value. why says more in each case but the first.
 */
#define PARSE_NOTED 1
typedef int parse_fn(struct assign *a, void *field);

struct directive {
	enum section section;
	enum directive_class class;
	char name[40];
	uint8_t parse; /* see directive_parser(); 0: there is none */
	uint32_t offset; /* of the field in struct draft */
	uint8_t arg; /* see directive_arg() */
	char text[120]; /* one sentence: what it does here, or why not */
};

extern parse_fn *const directive_parsers[];
extern const void *const directive_args[];
extern const struct directive directive_table[];
extern const size_t directive_count;

/* "Unit", "Socket", ...: as it stands in the brackets. */
const char *section_name(enum section section);

/*
 * directive_find - the row of name in a [section] of a unit file.
 * @section: as written; "Socket" and "Service" have the rows of SECTION_EXEC too
 * Return: NULL when it is unknown there.
 */
const struct directive *directive_find(const char *section, const char *name);

/* Of a refused one it succeeds for a value that asks for nothing. NULL: none. */
static inline parse_fn *
directive_parser(const struct directive *row)
{
	return directive_parsers[row->parse];
}

/* For the parser: the names of an enum, a range. */
static inline const void *
directive_arg(const struct directive *row)
{
	return directive_args[row->arg];
}

static inline size_t
directive_index(const struct directive *row)
{
	return (size_t)(row - directive_table);
}

/*
 * directive_apply - one assignment, with its finding. Never fails: what is wrong is in diag.
 * @a: loader, draft, file, line and value set
 */
void directive_apply(struct assign *a, const char *section, const char *name);

/* For parsers: a finding that does not stop the directive. */
void assign_warn(struct assign *a, const char *format, ...) _printf_(2, 3);
