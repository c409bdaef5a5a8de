/*
 * link.c - which unit needs which, and in what order they go into the plan; see draft.h.
 */
#include "launcher/unit/draft.h"

/* The service that a socket starts, by Service= or by its own name. */
static void
link_service(struct loader *l, struct draft *d)
{
	const char *named = draft_text(l, d->service_name);
	struct span instance = unit_name_instance(&d->name);
	struct unit_name name;

	if (!d->name.pos.at)
		instance.ptr = NULL;
	if (named ? unit_name_parse(named, &name) < 0
		  : unit_name_make(unit_name_prefix(&d->name), instance, "service", &name) < 0)
		return; /* Service= was checked, and our own name with another type is one */
	d->service = loader_unit(l, &name, d->own_dir, false);
	if (!d->service)
		(void)draft_error(l, d, "its service %s cannot be loaded", name.id);
}

static bool
word_in(struct loader *l, const struct plan_list *list, const char *text)
{
	PLAN_FOREACH (l->build.plan, *list, struct plan_word, w)
		if (strcmp(plan_str(l->build.plan, w->text), text) == 0)
			return true;
	return false;
}

/* The sockets of a service: by Sockets=, and the one of its name if there is one. */
static void
link_sockets(struct loader *l, struct draft *d)
{
	struct unit_name name;
	struct span instance = unit_name_instance(&d->name);
	struct draft *s;

	PLAN_FOREACH (l->build.plan, d->socket_names, struct plan_word, w) {
		const char *text = plan_str(l->build.plan, w->text);

		if (unit_name_parse(text, &name) < 0 || name.kind != UNIT_SOCKET) {
			(void)draft_error_at(
			    l, d, SECTION_SERVICE, "Sockets", "\"%s\" is no socket's name", text);
			continue;
		}
		(void)loader_unit(l, &name, d->own_dir, false);
	}
	if (d->unit.is_template || !d->unit.wanted)
		return;
	if (!d->name.pos.at)
		instance.ptr = NULL;
	if (unit_name_make(unit_name_prefix(&d->name), instance, "socket", &name) < 0)
		return;
	s = loader_unit(l, &name, d->own_dir, true);
	(void)s; /* most services have none */
}

void
loader_link(struct loader *l)
{
	for (size_t i = 0; i < l->n_drafts; i++) {
		if (l->drafts[i]->unit.kind == UNIT_SOCKET)
			link_service(l, l->drafts[i]);
		else
			link_sockets(l, l->drafts[i]);
	}
}

bool
draft_feeds(struct loader *l, const struct draft *socket, const struct draft *service)
{
	return socket->unit.kind == UNIT_SOCKET &&
	       (socket->service == service || word_in(l, &service->socket_names, socket->id));
}

static void
order_add(struct loader *l, struct draft *d)
{
	if (d->listed)
		return;
	d->listed = true;
	if (d->unit.kind == UNIT_SERVICE)
		for (size_t i = 0; i < l->n_drafts; i++)
			if (draft_feeds(l, l->drafts[i], d) && !l->drafts[i]->listed) {
				l->drafts[i]->listed = true;
				l->order[l->n_order++] = l->drafts[i];
			}
	d->unit.index = (uint32_t)l->n_order;
	l->order[l->n_order++] = d;
	if (d->service)
		order_add(l, d->service);
}

void
loader_order(struct loader *l)
{
	/* Drafts are in the order of the command line, then of what those pulled in. */
	for (size_t i = 0; i < l->n_drafts; i++)
		order_add(l, l->drafts[i]);
	for (size_t i = 0; i < l->n_order; i++)
		l->order[i]->unit.index = (uint32_t)i;
}
