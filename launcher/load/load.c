/*
 * load.c - from names to drafts, and from drafts to the plan; see load.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_load.c
 */
#include "launcher/load/load.h"

#include <limits.h>
#include <malloc.h>
#include <sys/resource.h>

#include "launcher/load/draft.h"
#include "launcher/load/path.h"
#include "launcher/load/trust.h"
#include "launcher/unit/verify.h"

struct draft *
loader_find(struct loader *l, const char *id)
{
	for (size_t i = 0; i < l->n_drafts; i++) {
		struct draft *d = l->drafts[i];

		if (strcmp(d->name.id, id) == 0)
			return d;
		PLAN_FOREACH (l->build.plan, d->unit.aliases, struct plan_word, w)
			if (strcmp(plan_str(l->build.plan, w->text), id) == 0)
				return d;
	}
	return NULL;
}

static struct draft *
draft_new(struct loader *l, const struct unit_files *files, const char *own_dir)
{
	struct draft *d = calloc(1, sizeof(*d));
	struct where *set = calloc(directive_count, sizeof(*set));

	if (!d || !set || l->n_drafts == PLAN_UNITS_MAX) {
		free(d);
		free(set);
		return NULL;
	}
	d->set = set;
	d->name = files->name;
	d->unit.kind = files->name.kind;
	d->unit.is_template = unit_name_is_template(&d->name);
	d->unit.id = build_str(&l->build, files->name.id);
	d->unit.path = build_str(&l->build, files->path);
	d->id = d->name.id;
	d->path = draft_text(l, d->unit.path);
	d->own_dir = own_dir;
	for (size_t i = 0; i < files->n_aliases; i++)
		build_append_word(&l->build, &d->unit.aliases, files->aliases[i].id);
	draft_defaults(d);
	l->drafts[l->n_drafts++] = d;
	return d;
}

/* The drop-ins over the unit's own file. */
static int
draft_read_dropins(
    struct loader *l, struct draft *d, const struct unit_files *files, struct why *why)
{
	const struct file_list *list = &files->beside[UNIT_DROPINS];
	struct trust_file found;

	for (size_t i = 0; i < list->n; i++) {
		int r = trust_open(list->paths[i], false, &found, why);

		if (r == TRUST_MASK)
			continue;
		if (r == 0) {
			r = draft_read(l, d, list->paths[i], found.fd, why);
			fd_closep(&found.fd);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Links in NAME.wants/ and NAME.requires/ are as good as lines: their names say what is needed. */
static void
draft_add_links(struct loader *l, struct draft *d, const struct unit_files *files)
{
	static const enum dependency as[UNIT_BESIDE_END] = {
		[UNIT_WANTS] = DEPENDENCY_WANTS,
		[UNIT_REQUIRES] = DEPENDENCY_REQUIRES,
	};

	for (size_t k = UNIT_WANTS; k < UNIT_BESIDE_END; k++)
		for (size_t i = 0; i < files->beside[k].n; i++)
			build_append_word(&l->build, &d->dependency_names[as[k]],
			    strrchr(files->beside[k].paths[i], '/') + 1);
}

/* A unit that is not there, or no good. */
static struct draft *
unit_missing(struct loader *l, const struct unit_name *name, enum pull how, int r, const char *text)
{
	const bool absent = r == -ENOENT || r == UNIT_FILES_MASKED;

	if (how == PULL_NEEDED || (how == PULL_IF_THERE && !absent))
		diag_add(l->diag, DIAG_ERROR, name->id, NULL, 0, NULL, NULL, "%s", text);
	else if (how == PULL_WANTED && !absent)
		diag_add(l->diag, DIAG_WARNING, name->id, NULL, 0, NULL, NULL, "%s", text);
	return NULL;
}

struct draft *
loader_unit(struct loader *l, const struct unit_name *name, const char *own_dir, enum pull how)
{
	const struct search search = { own_dir, l->options->unit_path, l->options->n_unit_path };
	_cleanup_unit_files_ struct unit_files files = { .fd = -EBADF };
	struct draft *d = loader_find(l, name->id);
	struct why why;
	int r;

	if (d || how == PULL_AGAIN)
		return d;
	r = unit_files_find(&search, name, &files, &why);
	if (r == UNIT_FILES_MASKED)
		(void)why_set(&why, 0, "is masked by %s", files.path);
	if (r != UNIT_FILES_OK)
		return unit_missing(l, name, how, r, r == -ENOENT ? "not found" : why.text);
	d = loader_find(l, files.name.id); /* by another of its names */
	if (d) {
		build_append_word(&l->build, &d->unit.aliases, name->id);
		return d;
	}
	d = draft_new(l, &files, own_dir);
	if (!d)
		return unit_missing(l, name, PULL_NEEDED, -E2BIG, "too many units");
	r = draft_read(l, d, files.path, files.fd, &why);
	if (r == 0)
		r = draft_read_dropins(l, d, &files, &why);
	if (r < 0)
		(void)draft_error(l, d, "%s", why.text);
	draft_add_links(l, d, &files);
	l->changed = true;
	return d;
}

/* The folder of a UNIT given as a path, into the plan; trust_open() then walks to it. */
static const char *
named_folder(struct loader *l, const char *unit, const char *slash)
{
	char cwd[PATH_MAX], folder[PATH_MAX];
	struct buf b;

	buf_init(&b, folder, sizeof(folder));
	if (unit[0] != '/')
		(void)buf_printf(&b, "%s/", getcwd(cwd, sizeof(cwd)) ? cwd : "");
	(void)buf_put(&b, unit, (size_t)(slash - unit));
	return draft_text(l, build_str(&l->build, b.len > 0 ? folder : "/"));
}

/* One UNIT of the command line: a name, or a path. */
static void
loader_named(struct loader *l, const char *unit)
{
	const char *slash = strrchr(unit, '/');
	struct unit_name name;
	struct draft *d;

	if (unit_name_parse(slash ? slash + 1 : unit, &name) < 0 || name.kind == UNIT_KIND_END) {
		diag_add(l->diag, DIAG_ERROR, unit, NULL, 0, NULL, NULL,
		    "is no name of a .socket or .service");
		return;
	}
	if (unit_name_is_template(&name)) {
		diag_add(l->diag, DIAG_ERROR, unit, NULL, 0, NULL, NULL,
		    "is a template: name an instance of it, or its socket");
		return;
	}
	d = loader_unit(l, &name, slash ? named_folder(l, unit, slash) : NULL, PULL_NEEDED);
	if (d)
		d->unit.wanted = d->needed = true;
}

/* The draft becomes a unit of the plan. */
static void
draft_commit(struct loader *l, const struct draft *d)
{
	struct plan *plan = l->build.plan;
	struct plan_unit *u = build_unit(&l->build, d->unit.kind, d->id);
	uint32_t index;

	if (!u)
		return;
	index = u->index;
	*u = d->unit;
	u->index = index;
	for (struct ref at = u->socket.listens.head, next; at.off; at = next) {
		struct plan_listen *listen = build_at(&l->build, at);

		next = listen->next;
		if (plan->n_listens == PLAN_LISTENS_MAX) {
			(void)draft_error(l, d, "more than %u listeners", PLAN_LISTENS_MAX);
			return;
		}
		listen->index = plan->n_listens;
		listen->unit = index;
		plan->listens[plan->n_listens++] = at;
	}
}

static void
loader_done(struct loader *l)
{
	for (size_t i = 0; i < l->n_drafts; i++) {
		free(l->drafts[i]->set);
		free(l->drafts[i]);
	}
	build_done(&l->build);
	(void)malloc_trim(
	    0); /* the half that stays resident shall not keep what only loading used */
}

static bool
opens_file(const struct plan_stdio *s)
{
	return s->kind == STDIO_FILE || s->kind == STDIO_APPEND || s->kind == STDIO_TRUNCATE;
}

/* May a spawner fork the instances of this template? If nothing up to ENTER_NO_PRIVS depends on the
 * connection, needs the launcher's rights anew for each, or would be spent by all together. */
static bool
may_spawn(const struct plan *p, const struct plan_unit *u)
{
	const struct plan_exec *x = &u->exec;

	for (int k = 0; k < DIRECTORY_KIND_END; k++)
		if (x->directories[k].paths.n > 0)
			return false;
	for (uint32_t i = 0; i < p->n_units; i++) { /* set on each connection, some by privilege */
		const struct plan_socket *s = &plan_unit(p, i)->socket;

		if (s->service == u->index &&
		    (s->mark.set || s->priority.set || s->receive_buffer.set || s->send_buffer.set))
			return false;
	}
	return u->is_template && !plan_runs_root(p, u) && x->gid != 0 &&
	       plan_command(p, u, COMMAND_START, 0) && !plan_command(p, u, COMMAND_START, 1) &&
	       x->no_new_privs && x->cap_ambient == 0 && x->environment_files.n == 0 &&
	       x->credentials.n == 0 && !opens_file(&x->stdin_to) && !opens_file(&x->stdout_to) &&
	       !opens_file(&x->stderr_to) && !x->limits[RLIMIT_NPROC].set &&
	       !x->limits[RLIMIT_CPU].set;
}

/* From the command line to a plan that is whole but not frozen. */
static void
loader_run(struct loader *l, const char *const *units, size_t n_units)
{
	for (size_t i = 0; i < n_units; i++)
		loader_named(l, units[i]);
	loader_link(l);
	for (size_t i = 0; i < l->n_drafts; i++)
		draft_finish(l, l->drafts[i]);
	loader_leave_out(l);
	loader_order(l);
	for (size_t i = 0; i < l->n_order; i++)
		draft_connect(l, l->order[i]);
	for (size_t i = 0; i < l->n_order; i++)
		draft_commit(l, l->order[i]);
	for (uint32_t i = 0; i < l->build.plan->n_units; i++) {
		struct plan_unit *u = build_at(&l->build, l->build.plan->units[i]);

		u->spawns = may_spawn(l->build.plan, u);
	}
}

int
plan_load(const struct load_options *options, const char *const *units, size_t n_units,
    struct diag *diag, int *ret_fd, struct why *why)
{
	struct loader l = { .options = options, .diag = diag };
	int r = options->plan_fd ? build_take_fd(&l.build, dup(*options->plan_fd), why)
				 : build_init(&l.build, why);

	if (r < 0)
		return r;
	loader_run(&l, units, n_units);
	if (diag->lost)
		r = why_set(why, -ENOMEM, "plan: a finding was lost");
	else if (diag->fatal > 0)
		r = why_set(
		    why, -EINVAL, "%zu findings about the units stop the load", diag->fatal);
	else
		r = build_freeze(&l.build, ret_fd, why);
	loader_done(&l);
	return r;
}
