/*
 * list.c - see list.h.
 */
#include "worker/site/list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/json.h"
#include "worker/http/conneg.h"
#include "worker/http/field.h"
#include "worker/http/target.h"
#include "worker/site/beneath.h"
#include "worker/site/find.h"
#include "worker/site/page.h"

#define LIST_BYTES_MAX (8u << 20)

struct entry {
	char *name;
	bool is_dir;
	uint64_t size;
	int64_t mtime;
};

struct listing {
	struct entry *entry;
	size_t n, room;
	bool cut; /* there are more than LIST_MAX */
};

enum list_key { BY_NAME, BY_SIZE, BY_TIME };

struct list_order {
	enum list_key key;
	bool down;
};

static void
listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entry[i].name);
	free(l->entry);
}

/* What a name is, without being led out of the root. Return: false to leave it out. */
static bool
entry_stat(const struct route *route, int fd, const char *dir, const char *name, struct stat *st)
{
	char path[SITE_PATH_MAX];
	_cleanup_fd_ int target = -EBADF;

	if (fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (S_ISLNK(st->st_mode)) {
		if (snprintf(path, sizeof(path), "%s%s", dir, name) >= (int)sizeof(path))
			return false;
		target = beneath_open(route->root, path);
		if (target < 0 || fstat(target, st) < 0)
			return false;
	}
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static int
listing_add(struct listing *l, const char *name, const struct stat *st)
{
	if (l->n == l->room) {
		const size_t room = l->room ? l->room * 2 : 64;
		struct entry *more = reallocarray(l->entry, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->entry = more;
		l->room = room;
	}
	l->entry[l->n] = (struct entry){ strdup(name), S_ISDIR(st->st_mode), (uint64_t)st->st_size,
		st->st_mtim.tv_sec };
	if (!l->entry[l->n].name)
		return -ENOMEM;
	l->n++;
	return 0;
}

static int
listing_read(struct listing *l, const struct route *route, const char *dir)
{
	int fd = beneath_open(route->root, dir), r = 0;
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		fd_closep(&fd);
		return -ENOMEM;
	}
	for (struct dirent *e = readdir(d); e && r == 0; e = readdir(d)) {
		struct stat st;

		if (e->d_name[0] == '.' &&
		    (!route->s.dotfiles || e->d_name[1] == '\0' || strcmp(e->d_name, "..") == 0))
			continue;
		if (!entry_stat(route, fd, dir, e->d_name, &st))
			continue;
		if (l->n == LIST_MAX) {
			l->cut = true;
			break;
		}
		r = listing_add(l, e->d_name, &st);
	}
	(void)closedir(d); /* and fd with it */
	return r;
}

/* Directories first; equal keys by name, so that the order is always the same. */
static int
entry_compare(const void *a, const void *b, void *arg)
{
	const struct entry *x = a, *y = b;
	const struct list_order *o = arg;
	int r = 0;

	if (x->is_dir != y->is_dir)
		return x->is_dir ? -1 : 1;
	if (o->key == BY_SIZE)
		r = x->size < y->size ? -1 : x->size > y->size;
	else if (o->key == BY_TIME)
		r = x->mtime < y->mtime ? -1 : x->mtime > y->mtime;
	if (r == 0)
		r = strcmp(x->name, y->name);
	return o->down ? -r : r;
}

static bool
query_has(struct span query, const char *pair)
{
	const size_t n = strlen(pair);

	for (size_t i = 0; i + n <= query.len; i++) {
		const bool begins = i == 0 || query.ptr[i - 1] == '&';
		const bool ends = i + n == query.len || query.ptr[i + n] == '&';

		if (begins && ends && memcmp(query.ptr + i, pair, n) == 0)
			return true;
	}
	return false;
}

static void
put_html(struct buf *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.ptr[i];

		if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
			(void)buf_printf(b, "&#%u;", c);
		else if (c < 0x20 || c == 0x7f)
			(void)buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
		else
			(void)buf_putc(b, (char)c);
	}
}

static void
put_size(struct buf *b, uint64_t size)
{
	static const char units[] = "KMGTPE";
	int unit = -1;
	double shown = (double)size;

	while (shown >= 1000 && unit < 5) {
		shown /= 1024;
		unit++;
	}
	if (unit < 0)
		(void)buf_printf(b, "%llu", (unsigned long long)size);
	else
		(void)buf_printf(b, "%.*f %c", shown < 10 ? 1 : 0, shown, units[unit]);
}

static void
put_time(struct buf *b, int64_t seconds, bool machine)
{
	const time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	if (machine)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	(void)buf_puts(b, text);
}

static const char list_style[] =
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
    ":root{--line:#8883;--dim:#777;--over:#88f2;--link:#05b}\n"
    "@media(prefers-color-scheme:dark){:root{--dim:#999;--link:#8bf}}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.3rem;overflow-wrap:anywhere}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th{text-align:left;font-weight:600;border-bottom:2px solid var(--line)}\n"
    "td,th{padding:.35rem .5rem}td{border-bottom:1px solid var(--line)}\n"
    "tr:hover td{background:var(--over)}\n"
    "td:first-child{width:100%;overflow-wrap:anywhere}\n"
    ".n{text-align:right;white-space:nowrap;padding-left:1.5rem;font-variant-numeric:tabular-nums}"
    "\n"
    "td.n{color:var(--dim)}a{color:var(--link);text-decoration:none}a:hover{text-decoration:"
    "underline}\n"
    "p{color:var(--dim);font-size:.85rem}\n"
    "@media(max-width:34rem){.t{display:none}body{margin:1rem auto}}\n</style>\n";

/* A column's head: a link that sorts by it, the other way round if it does already. */
static void
put_column(
    struct buf *b, const char *title, const char *key, const char *class, bool chosen, bool down)
{
	(void)buf_printf(b, "<th%s%s><a href=\"?sort=%s&#38;order=%s\">%s</a>%s", class,
	    chosen ? down ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"" : "", key,
	    chosen && !down ? "desc" : "asc", title, chosen ? down ? " &#8595;" : " &#8593;" : "");
}

static void
put_entry(struct buf *b, const struct entry *e)
{
	const struct span name = span_of(e->name);

	(void)buf_puts(b, "<tr><td><a href=\"");
	path_encode(name, b);
	(void)buf_puts(b, e->is_dir ? "/\"><bdi>" : "\"><bdi>");
	put_html(b, name);
	(void)buf_puts(b, e->is_dir ? "</bdi>/</a><td class=n>&#8211;" : "</bdi></a><td class=n>");
	if (!e->is_dir)
		put_size(b, e->size);
	(void)buf_puts(b, "<td class=\"n t\">");
	put_time(b, e->mtime, false);
	(void)buf_puts(b, "\n");
}

static void
list_html(const struct listing *l, struct span shown, const struct list_order *o, struct buf *b)
{
	(void)buf_puts(b, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
	(void)buf_puts(b, list_style);
	(void)buf_puts(b, "<title>");
	put_html(b, shown);
	(void)buf_puts(b, "</title>\n<h1><bdi>");
	put_html(b, shown);
	(void)buf_puts(b, "</bdi></h1>\n<table>\n<thead><tr>");
	put_column(b, "Name", "name", "", o->key == BY_NAME, o->down);
	put_column(b, "Size", "size", " class=n", o->key == BY_SIZE, o->down);
	put_column(b, "Changed", "time", " class=\"n t\"", o->key == BY_TIME, o->down);
	(void)buf_puts(b, "\n<tbody>\n");
	if (shown.len > 1)
		(void)buf_puts(
		    b, "<tr><td><a href=\"../\">../</a><td class=n><td class=\"n t\">\n");
	for (size_t i = 0; i < l->n; i++)
		put_entry(b, &l->entry[i]);
	(void)buf_printf(b, "</table>\n<p>%zu%s %s, times in UTC</p>\n", l->n,
	    l->cut ? " of more" : "", l->n == 1 ? "entry" : "entries");
}

static void
list_json(const struct listing *l, struct span shown, struct buf *b)
{
	char storage[40];
	struct buf when;
	struct json j;

	json_init(&j, b);
	json_open_object(&j, NULL);
	json_span(&j, "path", shown);
	json_bool(&j, "complete", !l->cut);
	json_open_array(&j, "entries");
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *e = &l->entry[i];

		buf_init(&when, storage, sizeof(storage));
		put_time(&when, e->mtime, true);
		json_open_object(&j, NULL);
		json_str(&j, "name", e->name);
		json_str(&j, "type", e->is_dir ? "directory" : "file");
		if (!e->is_dir)
			json_u64(&j, "size", e->size);
		json_str(&j, "modified", storage);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
	(void)buf_putc(b, '\n');
}

void
list_answer(const struct route *route, const struct request *r, const char *dir, struct span shown,
    struct answer *a)
{
	const bool json = query_has(r->query, "format=json") ||
			  accept_weight(r, "application/json") > accept_weight(r, "text/html");
	struct list_order order = { BY_NAME, query_has(r->query, "order=desc") };
	struct listing l = { 0 };
	struct buf b;
	int error;

	if (query_has(r->query, "sort=size"))
		order.key = BY_SIZE;
	else if (query_has(r->query, "sort=time"))
		order.key = BY_TIME;
	error = listing_read(&l, route, dir);
	buf_init_heap(&b, LIST_BYTES_MAX);
	if (error == 0) {
		if (l.n > 0)
			qsort_r(l.entry, l.n, sizeof(*l.entry), entry_compare, &order);
		if (json)
			list_json(&l, shown, &b);
		else
			list_html(&l, shown, &order, &b);
	}
	listing_done(&l);
	if (error < 0 || b.failed) {
		buf_done(&b);
		page_status(a, error < 0 ? find_status(error) : 500);
		return;
	}
	a->many = b.data;
	a->status = 200;
	answer_field(
	    a, "Content-Type", span_of(json ? "application/json" : "text/html; charset=utf-8"));
	answer_field(a, "Cache-Control", span_of("no-cache"));
	answer_field(a, "Vary", span_of("Accept"));
	/* Nothing in the page is a script; if a name got through, it would not run. */
	answer_field(
	    a, "Content-Security-Policy", span_of("default-src 'none'; style-src 'unsafe-inline'"));
	a->one = (struct stretch){ b.data, 0, b.len };
	a->n_body = 1;
	a->length = b.len;
}
