/*
 * finish.c - what can only be said once all lines of a unit are read; see draft.h.
 * Runs as: as load.h.
 * Tests:   tests/unit/test_load.c
 */
#include <linux/capability.h>
#include <sys/resource.h>

#include "common/capname.h"
#include "common/clock.h"
#include "launcher/load/caller.h"
#include "launcher/load/draft.h"
#include "launcher/load/resolve.h"

/* resolve_names() by the texts of a plan; one answer is remembered, as units tend to agree. */
static int
names_resolve(struct loader *l, struct ref user, struct ref group, const struct resolved **ret,
    struct why *why)
{
	struct loader_names *cache = &l->names;
	const char *u = draft_text(l, user), *g = draft_text(l, group);
	const bool same = cache->asked && strcmp(u ? u : "", cache->user) == 0 &&
			  strcmp(g ? g : "", cache->group) == 0;
	int r;

	cache->asked = false;
	if (!same) {
		r = resolve_names(u, g, &cache->answer, why);
		if (r < 0)
			return r;
	}
	*ret = &cache->answer;
	cache->asked = str_copy(cache->user, sizeof(cache->user), u ? u : "") == 0 &&
		       str_copy(cache->group, sizeof(cache->group), g ? g : "") == 0;
	return 0;
}

static void
add_group(struct plan_exec *exec, uint32_t *groups, uint32_t gid)
{
	for (uint32_t i = 0; i < exec->n_groups; i++)
		if (groups[i] == gid)
			return;
	groups[exec->n_groups++] = gid;
}

/*
 * SupplementaryGroups= after those of the user's own, which a service of root's group does not get
 * under systemd either. Return: 0 or -errno, why set.
 */
static int
exec_groups(struct loader *l, struct draft *d, const struct resolved *who, struct why *why)
{
	struct plan_exec *exec = &d->unit.exec;
	const uint32_t own = who && who->gid != 0 ? who->n_groups : 0;
	const uint32_t n = own + d->supplementary.n;
	uint32_t *groups;

	if (n == 0)
		return 0;
	if (n > RESOLVE_GROUPS_MAX)
		return why_set(why, -E2BIG, "more than %d groups", RESOLVE_GROUPS_MAX);
	groups = build_alloc(&l->build, n * sizeof(*groups), &exec->groups);
	for (uint32_t i = 0; i < own; i++)
		add_group(exec, groups, who->groups[i]);
	PLAN_FOREACH (l->build.plan, d->supplementary, struct plan_word, w) {
		const struct resolved *group;
		const int r = names_resolve(l, (struct ref){ 0 }, w->text, &group, why);

		if (r < 0)
			return r;
		add_group(exec, groups, group->gid);
	}
	return 0;
}

/* User=, Group= and SupplementaryGroups= as numbers. */
static int
exec_identity(struct loader *l, struct draft *d, struct why *why)
{
	struct plan_exec *exec = &d->unit.exec;
	const struct resolved *who = NULL;
	int r;

	if (exec->user.off) {
		r = names_resolve(l, exec->user, exec->group, &who, why);
		if (r < 0)
			return r;
		exec->has_user = true;
		exec->uid = who->uid;
		exec->gid = who->gid;
		exec->user_name = build_str(&l->build, who->name);
		exec->home = build_str(&l->build, who->home[0] ? who->home : NULL);
		exec->shell = build_str(&l->build, who->shell[0] ? who->shell : NULL);
		return exec_groups(l, d, who, why);
	}
	exec->uid = caller_uid();
	exec->gid = caller_gid();
	if (exec->group.off) {
		r = names_resolve(l, (struct ref){ 0 }, exec->group, &who, why);
		if (r < 0)
			return r;
		exec->gid = who->gid;
	}
	return exec_groups(l, d, NULL, why);
}

static void
refuse_root(struct loader *l, const struct draft *d, struct where at, const char *directive,
    const char *text)
{
	diag_add(l->diag, DIAG_REFUSED, d->id, at.file ? at.file : d->path, at.line, directive,
	    NULL, "%s, or permit it by --allow-root-services", text);
}

/* No root unless permitted, by no road: the launcher's first promise. plan_verify() insists. */
static void
rule_no_root(struct loader *l, struct draft *d)
{
	const struct plan_exec *exec = &d->unit.exec;
	const uint32_t *groups = build_at(&l->build, exec->groups);
	bool group = exec->gid == 0;

	if (caller_uid() != 0 || l->options->allow_root_services)
		return;
	if (exec->uid == 0) {
		refuse_root(l, d, draft_where(d, SECTION_EXEC, "User"), "Service.User",
		    "would run as root: set User=");
		return;
	}
	for (uint32_t i = 0; groups && i < exec->n_groups; i++)
		group = group || groups[i] == 0;
	if (group)
		refuse_root(l, d, draft_where(d, SECTION_EXEC, "Group"), "Service.Group",
		    "would have root's group: set another");
	for (size_t slot = 0; slot < COMMAND_SLOT_END; slot++)
		PLAN_FOREACH (l->build.plan, d->unit.service.commands[slot], struct plan_command, c)
			if (c->flags & (COMMAND_FULL_PRIVILEGE | COMMAND_NO_SETUID))
				refuse_root(l, d,
				    (struct where){ draft_text(l, c->source.file), c->source.line },
				    "Service.Exec",
				    "would run a command as root by \"+\" or \"!\"");
}

/* Who may run what beside that. */
static void
rule_identity(struct loader *l, struct draft *d)
{
	const struct plan_exec *exec = &d->unit.exec;
	const char *manager = l->options->manager_user;
	const bool root = caller_uid() == 0;
	struct resolved who;

	if (!root && exec->has_user && exec->uid != caller_uid())
		(void)draft_error_at(
		    l, d, SECTION_EXEC, "User", "only root can start a service for another user");
	if (!root && !exec->has_user && (exec->group.off || d->supplementary.n > 0))
		(void)draft_error_at(l, d, SECTION_EXEC,
		    exec->group.off ? "Group" : "SupplementaryGroups",
		    "only root can start a service with other groups");
	if (root && manager && exec->has_user && exec->uid != 0 &&
	    resolve_names(manager, NULL, &who, NULL) == 0 && who.uid == exec->uid)
		(void)draft_error_at(l, d, SECTION_EXEC, "User",
		    "is the manager's own user: a service could then speak for the manager");
}

/* Our defaults where systemd's are laxer, each of them told. */
static void
rule_privileges(struct loader *l, struct draft *d)
{
	struct plan_exec *exec = &d->unit.exec;
	const bool lesser = caller_uid() == 0 && exec->uid != 0;
	const bool drops = draft_has(d, SECTION_EXEC, "CapabilityBoundingSet");

	if (!drops)
		exec->cap_bounding = lesser ? exec->cap_ambient : CAPNAME_ALL;
	if (!drops && lesser)
		diag_add(l->diag, DIAG_DEFAULT, d->id, d->path, 0, "Service.CapabilityBoundingSet",
		    "", "%s, because the user is not root (systemd: all)",
		    exec->cap_ambient ? "that of AmbientCapabilities=" : "empty");
	if (exec->cap_ambient & ~exec->cap_bounding)
		diag_add(l->diag, DIAG_WARNING, d->id, d->path, 0, "Service.AmbientCapabilities",
		    NULL, "what CapabilityBoundingSet= takes away is not given");
	exec->cap_ambient &= exec->cap_bounding;
	if (draft_has(d, SECTION_EXEC, "NoNewPrivileges"))
		return;
	exec->no_new_privs = exec->uid != 0;
	if (exec->no_new_privs)
		diag_add(l->diag, DIAG_DEFAULT, d->id, d->path, 0, "Service.NoNewPrivileges", "yes",
		    "because the user is not root (systemd: no)");
}

/* A limit above our own takes a capability; without it, as in many a container, it is our own. */
static void
rule_limits(struct loader *l, struct draft *d)
{
	const bool may = caller_uid() == 0 && (caller_bounding() >> CAP_SYS_RESOURCE & 1);

	for (const struct directive *row = directive_table; row < directive_table + directive_count;
	     row++) {
		const void *field = (const char *)d + row->offset;
		const struct plan_limit *limit = field;
		char name[sizeof("Service.") + sizeof(row->name)];
		struct rlimit own;
		struct where at;

		if (row->section != SECTION_EXEC || !str_starts(row->name, "Limit") ||
		    !limit->set ||
		    getrlimit((__rlimit_resource_t)(limit - d->unit.exec.limits), &own) < 0 ||
		    limit->hard <= own.rlim_max)
			continue;
		d->unit.exec.raises_a_limit = true;
		if (may)
			continue;
		at = draft_where(d, SECTION_EXEC, row->name);
		(void)snprintf(name, sizeof(name), "Service.%s", row->name);
		diag_add(l->diag, DIAG_WARNING, d->id, at.file, at.line, name, NULL,
		    "more than the launcher has itself and may give: it will be %llu",
		    (unsigned long long)own.rlim_max);
	}
}

/* Which commands a service of its type has. */
static void
rule_commands(struct loader *l, struct draft *d)
{
	struct plan_service *s = &d->unit.service;
	const uint32_t starts = s->commands[COMMAND_START].n;
	const bool oneshot = s->type == SERVICE_ONESHOT;

	if (starts == 0 && !(oneshot && s->commands[COMMAND_STOP].n > 0))
		(void)draft_error_at(l, d, SECTION_SERVICE, "ExecStart", "is missing");
	if (starts > 1 && !oneshot)
		(void)draft_error_at(
		    l, d, SECTION_SERVICE, "ExecStart", "must be one command, unless Type=oneshot");
	if (oneshot && (s->restart == RESTART_ALWAYS || s->restart == RESTART_ON_SUCCESS))
		(void)draft_error_at(l, d, SECTION_SERVICE, "Restart",
		    "would start a oneshot service again although it did what it should");
}

/* Whether a service that wants the socket as its standard input has exactly one. */
static void
rule_stdin(struct loader *l, struct draft *d)
{
	const struct plan_exec *exec = &d->unit.exec;
	const bool uses = exec->stdin_to.kind == STDIO_SOCKET ||
			  exec->stdout_to.kind == STDIO_SOCKET ||
			  exec->stderr_to.kind == STDIO_SOCKET;
	uint32_t n = 0;

	if (!uses || d->unit.is_template)
		return;
	for (size_t i = 0; i < l->n_drafts; i++)
		if (draft_feeds(l, l->drafts[i], d))
			n += l->drafts[i]->unit.socket.listens.n;
	if (n != 1)
		(void)draft_error_at(l, d, SECTION_EXEC,
		    exec->stdin_to.kind == STDIO_SOCKET	   ? "StandardInput"
		    : exec->stdout_to.kind == STDIO_SOCKET ? "StandardOutput"
							   : "StandardError",
		    "socket: needs exactly one listener, there are %u", n);
}

/* PermissionsStartOnly= is an old way to write "+" in front of all commands but the server. */
static void
mark_legacy_commands(struct loader *l, struct draft *d)
{
	struct plan_service *s = &d->unit.service;

	for (size_t slot = 0; s->permissions_start_only && slot < COMMAND_SLOT_END; slot++)
		for (struct ref r = s->commands[slot].head; r.off && slot != COMMAND_START;) {
			struct plan_command *c = build_at(&l->build, r);

			c->flags |= COMMAND_FULL_PRIVILEGE;
			r = c->next;
		}
}

/* What a type or another directive changes in the defaults. */
static void
service_defaults(struct draft *d)
{
	struct plan_service *s = &d->unit.service;

	if (s->type == SERVICE_NOTIFY && s->notify_access == NOTIFY_ACCESS_NONE)
		s->notify_access = NOTIFY_ACCESS_MAIN;
	if (s->watchdog_usec == USEC_INFINITY)
		s->watchdog_usec = 0;
	if (s->watchdog_usec > 0 && s->notify_access == NOTIFY_ACCESS_NONE)
		s->notify_access = NOTIFY_ACCESS_MAIN;
	if (s->type == SERVICE_ONESHOT && !draft_has(d, SECTION_SERVICE, "TimeoutStartSec") &&
	    !draft_has(d, SECTION_SERVICE, "TimeoutSec"))
		s->timeout_start_usec = USEC_INFINITY;
	if (s->restart_kill_signal == 0)
		s->restart_kill_signal = s->kill_signal;
}

static void
finish_service(struct loader *l, struct draft *d)
{
	struct plan_exec *exec = &d->unit.exec;
	struct why why;

	rule_commands(l, d);
	rule_stdin(l, d);
	service_defaults(d);
	mark_legacy_commands(l, d);
	if (exec_identity(l, d, &why) < 0) {
		(void)draft_error_at(
		    l, d, SECTION_EXEC, exec->user.off ? "User" : "Group", "%s", why.text);
		return;
	}
	if (exec->cwd.off && strcmp(draft_text(l, exec->cwd), "~") == 0)
		exec->cwd = exec->home;
	rule_no_root(l, d);
	rule_identity(l, d);
	rule_privileges(l, d);
	rule_limits(l, d);
}

/* What Accept=yes cannot be combined with, as in systemd. */
static void
rule_accept(struct loader *l, struct draft *d)
{
	const struct plan_socket *s = &d->unit.socket;

	if (!s->accept)
		return;
	if (d->service_name.off)
		(void)draft_error_at(l, d, SECTION_SOCKET, "Service",
		    "goes not with Accept=yes: its instances have the socket's own name");
	PLAN_FOREACH (l->build.plan, s->listens, struct plan_listen, listen)
		if (listen->kind != LISTEN_STREAM && listen->kind != LISTEN_SEQPACKET)
			(void)draft_error_at(l, d, SECTION_SOCKET, "Accept",
			    "there are no connections to accept from %s",
			    plan_str(l->build.plan, listen->text));
	if (s->max_connections == 0)
		(void)draft_error_at(
		    l, d, SECTION_SOCKET, "MaxConnections", "0 would let nobody in");
}

/* Symlinks= are links to the one path there is. */
static void
rule_symlinks(struct loader *l, struct draft *d)
{
	const struct plan_socket *s = &d->unit.socket;
	uint32_t paths = 0;

	PLAN_FOREACH (l->build.plan, s->symlinks, struct plan_word, w)
		if (plan_str(l->build.plan, w->text)[0] != '/')
			(void)draft_error_at(l, d, SECTION_SOCKET, "Symlinks",
			    "\"%s\" is no absolute path", plan_str(l->build.plan, w->text));
	PLAN_FOREACH (l->build.plan, s->listens, struct plan_listen, listen)
		if (listen->kind == LISTEN_FIFO ||
		    (listen->addr.sa.sa_family == AF_UNIX && listen->addr.un.sun_path[0] == '/'))
			paths++;
	if (s->symlinks.n > 0 && paths != 1)
		(void)draft_error_at(l, d, SECTION_SOCKET, "Symlinks",
		    "needs exactly one path to link to, there are %u", paths);
}

static void
finish_socket(struct loader *l, struct draft *d)
{
	struct plan_socket *s = &d->unit.socket;
	const struct resolved *who;
	struct why why;

	if (s->listens.n == 0)
		(void)draft_error(l, d, "has no Listen*= line");
	rule_accept(l, d);
	rule_symlinks(l, d);
	if (!s->fd_name.off)
		s->fd_name = s->accept ? build_str(&l->build, "connection") : d->unit.id;
	if (s->trigger_limit_burst == UINT32_MAX)
		s->trigger_limit_burst = s->accept ? 200 : 20;
	if (s->poll_limit_burst == UINT32_MAX)
		s->poll_limit_burst = s->accept ? 150 : 15;
	if (!s->user.off && !s->group.off)
		return;
	if (names_resolve(l, s->user, s->group, &who, &why) < 0) {
		(void)draft_error_at(l, d, SECTION_SOCKET,
		    s->user.off ? "SocketUser" : "SocketGroup", "%s", why.text);
		return;
	}
	if (s->user.off)
		s->uid = who->uid;
	s->gid = who->gid;
}

void
draft_finish(struct loader *l, struct draft *d)
{
	if (!d->unit.description.off)
		d->unit.description = d->unit.id;
	if (d->unit.kind == UNIT_SERVICE)
		finish_service(l, d);
	else
		finish_socket(l, d);
}
