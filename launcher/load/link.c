/*
 * link.c - which unit needs which, and in what order they go into the plan; see draft.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_load.c
 */
#include "launcher/load/draft.h"

static bool
word_in(struct loader *l, const struct plan_list *list, const char *text)
{
	PLAN_FOREACH (l->build.plan, *list, struct plan_word, w)
		if (strcmp(plan_str(l->build.plan, w->text), text) == 0)
			return true;
	return false;
}

/* Loads a unit that d brings along. What a needed unit needs is needed, too. */
static struct draft *
pull(struct loader *l, struct draft *d, const struct unit_name *name, enum pull how)
{
	/* Findings are told the first time only: pulling is repeated until nothing changes. */
	struct draft *other = loader_unit(l, name, d->own_dir, d->linked ? PULL_AGAIN : how);

	if (other && d->needed && how != PULL_WANTED && !other->needed) {
		other->needed = true;
		l->changed = true;
	}
	return other;
}

static void
pull_words(struct loader *l, struct draft *d, const struct plan_list *list, enum pull how)
{
	struct unit_name name;

	PLAN_FOREACH (l->build.plan, *list, struct plan_word, w)
		if (unit_name_parse(plan_str(l->build.plan, w->text), &name) == 0 &&
		    name.kind != UNIT_KIND_END && !unit_name_is_template(&name))
			(void)pull(l, d, &name, how); /* a finding says what is missing */
}

/* The unit of another type with the same prefix and instance. Return: 0 or -EINVAL. */
static int
twin_name(const struct draft *d, const char *type, struct unit_name *ret)
{
	struct span instance = unit_name_instance(&d->name);

	if (!d->name.pos.at)
		instance.ptr = NULL;
	return unit_name_make(unit_name_prefix(&d->name), instance, type, ret);
}

/* The service that a socket starts: by Service=, by its own name, or the template of that. */
static void
link_service(struct loader *l, struct draft *d)
{
	const char *named = draft_text(l, d->service_name);
	struct unit_name name;
	int r;

	if (d->unit.socket.accept)
		r = unit_name_make(unit_name_prefix(&d->name), span_of(""), "service", &name);
	else if (named)
		r = unit_name_parse(named, &name);
	else
		r = twin_name(d, "service", &name);
	if (r == 0)
		d->service = pull(l, d, &name, PULL_NEEDED);
	if (!d->service && !d->linked)
		(void)draft_error(l, d, "its service %s cannot be loaded", r == 0 ? name.id : "?");
}

/* The sockets of a service: by Sockets=, which wants them too, and the one of its name if there is
 * one. */
static void
link_sockets(struct loader *l, struct draft *d)
{
	struct unit_name name;
	struct draft *twin;

	PLAN_FOREACH (l->build.plan, d->socket_names, struct plan_word, w) {
		const char *text = plan_str(l->build.plan, w->text);

		if (unit_name_parse(text, &name) == 0 && name.kind == UNIT_SOCKET)
			(void)pull(l, d, &name, PULL_NEEDED);
		else if (!d->linked)
			(void)draft_error_at(
			    l, d, SECTION_SERVICE, "Sockets", "\"%s\" is no socket's name", text);
		if (d->linked)
			continue;
		build_append_word(&l->build, &d->dependency_names[DEPENDENCY_WANTS], text);
		build_append_word(&l->build, &d->dependency_names[DEPENDENCY_AFTER], text);
	}
	if (!d->unit.wanted || twin_name(d, "socket", &name) < 0)
		return;
	twin = pull(l, d, &name, PULL_IF_THERE); /* most services have none */
	if (twin)
		twin->unit.wanted = true;
}

void
loader_link(struct loader *l)
{
	do {
		l->changed = false;
		for (size_t i = 0; i < l->n_drafts; i++) {
			struct draft *d = l->drafts[i];

			if (d->unit.kind == UNIT_SOCKET)
				link_service(l, d);
			else
				link_sockets(l, d);
			pull_words(l, d, &d->dependency_names[DEPENDENCY_REQUIRES], PULL_NEEDED);
			pull_words(l, d, &d->dependency_names[DEPENDENCY_BINDS_TO], PULL_NEEDED);
			pull_words(l, d, &d->dependency_names[DEPENDENCY_WANTS], PULL_WANTED);
			d->linked = true;
		}
	} while (l->changed);
}

void
loader_leave_out(struct loader *l)
{
	bool changed = true;

	for (size_t i = 0; i < l->n_drafts; i++) {
		struct draft *d = l->drafts[i];

		d->dropped = !d->needed && diag_forgive(l->diag, d->id);
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < l->n_drafts; i++) {
			struct draft *d = l->drafts[i];

			if (d->dropped || d->needed || d->unit.kind != UNIT_SOCKET ||
			    (d->service && !d->service->dropped))
				continue;
			d->dropped = changed = true; /* nothing would answer */
		}
	}
	for (size_t i = 0; i < l->n_drafts; i++)
		if (l->drafts[i]->dropped)
			diag_add(l->diag, DIAG_WARNING, l->drafts[i]->id, l->drafts[i]->path, 0,
			    NULL, NULL, "is left out: it is wanted by another unit, not required");
}

bool
draft_feeds(struct loader *l, const struct draft *socket, const struct draft *service)
{
	return socket->unit.kind == UNIT_SOCKET &&
	       (socket->service == service || word_in(l, &service->socket_names, socket->id));
}

static void
order_one(struct loader *l, struct draft *d)
{
	if (d->listed || d->dropped)
		return;
	d->listed = true;
	d->unit.index = (uint32_t)l->n_order;
	l->order[l->n_order++] = d;
}

/* A service, its sockets first. */
static void
order_service(struct loader *l, struct draft *d)
{
	for (size_t i = 0; !d->listed && i < l->n_drafts; i++)
		if (draft_feeds(l, l->drafts[i], d))
			order_one(l, l->drafts[i]);
	order_one(l, d);
}

void
loader_order(struct loader *l)
{
	/* Drafts are in the order of the command line, then of what those pulled in. */
	for (size_t i = 0; i < l->n_drafts; i++) {
		struct draft *d = l->drafts[i];

		if (d->unit.kind == UNIT_SERVICE) {
			order_service(l, d);
			continue;
		}
		order_one(l, d);
		if (d->service)
			order_service(l, d->service);
	}
}

static void
index_add(struct loader *l, struct plan_list *list, const struct draft *other)
{
	struct plan_index *i;

	PLAN_FOREACH (l->build.plan, *list, struct plan_index, have)
		if (have->index == other->unit.index)
			return;
	i = build_append(&l->build, list, sizeof(*i));
	i->index = other->unit.index;
}

void
draft_connect(struct loader *l, struct draft *d)
{
	d->unit.socket.service = d->service ? d->service->unit.index : PLAN_NONE;
	for (size_t n = 0; n < l->n_order; n++)
		if (d->unit.kind == UNIT_SERVICE && draft_feeds(l, l->order[n], d))
			index_add(l, &d->unit.service.sockets, l->order[n]);
	for (size_t k = 0; k < DEPENDENCY_END; k++) {
		PLAN_FOREACH (l->build.plan, d->dependency_names[k], struct plan_word, w) {
			struct draft *other = loader_find(l, plan_str(l->build.plan, w->text));

			if (!other || other == d || other->dropped)
				continue;
			index_add(l, &d->unit.dependencies[k], other);
			if (k == DEPENDENCY_BEFORE)
				index_add(l, &other->unit.dependencies[DEPENDENCY_AFTER], d);
		}
	}
}
