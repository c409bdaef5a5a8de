/*
 * verify.c - see verify.h. What refers to something is in the table of
 * references.c.
 */
#include "launcher/unit/verify.h"

#include "launcher/unit/references.h"

static const size_t element_bytes[] = {
	[TO_WORDS] = sizeof(struct plan_word),
	[TO_BELOW] = sizeof(struct plan_word),
	[TO_UNITS] = sizeof(struct plan_index),
	[TO_COMMANDS] = sizeof(struct plan_command),
	[TO_ENV_FILES] = sizeof(struct plan_env_file),
	[TO_CREDENTIALS] = sizeof(struct plan_credential),
	[TO_CONDITIONS] = sizeof(struct plan_condition),
	[TO_LISTENS] = sizeof(struct plan_listen),
};

/* Behind the head of the plan, aligned, and all of it inside. */
static bool
place_ok(const struct plan *p, struct ref r, size_t size)
{
	return r.off >= sizeof(*p) && r.off % 8 == 0 && r.off < p->bytes &&
	       size <= p->bytes - r.off;
}

static bool
string_ok(const struct plan *p, struct ref r)
{
	if (r.off == 0)
		return true;
	return place_ok(p, r, 1) && memchr((const char *)p + r.off, '\0', p->bytes - r.off);
}

/* A relative path, of which no component leads back. */
static bool
below_ok(const char *path, bool one_component)
{
	for (const char *at = path;; at = strchr(at, '/') + 1) {
		const size_t n = strcspn(at, "/");

		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		if (!at[n])
			return true;
		if (one_component)
			return false;
	}
}

/* The address is of a family that this kind of listener has, and a path ends. */
static bool
address_ok(const struct plan_listen *l)
{
	const bool path = l->addr.sa.sa_family == AF_UNIX && l->addr.un.sun_path[0];

	if (l->addr_len > sizeof(l->addr) ||
	    (l->kind == LISTEN_NETLINK) != (l->addr.sa.sa_family == AF_NETLINK))
		return false;
	return !path || memchr(l->addr.un.sun_path, '\0', sizeof(l->addr.un.sun_path));
}

static bool verify_list(const struct plan *p, const struct plan_list *list, enum target target);

static bool
element_ok(const struct plan *p, const void *element, enum target target)
{
	const struct plan_word *word = element;
	const struct plan_command *command = element;
	const struct plan_env_file *file = element;
	const struct plan_condition *condition = element;
	const struct plan_listen *listen = element;
	const struct plan_credential *credential = element;

	switch (target) {
	case TO_WORDS:
		return word->text.off && string_ok(p, word->text);
	case TO_BELOW:
		return word->text.off && string_ok(p, word->text) &&
		       below_ok(plan_str(p, word->text), false);
	case TO_UNITS:
		return ((const struct plan_index *)element)->index < p->n_units;
	case TO_COMMANDS:
		return command->path.off && string_ok(p, command->path) &&
		       string_ok(p, command->source.file) &&
		       verify_list(p, &command->argv, TO_WORDS);
	case TO_ENV_FILES:
		return file->path.off && string_ok(p, file->path);
	case TO_CREDENTIALS:
		return credential->id.off && string_ok(p, credential->id) &&
		       below_ok(plan_str(p, credential->id), true) && credential->path.off &&
		       string_ok(p, credential->path);
	case TO_CONDITIONS:
		return condition->type < CONDITION_TYPE_END && condition->text.off &&
		       string_ok(p, condition->text);
	case TO_LISTENS:
		return listen->kind < LISTEN_KIND_END && listen->unit < p->n_units &&
		       listen->index < p->n_listens && address_ok(listen) && listen->text.off &&
		       string_ok(p, listen->text) && string_ok(p, listen->source.file);
	case TO_STRING:
		break;
	}
	return false;
}

/* A list only ever grows at its end, so its places rise: what does not could be a circle. */
static bool
verify_list(const struct plan *p, const struct plan_list *list, enum target target)
{
	struct ref at = list->head, before = { 0 };
	uint32_t n = 0;

	for (; at.off; n++) {
		const void *element = (const char *)p + at.off;

		if (at.off <= before.off || !place_ok(p, at, element_bytes[target]) ||
		    !element_ok(p, element, target))
			return false;
		before = at;
		at = *(const struct ref *)element;
	}
	return n == list->n;
}

static bool
reference_ok(const struct plan *p, const struct plan_unit *u, const struct reference *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const void *field = (const char *)u + r->offset + i * r->stride;

		if (r->target == TO_STRING ? !string_ok(p, *(const struct ref *)field)
					   : !verify_list(p, field, r->target))
			return false;
	}
	return true;
}

static bool
numbers_ok(const struct plan *p, const struct plan_unit *u)
{
	const struct plan_exec *x = &u->exec;
	const struct plan_service *s = &u->service;
	const size_t group_bytes = (size_t)x->n_groups * sizeof(uint32_t);

	return u->id.off && s->type < SERVICE_TYPE_END && s->notify_access < NOTIFY_ACCESS_END &&
	       s->restart < RESTART_END && s->kill_mode < KILL_MODE_END &&
	       x->stdin_to.kind < STDIO_KIND_END && x->stdout_to.kind < STDIO_KIND_END &&
	       x->stderr_to.kind < STDIO_KIND_END && x->runtime_preserve < PRESERVE_END &&
	       u->socket.trigger_limit_action < TRIGGER_LIMIT_END &&
	       (x->groups.off ? place_ok(p, x->groups, group_bytes) : x->n_groups == 0) &&
	       (u->kind == UNIT_SERVICE || u->socket.service == PLAN_NONE ||
		   u->socket.service < p->n_units);
}

static int
verify_unit(const struct plan *p, const struct plan_unit *u, struct why *why)
{
	for (size_t i = 0; i < references_count; i++)
		if (!reference_ok(p, u, &references[i]))
			return why_set(
			    why, -EBADMSG, "plan: unit %u: %s", u->index, references[i].name);
	if (!numbers_ok(p, u))
		return why_set(why, -EBADMSG, "plan: unit %u: a number", u->index);
	return 0;
}

/* The tables by index hold what the indices inside say. */
static int
verify_tables(const struct plan *p, struct why *why)
{
	for (uint32_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = (const void *)((const char *)p + p->units[i].off);

		if (!place_ok(p, p->units[i], sizeof(*u)) || u->index != i ||
		    u->kind >= UNIT_KIND_END)
			return why_set(why, -EBADMSG, "plan: unit %u: its place", i);
	}
	for (uint32_t i = 0; i < p->n_listens; i++) {
		const struct plan_listen *l = (const void *)((const char *)p + p->listens[i].off);

		if (!place_ok(p, p->listens[i], sizeof(*l)) || l->index != i ||
		    !element_ok(p, l, TO_LISTENS) || plan_unit(p, l->unit)->kind != UNIT_SOCKET)
			return why_set(why, -EBADMSG, "plan: listener %u: its place", i);
	}
	return 0;
}

/* Indices that are followed without a look at the kind. */
static int
verify_kinds(const struct plan *p, const struct plan_unit *u, struct why *why)
{
	if (u->kind == UNIT_SOCKET && u->socket.service != PLAN_NONE &&
	    plan_unit(p, u->socket.service)->kind != UNIT_SERVICE)
		return why_set(why, -EBADMSG, "plan: unit %u: starts no service", u->index);
	if (u->socket.symlinks.n > 0 && u->socket.listens.n == 0)
		return why_set(why, -EBADMSG, "plan: unit %u: links to nothing", u->index);
	PLAN_FOREACH (p, u->service.sockets, struct plan_index, x)
		if (plan_unit(p, x->index)->kind != UNIT_SOCKET)
			return why_set(why, -EBADMSG, "plan: unit %u: takes no socket", u->index);
	return 0;
}

bool
plan_runs_root(const struct plan *p, const struct plan_unit *u)
{
	if (u->kind != UNIT_SERVICE)
		return false;
	if (!u->exec.has_user || u->exec.uid == 0)
		return true;
	for (uint32_t slot = 0; slot < COMMAND_SLOT_END; slot++)
		PLAN_FOREACH (p, u->service.commands[slot], struct plan_command, c)
			if (c->flags & (COMMAND_FULL_PRIVILEGE | COMMAND_NO_SETUID))
				return true;
	return false;
}

static bool
has_root_group(const struct plan *p, const struct plan_unit *u)
{
	const struct plan_exec *x = &u->exec;
	const uint32_t *groups = plan_at(p, x->groups, x->n_groups * sizeof(uint32_t));

	for (uint32_t i = 0; i < x->n_groups; i++)
		if (groups[i] == 0)
			return true;
	return u->kind == UNIT_SERVICE && x->gid == 0;
}

int
plan_verify(const struct plan *p, enum plan_allow allow, struct why *why)
{
	int r = verify_tables(p, why);

	for (uint32_t i = 0; r == 0 && i < p->n_units; i++)
		r = verify_unit(p, plan_unit(p, i), why);
	for (uint32_t i = 0; r == 0 && i < p->n_units; i++)
		r = verify_kinds(p, plan_unit(p, i), why);
	for (uint32_t i = 0; r == 0 && i < p->n_units; i++) {
		const struct plan_unit *u = plan_unit(p, i);

		if (allow < ALLOW_ROOT && (plan_runs_root(p, u) || has_root_group(p, u)))
			r = why_set(why, -EPERM, "plan: %s would run as root", plan_unit_id(p, i));
		else if (allow < ALLOW_CAPABILITIES && u->exec.cap_ambient)
			r = why_set(
			    why, -EPERM, "plan: %s would have capabilities", plan_unit_id(p, i));
		else if (u->spawns && (plan_runs_root(p, u) || has_root_group(p, u) ||
					  u->exec.cap_ambient || !u->exec.no_new_privs))
			r = why_set(
			    why, -EPERM, "plan: %s: a spawner with rights", plan_unit_id(p, i));
	}
	return r;
}
