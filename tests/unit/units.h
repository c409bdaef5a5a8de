/*
 * units.h - for tests of launcher/load/: a folder of unit files, and a load of them.
 * Owns:    a fresh folder under TMPDIR until units_done().
 */
#pragma once

#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "launcher/load/load.h"

struct units {
	char dir[64];
	const char *unit_path[1];
	struct load_options options; /* root services are allowed; the folder is --unit-path */
	struct diag diag;
	struct why why;
	const struct plan *plan;
};

static inline void
units_init(struct units *u)
{
	*u = (struct units){ .dir = "/tmp/sallyport-test-XXXXXX" };
	assert_non_null(mkdtemp(u->dir));
	u->unit_path[0] = u->dir;
	u->options = (struct load_options){
		.unit_path = u->unit_path, .n_unit_path = 1, .allow_root_services = true
	};
	diag_init(&u->diag);
}

static inline int
units_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
units_unload(struct units *u)
{
	plan_unmap(u->plan);
	u->plan = NULL;
	diag_done(&u->diag);
}

static inline void
units_done(struct units *u)
{
	units_unload(u);
	(void)nftw(u->dir, units_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file in the folder; folders on the way to it are made. */
static inline void
units_write(const struct units *u, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	for (char *slash = strchr(path + strlen(u->dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(path, "we");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Loads the named units. Return: as plan_load(); the plan is mapped on success. */
static inline int
units_load(struct units *u, const char *const *names, size_t n)
{
	int fd = -EBADF, r;

	units_unload(u);
	diag_init(&u->diag);
	r = plan_load(&u->options, names, n, &u->diag, &fd, &u->why);
	if (r < 0)
		return r;
	assert_int_equal(plan_map(fd, &u->plan, &u->why), 0);
	assert_int_equal(close(fd), 0);
	return 0;
}

static inline int
units_load_one(struct units *u, const char *name)
{
	return units_load(u, &name, 1);
}

/* The first finding of this level about this directive (NULL: any) with this in its text. */
static inline const struct diag_item *
units_finding(const struct units *u, enum diag_level level, const char *directive, const char *text)
{
	for (size_t i = 0; i < u->diag.n; i++) {
		const struct diag_item *item = &u->diag.items[i];

		if (item->level == level &&
		    (!directive || (item->directive && strcmp(item->directive, directive) == 0)) &&
		    strstr(item->text, text))
			return item;
	}
	return NULL;
}
