/*
 * show.c - see show.h.
 */
#include "launcher/manager/show.h"

#include "launcher/manager/job.h"
#include "launcher/manager/policy.h"
#include "launcher/manager/service.h"
#include "launcher/manager/socket.h"

static void
show_key(struct buf *out, const char *key)
{
	(void)buf_puts(out, key);
	(void)buf_putc(out, '=');
}

/* One line stays one line, and a terminal is shown nothing it would obey. */
static void
show_text(struct buf *out, const char *key, const char *value)
{
	show_key(out, key);
	for (const char *p = value ? value : ""; *p; p++) {
		const unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			(void)buf_printf(out, "\\x%02x", c);
		else
			(void)buf_putc(out, *p);
	}
	(void)buf_putc(out, '\n');
}

static void
show_number(struct buf *out, const char *key, uint64_t value)
{
	show_key(out, key);
	(void)buf_printf(out, "%llu\n", (unsigned long long)value);
}

static void
show_bool(struct buf *out, const char *key, bool value)
{
	show_text(out, key, value ? "yes" : "no");
}

/* "1min 30s", "100ms", "infinity" */
static void
show_span(struct buf *out, const char *key, uint64_t usec)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{ "w", 604800 * USEC_PER_SEC },
		{ "d", 86400 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC },
		{ "min", 60 * USEC_PER_SEC },
		{ "s", USEC_PER_SEC },
		{ "ms", 1000 },
		{ "us", 1 },
	};
	bool first = true;

	show_key(out, key);
	if (usec == USEC_INFINITY)
		(void)buf_puts(out, "infinity");
	else if (usec == 0)
		(void)buf_putc(out, '0');
	for (size_t i = 0; usec != USEC_INFINITY && i < ELEMENTSOF(units); i++) {
		if (usec < units[i].usec)
			continue;
		(void)buf_printf(out, "%s%llu%s", first ? "" : " ",
		    (unsigned long long)(usec / units[i].usec), units[i].name);
		usec %= units[i].usec;
		first = false;
	}
	(void)buf_putc(out, '\n');
}

static void
show_unit_ref(const struct manager *m, struct buf *out, const char *key, const struct unit *u)
{
	show_text(out, key, u ? plan_str(m->plan, u->plan->id) : "");
}

static void
show_head(const struct manager *m, const struct unit *u, const char *id, const char *active,
    const char *sub, const char *result, struct buf *out)
{
	show_text(out, "Id", id);
	show_text(out, "Description",
	    plan_str(m->plan, u->plan->description) ? plan_str(m->plan, u->plan->description)
						    : plan_str(m->plan, u->plan->id));
	show_text(out, "LoadState", "loaded");
	show_text(out, "ActiveState", active);
	show_text(out, "SubState", sub);
	show_text(out, "Result", result);
	show_text(out, "FragmentPath", plan_str(m->plan, u->plan->path));
	show_text(out, "Job", u->job == JOB_NONE ? "" : job_name(u->job));
}

/* What triggers it, one space between. */
static void
show_triggered_by(const struct manager *m, const struct unit *u, struct buf *out)
{
	bool first = true;

	show_key(out, "TriggeredBy");
	PLAN_FOREACH (m->plan, u->plan->service.sockets, struct plan_index, x) {
		if (m->units[x->index].socket.service != u)
			continue;
		(void)buf_printf(out, "%s%s", first ? "" : " ", plan_unit_id(m->plan, x->index));
		first = false;
	}
	(void)buf_putc(out, '\n');
}

void
show_service(const struct manager *m, const struct service *s, struct buf *out)
{
	static const char *const types[] = {
		[SERVICE_SIMPLE] = "simple",
		[SERVICE_EXEC] = "exec",
		[SERVICE_NOTIFY] = "notify",
		[SERVICE_ONESHOT] = "oneshot",
		[SERVICE_FORKING] = "forking",
	};
	static const char *const access[] = {
		[NOTIFY_ACCESS_NONE] = "none",
		[NOTIFY_ACCESS_MAIN] = "main",
		[NOTIFY_ACCESS_EXEC] = "exec",
		[NOTIFY_ACCESS_ALL] = "all",
	};
	static const char *const restarts[RESTART_END] = { "no", "on-success", "on-failure",
		"on-abnormal", "on-abort", "on-watchdog", "always" };
	static const char *const kill_modes[KILL_MODE_END] = { "control-group", "process", "mixed",
		"none" };
	const struct unit *u = s->owner;
	const struct plan_service *p = &u->plan->service;
	const bool skipped = s->result == RESULT_CONDITION;

	show_head(m, u, service_name(m, s), service_active_name(s->state),
	    service_state_name(s->state),
	    skipped || s->result == RESULT_ASSERT ? "success" : service_result_name(s->result),
	    out);
	show_bool(out, "ConditionResult", !skipped);
	show_bool(out, "AssertResult", s->result != RESULT_ASSERT);
	show_text(out, "Type", p->type < ELEMENTSOF(types) ? types[p->type] : "?");
	show_text(out, "NotifyAccess",
	    p->notify_access < ELEMENTSOF(access) ? access[p->notify_access] : "?");
	show_number(out, "MainPID", process_alive(&s->main) ? (uint64_t)s->main.pid : 0);
	show_number(out, "ControlPID", process_alive(&s->control) ? (uint64_t)s->control.pid : 0);
	show_number(out, "ExecMainPID", (uint64_t)s->main.pid);
	show_number(out, "ExecMainCode", (uint64_t)s->main.code);
	show_number(out, "ExecMainStatus", (uint64_t)s->main.status);
	show_number(out, "ExecMainStartTimestampMonotonic", s->main.started_usec);
	show_number(out, "ExecMainExitTimestampMonotonic", s->main.exited_usec);
	show_number(out, "NRestarts", s->n_restarts);
	show_number(out, "NFileDescriptorStore", 0);
	show_text(out, "StatusText", s->status);
	show_number(out, "StatusErrno", (uint64_t)s->error);
	show_text(out, "Restart", p->restart < RESTART_END ? restarts[p->restart] : "?");
	show_span(out, "RestartUSec", p->restart_usec);
	show_text(out, "KillMode", p->kill_mode < KILL_MODE_END ? kill_modes[p->kill_mode] : "?");
	show_number(out, "KillSignal", (uint64_t)p->kill_signal);
	show_bool(out, "RemainAfterExit", p->remain_after_exit);
	show_span(out, "WatchdogUSec", s->watchdog_usec);
	show_span(out, "RuntimeMaxUSec", policy_timeout_usec(u->plan, STATE_RUNNING));
	show_span(out, "TimeoutStartUSec", policy_timeout_usec(u->plan, STATE_START));
	show_span(out, "TimeoutStopUSec", policy_timeout_usec(u->plan, STATE_STOP));
	show_text(out, "User", plan_str(m->plan, u->plan->exec.user));
	show_text(out, "Group", plan_str(m->plan, u->plan->exec.group));
	show_number(out, "StateChangeTimestampMonotonic", s->since_usec);
	show_number(out, "ActiveEnterTimestampMonotonic", s->active_usec);
	show_number(out, "InactiveEnterTimestampMonotonic", s->inactive_usec);
	show_triggered_by(m, u, out);
}

/* Behind an address in `Listen=`. */
static const char *const listen_kinds[LISTEN_KIND_END] = {
	[LISTEN_STREAM] = "Stream",
	[LISTEN_DGRAM] = "Datagram",
	[LISTEN_SEQPACKET] = "SequentialPacket",
	[LISTEN_FIFO] = "FIFO",
	[LISTEN_SPECIAL] = "Special",
	[LISTEN_NETLINK] = "Netlink",
	[LISTEN_MESSAGE_QUEUE] = "MessageQueue",
};

void
show_socket(const struct manager *m, const struct socket *k, struct buf *out)
{
	const struct unit *u = k->owner;
	char status[128];
	struct buf text;

	show_head(m, u, plan_str(m->plan, u->plan->id), socket_active_name(k->state),
	    socket_state_name(k->state), socket_result_name(k->result), out);
	show_bool(out, "ConditionResult", k->absent != SOCKET_CONDITION);
	show_bool(out, "AssertResult", k->absent != SOCKET_ASSERT);
	for (uint32_t i = 0; i < k->n_listeners; i++) {
		const struct plan_listen *l = k->listeners[i].listen;

		show_key(out, "Listen");
		(void)buf_printf(
		    out, "%s (%s)\n", plan_str(m->plan, l->text), listen_kinds[l->kind]);
	}
	show_unit_ref(m, out, "Triggers", k->service);
	show_bool(out, "Accept", u->plan->socket.accept);
	show_number(out, "NAccepted", k->n_accepted);
	show_number(out, "NConnections", k->n_connections);
	if (u->plan->socket.accept) {
		show_number(out, "MaxConnections", u->plan->socket.max_connections);
		show_number(
		    out, "MaxConnectionsPerSource", u->plan->socket.max_connections_per_source);
	}
	show_span(out, "TriggerLimitIntervalUSec", u->plan->socket.trigger_limit_usec);
	show_number(out, "TriggerLimitBurst", u->plan->socket.trigger_limit_burst);
	show_span(out, "PollLimitIntervalUSec", u->plan->socket.poll_limit_usec);
	show_number(out, "PollLimitBurst", u->plan->socket.poll_limit_burst);
	show_text(out, "FileDescriptorName", plan_str(m->plan, u->plan->socket.fd_name));
	show_number(out, "Backlog", u->plan->socket.backlog);
	buf_init(&text, status, sizeof(status));
	if (k->pause_usec != 0)
		(void)buf_printf(&text,
		    "paused: its service was started too often; polled again"
		    " at %llu us",
		    (unsigned long long)k->pause_usec);
	else if (k->absent)
		(void)buf_printf(&text, "not open: %s not met when the launcher started",
		    k->absent == SOCKET_ASSERT ? "an assertion was" : "a condition was");
	show_text(out, "StatusText", buf_cstr(&text));
	show_number(out, "StateChangeTimestampMonotonic", k->since_usec);
}
