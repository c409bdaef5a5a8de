/*
 * users.c - see users.h.
 */
#include "worker/site/users.h"

#include <limits.h>
#include <pwd.h>

#include "worker/site/beneath.h"

#define UID_FIRST 1000u
#define UID_LAST 59999u

struct user_row {
	char *name, *path;
	struct user_pages pages;
};

struct users {
	size_t n;
	struct user_row *row;
};

static int
users_add(struct users *u, const struct passwd *pw, const char *dir, uint32_t *last_id)
{
	char path[PATH_MAX];
	struct user_row *more;
	struct user_row row = { 0 };

	if (snprintf(path, sizeof(path), "%s/%s", pw->pw_dir, dir) >= (int)sizeof(path))
		return 0;
	row.pages.root = beneath_root(path);
	if (row.pages.root < 0)
		return 0; /* there is none, or we may not see it: nothing to serve */
	more = reallocarray(u->row, u->n + 1, sizeof(*more));
	row.name = strdup(pw->pw_name);
	row.path = strdup(path);
	if (more)
		u->row = more;
	if (!more || !row.name || !row.path) {
		free(row.name);
		free(row.path);
		fd_closep(&row.pages.root);
		return -ENOMEM;
	}
	row.pages.path = row.path;
	row.pages.root_id = ++*last_id;
	u->row[u->n++] = row;
	return 0;
}

static int
user_row_compare(const void *a, const void *b)
{
	return strcmp(((const struct user_row *)a)->name, ((const struct user_row *)b)->name);
}

int
users_load(const char *dir, uint32_t *last_id, struct users **ret, struct why *why)
{
	struct users *u = calloc(1, sizeof(*u));
	int r = u ? 0 : -ENOMEM;

	setpwent();
	for (struct passwd *pw = getpwent(); pw && r == 0; pw = getpwent())
		if (pw->pw_uid >= UID_FIRST && pw->pw_uid <= UID_LAST)
			r = users_add(u, pw, dir, last_id);
	endpwent();
	if (r < 0) {
		users_free(u);
		return why_set(why, r, "pages of users");
	}
	if (u->n > 0)
		qsort(u->row, u->n, sizeof(*u->row), user_row_compare);
	*ret = u;
	return 0;
}

void
users_free(struct users *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++) {
		free(u->row[i].name);
		free(u->row[i].path);
		fd_closep(&u->row[i].pages.root);
	}
	free(u->row);
	free(u);
}

const struct user_pages *
users_find(const struct users *u, struct span name)
{
	for (size_t low = 0, high = u->n; low < high;) {
		const size_t mid = low + (high - low) / 2;
		const size_t len = strlen(u->row[mid].name);
		int r = memcmp(name.ptr, u->row[mid].name, name.len < len ? name.len : len);

		if (r == 0)
			r = name.len < len ? -1 : name.len > len;
		if (r == 0)
			return &u->row[mid].pages;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct user_pages *
users_at(const struct users *u, size_t i)
{
	return u && i < u->n ? &u->row[i].pages : NULL;
}
