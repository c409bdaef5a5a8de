/*
 * find.c - see find.h.
 */
#include "worker/site/find.h"

#include "common/num.h"
#include "worker/hooks.h"

unsigned
find_status(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV: /* the path would have left the root */
	case ELOOP:
	case ENXIO: /* a socket */
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
		return 503;
	default:
		return 500;
	}
}

struct file_root
find_root(const struct route *route)
{
	return (struct file_root){ route->root, route->root_id, route->s.type };
}

/* Names with a leading dot are not for the public: .git, .htpasswd, .env. RFC 8615's is. */
static bool
path_is_hidden(const char *path)
{
	const char *p = strstr(path, "/.");

	if (p == path && str_starts(path, "/.well-known/"))
		p = strstr(path + 1, "/.");
	return p != NULL;
}

/* s->work holds len bytes and a NUL. A directory with its slash gets its index names tried. */
static enum found
find_one(struct site *s, const struct route *route, size_t len, int64_t now, struct file **ret,
    int *ret_error)
{
	const struct file_root root = find_root(route);
	const struct text_list *index = &route->s.index;
	struct file *f;
	int r;

	if (!route->s.dotfiles && path_is_hidden(s->work) && !hook_is_set("raw-path")) {
		*ret_error = -ENOENT;
		return FOUND_ERROR;
	}
	for (uint32_t i = 0; s->work[len - 1] == '/' && i < index->n; i++) {
		const size_t n = strlen(index->item[i]); /* below SITE_NAME_MAX: check_name() */

		memcpy(s->work + len, index->item[i], n + 1);
		r = filecache_get(s->files, &root, (struct span){ s->work, len + n }, now, ret);
		if (r == 0 && !(*ret)->is_dir)
			return FOUND_FILE;
		if (r == 0)
			file_unref(*ret);
		else if (r != -ENOENT) {
			*ret_error = r;
			return FOUND_ERROR;
		}
		s->work[len] = '\0';
	}
	r = filecache_get(s->files, &root, (struct span){ s->work, len }, now, &f);
	if (r < 0) {
		*ret_error = r;
		return FOUND_ERROR;
	}
	if (!f->is_dir) {
		*ret = f;
		return FOUND_FILE;
	}
	file_unref(f);
	return s->work[len - 1] == '/' ? FOUND_DIR : FOUND_SLASH;
}

/* One element of a try list into s->work. Return: its length, 0 if it does not fit. */
static size_t
try_expand(struct site *s, const char *item, struct span path)
{
	struct buf b;

	buf_init(&b, s->work, SITE_PATH_MAX);
	if (str_starts(item, "$path")) {
		(void)buf_put(&b, path.ptr, path.len);
		item += 5;
		if (item[0] == '/' && path.len > 0 && path.ptr[path.len - 1] == '/')
			item++;
	}
	(void)buf_puts(&b, item);
	return b.failed ? 0 : b.len;
}

static enum found
find_tried(struct site *s, const struct route *route, struct span path, int64_t now,
    struct file **ret, int *ret_error)
{
	const struct text_list *list = &route->s.try_list;

	*ret_error = -ENOENT;
	for (uint32_t i = 0; i < list->n; i++) {
		const size_t len = try_expand(s, list->item[i], path);
		enum found found;

		if (len == 0)
			continue;
		found = find_one(s, route, len, now, ret, ret_error);
		/* A directory is what "$path/" asks for; "$path" means a file. */
		if (found == FOUND_FILE || (found == FOUND_DIR && s->work[len - 1] == '/'))
			return found;
		if (found == FOUND_ERROR && *ret_error != -ENOENT && *ret_error != -ENOTDIR)
			return found;
		*ret_error = -ENOENT;
	}
	return FOUND_ERROR;
}

enum found
find_file(struct site *s, const struct route *route, struct span path, int64_t now,
    struct file **ret, unsigned *ret_status)
{
	const struct text_list *list = &route->s.try_list;
	enum found found;
	uint64_t status;
	int error = -ENOENT;

	if (list->n > 0) {
		found = find_tried(s, route, path, now, ret, &error);
		*ret_status = find_status(error);
		/* "=404" is last by sense: what stands behind it would never be tried. */
		if (found == FOUND_ERROR && error == -ENOENT && list->item[list->n - 1][0] == '=' &&
		    num_parse_str(list->item[list->n - 1] + 1, 400, 599, &status) == 0)
			*ret_status = (unsigned)status;
		return found;
	}
	memcpy(s->work, path.ptr, path.len);
	s->work[path.len] = '\0';
	found = find_one(s, route, path.len, now, ret, &error);
	*ret_status = find_status(error);
	return found;
}
