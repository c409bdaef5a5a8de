/*
 * fuzz_unit_file.c - launcher/load/: any bytes as a unit file. Whatever it says, the loader ends
 *                    with findings or a plan that can be walked; nothing is opened or resolved.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

#include "launcher/load/draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int __wrap_resolve_names(
    const char *user, const char *group, struct resolved *ret, struct why *why);

/* Nobody is asked: a child for each name would be all that this program does. */
int
__wrap_resolve_names(const char *user, const char *group, struct resolved *ret, struct why *why)
{
	(void)user;
	(void)group;
	(void)ret;
	return why_set(why, -ESRCH, "not asked");
}

/* The first byte says what kind of unit it is; 2 is a template. */
static const char *const ids[] = { "fuzz.socket", "fuzz.service", "fuzz@.service",
	"a-b@c-d.service" };

static void
walk_words(const struct plan *p, struct plan_list list)
{
	uint32_t n = 0;

	PLAN_FOREACH (p, list, struct plan_word, w) {
		assert(plan_str(p, w->text));
		n++;
	}
	assert(n == list.n);
}

static void
walk(const struct plan *p, const struct draft *d)
{
	for (size_t slot = 0; slot < COMMAND_SLOT_END; slot++)
		PLAN_FOREACH (p, d->unit.service.commands[slot], struct plan_command, c) {
			assert(plan_str(p, c->path)[0] && c->argv.n > 0);
			walk_words(p, c->argv);
		}
	PLAN_FOREACH (p, d->unit.socket.listens, struct plan_listen, l)
		assert(l->kind < LISTEN_KIND_END && plan_str(p, l->text)[0]);
	walk_words(p, d->unit.exec.environment);
	for (size_t k = 0; k < DEPENDENCY_END; k++)
		walk_words(p, d->dependency_names[k]);
	assert(d->unit.service.type < SERVICE_TYPE_END);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct load_options options = { 0 };
	struct diag diag;
	struct loader l = { .options = &options, .diag = &diag };
	_cleanup_fd_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct draft d = { 0 };
	struct why why;

	if (size < 1 || fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1) ||
	    lseek(fd, 0, SEEK_SET) < 0 || build_init(&l.build, &why) < 0)
		return 0;
	if (unit_name_parse(ids[data[0] % ELEMENTSOF(ids)], &d.name) < 0)
		abort();
	diag_init(&diag);
	d.id = d.name.id;
	d.path = "/fuzz";
	d.unit.kind = d.name.kind;
	d.unit.is_template = unit_name_is_template(&d.name);
	d.set = calloc(directive_count, sizeof(*d.set));
	draft_defaults(&d);
	if (d.set && draft_read(&l, &d, d.path, fd, &why) == 0 && !l.build.full)
		walk(l.build.plan, &d);
	free(d.set);
	diag_done(&diag);
	build_done(&l.build);
	return 0;
}
