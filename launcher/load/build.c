/*
 * build.c - see build.h.
 */
#include "launcher/load/build.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>

#define BUILD_SCRAP_BYTES 65536

int
build_init(struct build *b, struct why *why)
{
	const int fd = memfd_create("sallyport-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*b = (struct build){ .fd = -EBADF };
	if (fd < 0)
		return why_set(why, -errno, "plan: memfd_create");
	return build_take_fd(b, fd, why);
}

int
build_take_fd(struct build *b, int take_fd, struct why *why)
{
	_cleanup_fd_ int fd = take_fd;
	void *p;

	*b = (struct build){ .fd = -EBADF };
	if (ftruncate(fd, PLAN_BYTES_MAX) < 0)
		return why_set(why, -errno, "plan: reserve %u bytes", PLAN_BYTES_MAX);
	p = mmap(NULL, PLAN_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return why_set(why, -errno, "plan: map");
	b->plan = p;
	b->fd = fd_take(&fd);
	b->plan->magic = PLAN_MAGIC;
	b->plan->version = PLAN_VERSION;
	b->plan->bytes = sizeof(struct plan);
	return 0;
}

void
build_done(struct build *b)
{
	if (b->plan)
		(void)munmap(b->plan, PLAN_BYTES_MAX);
	b->plan = NULL;
	fd_closep(&b->fd);
}

void *
build_alloc(struct build *b, size_t size, struct ref *ret_ref)
{
	static _Alignas(8) char scrap[BUILD_SCRAP_BYTES];
	const uint32_t at = (b->plan->bytes + 7u) & ~7u;

	if (b->full || size > PLAN_BYTES_MAX - at) {
		assert(size <= sizeof(scrap));
		b->full = true;
		*ret_ref = (struct ref){ 0 };
		memset(scrap, 0, size);
		return scrap;
	}
	b->plan->bytes = at + (uint32_t)size;
	*ret_ref = (struct ref){ at };
	return (char *)b->plan + at; /* a fresh memfd reads as zeros */
}

struct ref
build_span(struct build *b, struct span text)
{
	struct ref r = { 0 };
	char *p;

	if (text.len >= BUILD_SCRAP_BYTES) {
		b->full = true;
		return r;
	}
	p = build_alloc(b, text.len + 1, &r);
	if (text.len > 0)
		memcpy(p, text.ptr, text.len);
	p[text.len] = '\0';
	return r;
}

struct ref
build_str(struct build *b, const char *text)
{
	return text ? build_span(b, span_of(text)) : (struct ref){ 0 };
}

void *
build_at(struct build *b, struct ref r)
{
	return r.off ? (char *)b->plan + r.off : NULL;
}

void *
build_append(struct build *b, struct plan_list *list, size_t size)
{
	struct ref r;
	void *element = build_alloc(b, size, &r);
	struct ref *last = build_at(b, list->tail); /* its first member is `next` */

	if (b->full)
		return element;
	if (last)
		*last = r;
	else
		list->head = r;
	list->tail = r;
	list->n++;
	return element;
}

void
build_append_word(struct build *b, struct plan_list *list, const char *text)
{
	struct plan_word *w = build_append(b, list, sizeof(*w));

	w->text = build_str(b, text);
}

struct plan_unit *
build_unit(struct build *b, enum unit_kind kind, const char *id)
{
	struct plan_unit *u;
	struct ref r;

	if (b->plan->n_units >= PLAN_UNITS_MAX)
		return NULL;
	u = build_alloc(b, sizeof(*u), &r);
	if (b->full)
		return NULL;
	u->kind = kind;
	u->index = b->plan->n_units;
	u->id = build_str(b, id);
	b->plan->units[b->plan->n_units++] = r;
	return u;
}

int
build_freeze(struct build *b, int *ret_fd, struct why *why)
{
	uint32_t bytes = b->plan->bytes;

	if (b->full)
		return why_set(why, -ENOSPC, "plan: more than %u bytes or a text over %d",
		    PLAN_BYTES_MAX, BUILD_SCRAP_BYTES);
	(void)munmap(b->plan, PLAN_BYTES_MAX); /* F_SEAL_WRITE wants no writable mapping left */
	b->plan = NULL;
	if (ftruncate(b->fd, bytes) < 0)
		return why_set(why, -errno, "plan: cut to %u bytes", bytes);
	if (fcntl(b->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return why_set(why, -errno, "plan: seal");
	*ret_fd = fd_take(&b->fd);
	return 0;
}
