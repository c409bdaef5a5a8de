/*
 * path.c - see path.h.
 */
#include "launcher/load/path.h"

#include <dirent.h>

#include "launcher/load/trust.h"

#define ALIAS_DEPTH_MAX 8
#define BESIDE_MAX 256

static const char *const system_dirs[] = {
	"/etc/systemd/system",
	"/run/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
};

void
unit_files_done(struct unit_files *f)
{
	fd_closep(&f->fd);
	free(f->path);
	free(f->aliases);
	for (size_t k = 0; k < UNIT_BESIDE_END; k++) {
		for (size_t i = 0; i < f->beside[k].n; i++)
			free(f->beside[k].paths[i]);
		free(f->beside[k].paths);
	}
	*f = (struct unit_files){ .fd = -EBADF };
}

/* The i-th directory to look in; NULL after the last. */
static const char *
search_dir(const struct search *s, size_t i)
{
	const size_t own = s->own ? 1 : 0;

	if (i < own)
		return s->own;
	if (i < own + s->n_path)
		return s->path[i - own];
	i -= own + s->n_path;
	return i < ELEMENTSOF(system_dirs) ? system_dirs[i] : NULL;
}

static int
alias_add(struct unit_files *f, const struct unit_name *name)
{
	struct unit_name *more = reallocarray(f->aliases, f->n_aliases + 1, sizeof(*f->aliases));

	if (!more)
		return -ENOMEM;
	more[f->n_aliases++] = *name;
	f->aliases = more;
	return 0;
}

/*
 * Is a file found as name really another unit's, by a symbolic link?
 * An instance found by its template keeps its own instance.
 */
static bool
alias_target(const struct unit_name *name, const char *real, struct unit_name *ret)
{
	const char *base = strrchr(real, '/') + 1;
	struct unit_name target, template;

	if (unit_name_parse(base, &target) < 0 || target.kind != name->kind)
		return false;
	if (unit_name_is_template(&target) && unit_name_is_instance(name) &&
	    unit_name_make(unit_name_prefix(&target), unit_name_instance(name),
		unit_name_type(name), &template) == 0)
		target = template;
	*ret = target;
	return strcmp(target.id, name->id) != 0;
}

/* One file name in all directories. Return: enum trust_outcome; -ENOENT; -errno. */
static int
file_find(const struct search *search, const char *file, struct unit_files *f,
    struct trust_file *found, struct why *why)
{
	const char *dir;

	for (size_t i = 0; (dir = search_dir(search, i)); i++) {
		char path[PATH_MAX];
		int r;

		if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
			return why_set(why, -ENAMETOOLONG, "%s/%s", dir, file);
		if (access(path, F_OK) < 0 && errno == ENOENT)
			continue; /* spares the long walk; what exists is walked */
		r = trust_open(path, false, found, why);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		free(f->path);
		f->path = strdup(path);
		return f->path ? r : -ENOMEM;
	}
	return -ENOENT;
}

/* A name, or else its template. Return: as file_find(). */
static int
name_find(const struct search *search, const struct unit_name *name, struct unit_files *f,
    struct trust_file *found, struct why *why)
{
	struct unit_name template;
	int r = file_find(search, name->id, f, found, why);

	if (r == -ENOENT && unit_name_is_instance(name) &&
	    unit_name_make(unit_name_prefix(name), span_of(""), unit_name_type(name), &template) ==
		0)
		r = file_find(search, template.id, f, found, why);
	return r;
}

/* From alias to alias, until a file is what its name says. */
static int
unit_find(const struct search *search, const struct unit_name *name, struct unit_files *f,
    struct why *why)
{
	struct unit_name target = *name;
	struct trust_file found = { .fd = -EBADF };

	for (unsigned depth = 0; depth < ALIAS_DEPTH_MAX; depth++) {
		const int r = name_find(search, &target, f, &found, why);

		if (r == -ENOENT && depth > 0) /* a link to a file outside: the name stays */
			return UNIT_FILES_OK;
		if (r < 0)
			return r == -ENOENT ? why_set(why, r, "%s", name->id) : r;
		if (depth > 0 && alias_add(f, &f->name) < 0)
			return why_set(why, -ENOMEM, "%s", name->id);
		f->name = target;
		if (r == TRUST_MASK)
			return UNIT_FILES_MASKED;
		fd_closep(&f->fd);
		f->fd = found.fd;
		if (!alias_target(&f->name, found.real, &target))
			return UNIT_FILES_OK;
	}
	return why_set(why, -ELOOP, "%s: aliases", name->id);
}

static const char *
base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Adds one file unless a folder before this one had a file of that name. */
static int
beside_add(struct file_list *list, const char *dir, const char *file)
{
	char **more, *path;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(base_name(list->paths[i]), file) == 0)
			return 0;
	if (list->n == BESIDE_MAX)
		return -E2BIG;
	more = reallocarray(list->paths, list->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->paths = more;
	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return -ENOMEM;
	list->paths[list->n++] = path;
	return 0;
}

static bool
beside_takes(enum unit_beside kind, const char *file)
{
	struct unit_name name;

	if (kind == UNIT_DROPINS)
		return file[0] != '.' && str_ends(file, ".conf");
	return unit_name_parse(file, &name) == 0;
}

/* All of DIR/NAME.d/ and its like. */
static int
beside_of_dir(
    struct unit_files *f, enum unit_beside kind, const char *dir, const char *name, struct why *why)
{
	static const char *const suffixes[] = { ".d", ".wants", ".requires" };
	struct trust_file found;
	char path[PATH_MAX];
	DIR *d;
	int r;

	_Static_assert(ELEMENTSOF(suffixes) == UNIT_BESIDE_END, "one each");
	if (snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffixes[kind]) >= (int)sizeof(path))
		return why_set(why, -ENAMETOOLONG, "%s/%s", dir, name);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = trust_open(path, true, &found, why);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	d = fdopendir(found.fd);
	if (!d) {
		r = why_set(why, -errno, "%s", path);
		fd_closep(&found.fd);
		return r;
	}
	for (struct dirent *e = readdir(d); e && r == 0; e = readdir(d))
		if (beside_takes(kind, e->d_name))
			r = beside_add(&f->beside[kind], path, e->d_name);
	(void)closedir(d);
	return r < 0 ? why_set(why, r, "%s", path) : 0;
}

/* "a-b@i.service" to "a-@i.service". Return: false when there is no dash to cut at. */
static bool
name_chop(struct unit_name *name)
{
	struct span prefix = unit_name_prefix(name), instance = unit_name_instance(name);

	if (prefix.ptr[prefix.len - 1] == '-')
		prefix.len--;
	while (prefix.len > 0 && prefix.ptr[prefix.len - 1] != '-')
		prefix.len--;
	if (!name->pos.at)
		instance.ptr = NULL;
	return prefix.len > 0 && unit_name_make(prefix, instance, unit_name_type(name), name) == 0;
}

/*
 * The folders of one name in one directory, the most specific first: "a-b@i.service.d",
 * "a-b@.service.d", "a-@.service.d", "a-@i.service.d" (systemd's own order).
 */
static int
beside_of_name(struct unit_files *f, enum unit_beside kind, const char *dir,
    const struct unit_name *name, struct why *why)
{
	struct unit_name less;
	int r = beside_of_dir(f, kind, dir, name->id, why);

	if (unit_name_is_instance(name) &&
	    unit_name_make(unit_name_prefix(name), span_of(""), unit_name_type(name), &less) == 0)
		do {
			if (r == 0)
				r = beside_of_dir(f, kind, dir, less.id, why);
		} while (r == 0 && name_chop(&less));
	less = *name;
	while (r == 0 && name_chop(&less))
		r = beside_of_dir(f, kind, dir, less.id, why);
	return r;
}

static int
beside_order(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

static int
beside_find(
    const struct search *search, struct unit_files *f, enum unit_beside kind, struct why *why)
{
	struct file_list *list = &f->beside[kind];
	const char *dir;
	int r = 0;

	for (size_t n = 0; n <= f->n_aliases; n++)
		for (size_t i = 0; r == 0 && (dir = search_dir(search, i)); i++)
			r = beside_of_name(
			    f, kind, dir, n == 0 ? &f->name : &f->aliases[n - 1], why);
	for (size_t i = 0; r == 0 && (dir = search_dir(search, i)); i++)
		r = beside_of_dir(f, kind, dir, unit_name_type(&f->name), why);
	if (r == 0 && list->n > 0)
		qsort(list->paths, list->n, sizeof(*list->paths), beside_order);
	return r;
}

int
unit_files_find(const struct search *search, const struct unit_name *name, struct unit_files *ret,
    struct why *why)
{
	int r;

	*ret = (struct unit_files){ .fd = -EBADF };
	r = unit_find(search, name, ret, why);
	for (size_t k = 0; r == UNIT_FILES_OK && k < UNIT_BESIDE_END; k++)
		r = beside_find(search, ret, (enum unit_beside)k, why);
	if (r < 0)
		unit_files_done(ret);
	return r;
}
