/*
 * notebook.c - see notebook.h.
 */
#include "launcher/manager/notebook.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NOTE_MAGIC 0x534c4e33u /* "SLN3": bump with struct note */

struct note_copy {
	uint32_t magic;
	uint32_t turn; /* the higher of two whole copies is the newer */
	uint64_t sum;
	struct note note;
};

static_assert(sizeof(struct note) % sizeof(uint64_t) == 0, "whole words, no padding");
static_assert(2 * sizeof(struct note_copy) <= HERITAGE_NOTEBOOK_UNIT_BYTES, "two copies fit");

/* FNV-1a by words: finds a torn write; no guard against anybody, nobody else can write here. */
static uint64_t
copy_sum(const struct note_copy *c)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ c->turn, word;

	for (size_t i = 0; i < sizeof(c->note); i += sizeof(word)) {
		memcpy(&word, (const char *)&c->note + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x100000001b3);
		h ^= h >> 32; /* or a change in the high bits of the last word would stay there */
	}
	return h;
}

int
notebook_open(struct notebook *nb, int fd, uint32_t n, struct why *why)
{
	struct stat st;
	void *p;

	*nb = (struct notebook){ 0 };
	if (fstat(fd, &st) < 0)
		return why_set(why, -errno, "notebook: stat");
	if ((uint64_t)st.st_size < (uint64_t)n * HERITAGE_NOTEBOOK_UNIT_BYTES &&
	    ftruncate(fd, (off_t)n * HERITAGE_NOTEBOOK_UNIT_BYTES) == 0)
		st.st_size = (off_t)n * HERITAGE_NOTEBOOK_UNIT_BYTES;
	if ((uint64_t)st.st_size / HERITAGE_NOTEBOOK_UNIT_BYTES < n)
		n = (uint32_t)((uint64_t)st.st_size / HERITAGE_NOTEBOOK_UNIT_BYTES);
	if (n == 0)
		return why_set(why, -EBADMSG, "notebook: %lld bytes", (long long)st.st_size);
	nb->bytes = (size_t)n * HERITAGE_NOTEBOOK_UNIT_BYTES;
	p = mmap(NULL, nb->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return why_set(why, -errno, "notebook: map");
	nb->map = p;
	nb->n = n;
	return 0;
}

void
notebook_done(struct notebook *nb)
{
	if (nb->map)
		(void)munmap(nb->map, nb->bytes);
	*nb = (struct notebook){ 0 };
}

static struct note_copy *
copy_at(const struct notebook *nb, uint32_t i, unsigned which)
{
	unsigned char *record = nb->map + (size_t)i * HERITAGE_NOTEBOOK_UNIT_BYTES;

	return (struct note_copy *)(void *)(record + which * sizeof(struct note_copy));
}

/* Copies first, so that what was checked is what is used. */
static bool
copy_whole(const struct notebook *nb, uint32_t i, unsigned which, struct note_copy *ret)
{
	memcpy(ret, copy_at(nb, i, which), sizeof(*ret));
	return ret->magic == NOTE_MAGIC && ret->sum == copy_sum(ret) &&
	       memchr(ret->note.status, '\0', sizeof(ret->note.status)) &&
	       !(ret->note.flags & ~(uint32_t)NOTE_FLAGS_MASK);
}

/* The place of the newest whole copy, or -1. */
static int
copy_newest(const struct notebook *nb, uint32_t i, struct note_copy *ret)
{
	struct note_copy c[2];
	const bool ok[2] = { copy_whole(nb, i, 0, &c[0]), copy_whole(nb, i, 1, &c[1]) };
	const int newest = ok[0] && ok[1] ? (int32_t)(c[1].turn - c[0].turn) > 0 : ok[0] ? 0 : 1;

	if (!ok[newest])
		return -1;
	*ret = c[newest];
	return newest;
}

bool
notebook_read(const struct notebook *nb, uint32_t i, struct note *ret)
{
	struct note_copy c;

	if (!nb->map || i >= nb->n || copy_newest(nb, i, &c) < 0)
		return false;
	*ret = c.note;
	return true;
}

void
notebook_write(struct notebook *nb, uint32_t i, const struct note *note)
{
	struct note_copy c, fresh = { .magic = NOTE_MAGIC, .note = *note };
	int newest;

	if (!nb->map || i >= nb->n)
		return;
	newest = copy_newest(nb, i, &c);
	fresh.turn = newest < 0 ? 1 : c.turn + 1;
	fresh.sum = copy_sum(&fresh);
	memcpy(copy_at(nb, i, newest == 0 ? 1 : 0), &fresh, sizeof(fresh));
}
