/*
 * site.c - see site.h.
 */
#include "worker/site/site.h"

#include "worker/hooks.h"
#include "worker/http/field.h"
#include "worker/http/target.h"
#include "worker/site/beneath.h"
#include "worker/site/page.h"
#include "worker/site/send.h"
#include "worker/site/variant.h"

#define SITE_PATH_MAX 8192 /* above the limit of a request line */
#define SITE_ALLOW "GET, HEAD, OPTIONS"

struct site {
	int root;
	const char *index;
	struct filecache *files;
	char path[SITE_PATH_MAX + 256]; /* of the request at hand, with room for an index name */
};

int
site_new(const struct site_options *o, struct site **ret, struct why *why)
{
	struct site *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return why_set(why, -ENOMEM, "site");
	s->index = o->index;
	s->root = beneath_root(o->root);
	if (s->root < 0)
		r = why_set(why, s->root, "root directory %s", o->root);
	else
		r = filecache_new(o->cache_files, o->cache_bytes, &s->files);
	if (r < 0) {
		site_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void
site_free(struct site *s)
{
	if (!s)
		return;
	filecache_free(s->files);
	fd_closep(&s->root);
	free(s);
}

static unsigned
status_of_errno(int error)
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

/* "/dir" is a directory: send the client to "/dir/", so that its relative links work. */
static void
answer_slash(struct answer *a, struct span path, struct span query)
{
	char storage[ANSWER_FIELDS_MAX / 2];
	struct buf location;

	buf_init(&location, storage, sizeof(storage));
	path_encode(path, &location);
	(void)buf_putc(&location, '/');
	if (query.len > 0) {
		(void)buf_putc(&location, '?');
		(void)buf_put(&location, query.ptr, query.len);
	}
	if (location.failed)
		page_status(a, 404); /* too long to be sent back */
	else
		page_redirect(a, 301, (struct span){ location.data, location.len });
}

/* Names with a leading dot are not for the public: .git, .htpasswd, .env. RFC 8615's is. */
static bool
path_is_hidden(const char *path)
{
	for (const char *p = path; *p; p++)
		if (p[0] == '/' && p[1] == '.' && !(p == path && str_starts(p, "/.well-known/")))
			return true;
	return false;
}

static void
answer_path(struct site *s, const struct request *r, size_t len, int64_t now, struct answer *a)
{
	struct file *f = NULL;
	const size_t n = strlen(s->index);
	int error;

	if (path_is_hidden(s->path) && !hook_is_set("raw-path")) {
		page_status(a, 404);
		return;
	}
	if (s->path[len - 1] == '/') {
		memcpy(s->path + len, s->index, n + 1);
		error =
		    filecache_get(s->files, s->root, 0, (struct span){ s->path, len + n }, now, &f);
		if (error == 0 && f->is_dir)
			error = -EACCES;
		/* A directory without an index is there, but we don't list it. */
		if (error == -ENOENT) {
			struct file *dir = NULL;

			s->path[len] = '\0';
			error = filecache_get(
			    s->files, s->root, 0, (struct span){ s->path, len }, now, &dir);
			file_unref(dir);
			error = error == 0 ? -EACCES : error;
		}
	} else {
		error = filecache_get(s->files, s->root, 0, (struct span){ s->path, len }, now, &f);
		if (error == 0 && f->is_dir) {
			file_unref(f);
			answer_slash(a, (struct span){ s->path, len }, r->query);
			return;
		}
	}
	if (error < 0) {
		file_unref(f);
		page_status(a, status_of_errno(error));
		return;
	}
	send_file(r, f,
	    variant_choose(
		s->files, f, r, &(struct variant_rules){ true, true }, s->root, s->path, now),
	    now, a);
}

void
site_answer(struct site *s, const struct request *r, int64_t now, struct answer *a)
{
	size_t len = 0;
	int status;

	a->head_only = r->method == METHOD_HEAD;
	if (r->method == METHOD_OTHER) {
		page_status(a, 501);
		return;
	}
	if (r->method == METHOD_OPTIONS) {
		answer_field(a, "Allow", span_of(SITE_ALLOW));
		page_status(a, 204);
		return;
	}
	if (r->method != METHOD_GET && r->method != METHOD_HEAD) {
		answer_field(a, "Allow", span_of(SITE_ALLOW));
		page_status(a, 405);
		return;
	}
	if (r->path.len > SITE_PATH_MAX) {
		page_status(a, 414);
		return;
	}
	status = hook_is_set("raw-path") ? path_decode(r->path, s->path, &len)
					 : path_normalise(r->path, s->path, &len);
	if (status != 0) {
		page_status(a, (unsigned)status);
		return;
	}
	answer_path(s, r, len, now, a);
}

void
site_answer_error(unsigned status, struct answer *a)
{
	page_status(a, status);
	a->close = true;
}
