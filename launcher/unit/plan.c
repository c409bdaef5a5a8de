/*
 * plan.c - see plan.h.
 */
#include "launcher/unit/plan.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PLAN_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

int
plan_map(int fd, const struct plan **ret, struct why *why)
{
	struct stat st;
	const struct plan *p;
	const int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return why_set(why, -errno, "plan: read its seals");
	if ((seals & PLAN_SEALS) != PLAN_SEALS)
		return why_set(why, -EBADMSG, "plan: not sealed");
	if (fstat(fd, &st) < 0)
		return why_set(why, -errno, "plan: stat");
	if (st.st_size < (off_t)sizeof(*p) || st.st_size > (off_t)PLAN_BYTES_MAX)
		return why_set(why, -EBADMSG, "plan: %lld bytes", (long long)st.st_size);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return why_set(why, -errno, "plan: map");
	if (p->magic != PLAN_MAGIC || p->version != PLAN_VERSION || p->bytes != st.st_size ||
	    p->n_units > PLAN_UNITS_MAX || p->n_listens > PLAN_LISTENS_MAX) {
		(void)munmap((void *)(uintptr_t)p, (size_t)st.st_size);
		return why_set(why, -EBADMSG, "plan: not of version %u", PLAN_VERSION);
	}
	*ret = p;
	return 0;
}

void
plan_unmap(const struct plan *p)
{
	if (p)
		(void)munmap((void *)(uintptr_t)p, p->bytes);
}

const void *
plan_at(const struct plan *p, struct ref r, size_t size)
{
	if (r.off == 0)
		return NULL;
	assert(r.off < p->bytes && size <= p->bytes - r.off);
	return (const char *)p + r.off;
}

const char *
plan_str(const struct plan *p, struct ref r)
{
	const char *s = plan_at(p, r, 1);

	assert(!s || memchr(s, '\0', p->bytes - r.off));
	return s;
}

const struct plan_unit *
plan_unit(const struct plan *p, uint32_t index)
{
	if (index >= p->n_units)
		return NULL;
	return plan_at(p, p->units[index], sizeof(struct plan_unit));
}

const struct plan_listen *
plan_listen(const struct plan *p, uint32_t index)
{
	if (index >= p->n_listens)
		return NULL;
	return plan_at(p, p->listens[index], sizeof(struct plan_listen));
}

const struct plan_unit *
plan_find(const struct plan *p, const char *id)
{
	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);
		const char *name = u ? plan_str(p, u->id) : NULL;

		if (name && strcmp(name, id) == 0)
			return u;
	}
	return NULL;
}

const char *
plan_unit_id(const struct plan *p, uint32_t index)
{
	const struct plan_unit *u = plan_unit(p, index);

	return u ? plan_str(p, u->id) : "?";
}

const struct plan_command *
plan_command(const struct plan *p, const struct plan_unit *u, uint32_t slot, uint32_t n)
{
	if (u->kind != UNIT_SERVICE || slot >= COMMAND_SLOT_END)
		return NULL;
	PLAN_FOREACH (p, u->service.commands[slot], struct plan_command, c)
		if (n-- == 0)
			return c;
	return NULL;
}
