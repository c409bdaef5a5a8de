/*
 * status.c - see status.h.
 * Runs as: whoever calls it.
 * Logs:    what goes wrong, to standard error.
 */
#include "launcher/ctl/status.h"

#include <sysexits.h>
#include <time.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/num.h"
#include "launcher/ctl/client.h"

#define JSON_BYTES_MAX (64u << 20)

enum {
	EXIT_NOT_ACTIVE = 3,
	EXIT_NO_UNIT = 4,
};

/* ---- asking ---- */

/* Everything about one unit, or with unit "" about all. Return as ctl_ask(). */
static int
ask_show(const struct ctl_options *o, const char *unit, void (*each)(void *arg, struct span text),
    void *arg)
{
	struct control_request q;
	struct why why = { "" };
	int r = ctl_request(CONTROL_SHOW, unit, &q, &why);

	if (r == 0)
		r = ctl_ask_once(o->runtime_dir, &q, each, arg, &why);
	if (r != 0 && r != ENOENT)
		log_error("%s", why.text);
	return r;
}

/* A text that outlives the answer; `data` NULL when there was none. */
static void
keep_text(void *arg, struct span text)
{
	struct buf *b = arg;

	buf_reset(b);
	(void)buf_put(b, text.ptr, text.len);
}

static struct span
kept(const struct buf *b)
{
	return (struct span){ buf_cstr(b), b->len };
}

/* ---- JSON ---- */

/* Values that are numbers in JSON too; all others are strings. */
static bool
is_number_key(struct span key)
{
	static const char *const names[] = { "MainPID", "ControlPID", "ExecMainPID", "ExecMainCode",
		"ExecMainStatus", "NRestarts", "NAccepted", "NConnections", "NFileDescriptorStore",
		"StatusErrno", "Backlog", "StateChangeTimestampMonotonic",
		"ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic",
		"ExecMainStartTimestampMonotonic", "ExecMainExitTimestampMonotonic" };

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (span_equal(key, names[i]))
			return true;
	return false;
}

/* A key that comes more than once (Listen) is an array. */
static bool
is_list_key(struct span key)
{
	return span_equal(key, "Listen");
}

static void
json_listen(struct json *j, struct span text)
{
	struct span key, value;

	json_open_array(j, "Listen");
	while (ctl_next(&text, &key, &value))
		if (is_list_key(key))
			json_span(j, NULL, value);
	json_close(j);
}

static bool
wanted_property(const struct ctl_options *o, struct span key)
{
	for (int i = 0; i < o->n_properties; i++)
		for (const char *p = o->properties[i]; *p;) {
			const size_t n = strcspn(p, ",");

			if (n == key.len && memcmp(p, key.ptr, n) == 0)
				return true;
			p += n + (p[n] ? 1 : 0);
		}
	return o->n_properties == 0;
}

static void
json_properties(struct json *j, const struct ctl_options *o, struct span text)
{
	struct span rest = text, key, value;
	bool listed = false;

	json_open_object(j, NULL);
	while (ctl_next(&rest, &key, &value)) {
		char name[128];
		uint64_t number;

		if (!wanted_property(o, key) || key.len >= sizeof(name))
			continue;
		memcpy(name, key.ptr, key.len);
		name[key.len] = '\0';
		if (is_list_key(key)) {
			if (!listed)
				json_listen(j, text);
			listed = true;
		} else if (is_number_key(key) &&
			   num_parse(value, 10, 0, UINT64_MAX, &number) == 0) {
			json_u64(j, name, number);
		} else {
			json_span(j, name, value);
		}
	}
	json_close(j);
}

struct json_listing {
	const struct ctl_options *o;
	struct json json;
};

static void
json_each(void *arg, struct span text)
{
	struct json_listing *l = arg;

	json_properties(&l->json, l->o, text);
}

/* Units as one array; all of them when none is named. */
static int
print_json(const struct ctl_options *o)
{
	static char everything[] = "", *all[] = { everything };
	char **units = o->n_units > 0 ? o->units : all;
	_cleanup_buf_ struct buf out;
	struct json_listing l = { .o = o };
	int code = 0;

	buf_init_heap(&out, JSON_BYTES_MAX);
	json_init(&l.json, &out);
	json_open_array(&l.json, NULL);
	for (int i = 0; i == 0 || i < o->n_units; i++) {
		const int r = ask_show(o, units[i], json_each, &l);

		if (r == ENOENT)
			code = EXIT_NO_UNIT;
		else if (r != 0)
			return EX_UNAVAILABLE;
	}
	json_close(&l.json);
	if (out.failed)
		return EX_SOFTWARE;
	(void)printf("%s\n", buf_cstr(&out));
	return code;
}

/* ---- status and list ---- */

static const char *
dot(struct span text)
{
	char active[32];

	(void)ctl_text(text, "ActiveState", active, sizeof(active));
	return strcmp(active, "active") == 0	 ? "●"
	       : strcmp(active, "failed") == 0	 ? "×"
	       : strcmp(active, "inactive") == 0 ? "○"
						 : "↻";
}

static void
print_row(void *arg, struct span text)
{
	char id[256], active[32], sub[32], pid[32], status[512];

	(void)arg;
	(void)ctl_text(text, "MainPID", pid, sizeof(pid));
	(void)printf("%s %-32s %-12s %-14s %7s %s\n", dot(text),
	    ctl_text(text, "Id", id, sizeof(id)),
	    ctl_text(text, "ActiveState", active, sizeof(active)),
	    ctl_text(text, "SubState", sub, sizeof(sub)), strcmp(pid, "0") == 0 ? "" : pid,
	    ctl_text(text, "StatusText", status, sizeof(status)));
}

static int
print_table(const struct ctl_options *o)
{
	(void)printf("  %-32s %-12s %-14s %7s %s\n", "UNIT", "ACTIVE", "SUB", "MAINPID", "STATUS");
	return ask_show(o, "", print_row, NULL) == 0 ? 0 : EX_UNAVAILABLE;
}

/* "Wed 2026-11-25 22:36:31 UTC; 5s ago" of a CLOCK_MONOTONIC time. */
static void
print_since(uint64_t usec)
{
	const uint64_t now = clock_usec(), ago = now > usec ? now - usec : 0;
	const time_t then = (time_t)((clock_realtime_usec() - ago) / USEC_PER_SEC);
	const uint64_t s = ago / USEC_PER_SEC;
	struct tm tm = { 0 };
	char text[64] = "";

	(void)localtime_r(&then, &tm);
	(void)strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
	(void)printf(" since %s; ", text);
	if (s >= 86400)
		(void)printf("%llud ", (unsigned long long)(s / 86400));
	if (s >= 3600)
		(void)printf("%lluh ", (unsigned long long)(s / 3600 % 24));
	if (s >= 60 && s < 86400)
		(void)printf("%llumin ", (unsigned long long)(s / 60 % 60));
	if (s < 3600)
		(void)printf("%llus ", (unsigned long long)(s % 60));
	(void)printf("ago");
}

static void
print_line(struct span text, const char *label, const char *key)
{
	struct span v;

	if (ctl_value(text, key, &v) && v.len > 0 && !span_equal(v, "0"))
		(void)printf("%12s %.*s\n", label, (int)v.len, v.ptr);
}

static void
print_listens(struct span text)
{
	struct span key, value;

	while (ctl_next(&text, &key, &value))
		if (is_list_key(key))
			(void)printf("%12s %.*s\n", "Listen:", (int)value.len, value.ptr);
}

static void
print_main(struct span text)
{
	const uint64_t code = ctl_number(text, "ExecMainCode");

	print_line(text, "Main PID:", "MainPID");
	if (ctl_number(text, "MainPID") == 0 && ctl_number(text, "ExecMainPID") > 0)
		(void)printf("%12s %llu (%s, %s %llu)\n",
		    "Process:", (unsigned long long)ctl_number(text, "ExecMainPID"),
		    code == 1 ? "exited" : "killed", code == 1 ? "status" : "signal",
		    (unsigned long long)ctl_number(text, "ExecMainStatus"));
}

/* As systemctl status does. */
static void
print_unit(struct span text)
{
	char id[256], description[512], active[32], sub[32], result[32], path[4096];
	const uint64_t since = ctl_number(text, "StateChangeTimestampMonotonic");

	(void)ctl_text(text, "Id", id, sizeof(id));
	(void)ctl_text(text, "Description", description, sizeof(description));
	(void)ctl_text(text, "ActiveState", active, sizeof(active));
	(void)ctl_text(text, "Result", result, sizeof(result));
	(void)printf("%s %s%s%s\n%12s %s (%s)\n%12s %s (%s)", dot(text), id,
	    strcmp(id, description) ? " - " : "", strcmp(id, description) ? description : "",
	    "Loaded:", "loaded", ctl_text(text, "FragmentPath", path, sizeof(path)),
	    "Active:", active,
	    strcmp(active, "failed") == 0 ? result : ctl_text(text, "SubState", sub, sizeof(sub)));
	if (strcmp(active, "failed") == 0)
		(void)printf(" (Result: %s)", result);
	if (since > 0)
		print_since(since);
	(void)printf("\n");
	print_line(text, "TriggeredBy:", "TriggeredBy");
	print_line(text, "Triggers:", "Triggers");
	print_listens(text);
	print_line(text, "Accepted:", "NAccepted");
	print_line(text, "Connections:", "NConnections");
	print_main(text);
	print_line(text, "Restarts:", "NRestarts");
	print_line(text, "Status:", "StatusText");
}

int
status_main(const struct ctl_options *o)
{
	_cleanup_buf_ struct buf text;
	int code = 0;

	if (o->json)
		return print_json(o);
	if (o->n_units == 0)
		return print_table(o);
	buf_init_heap(&text, CONTROL_PACKET_MAX + 1);
	for (int i = 0; i < o->n_units; i++) {
		const int r = ask_show(o, o->units[i], keep_text, &text);
		char active[32];

		if (r == ENOENT) {
			log_error("unit %s is not loaded", o->units[i]);
			code = EXIT_NO_UNIT;
			continue;
		}
		if (r != 0)
			return EX_UNAVAILABLE;
		if (i > 0)
			(void)printf("\n");
		print_unit(kept(&text));
		(void)ctl_text(kept(&text), "ActiveState", active, sizeof(active));
		if (code == 0 && (strcmp(active, "inactive") == 0 || strcmp(active, "failed") == 0))
			code = EXIT_NOT_ACTIVE;
	}
	return code;
}

int
list_main(const struct ctl_options *o)
{
	return o->json ? print_json(o) : print_table(o);
}

/* ---- show ---- */

static void
print_properties(const struct ctl_options *o, struct span text)
{
	struct span key, value;

	while (ctl_next(&text, &key, &value)) {
		if (!wanted_property(o, key))
			continue;
		if (o->value_only)
			(void)printf("%.*s\n", (int)value.len, value.ptr);
		else
			(void)printf(
			    "%.*s=%.*s\n", (int)key.len, key.ptr, (int)value.len, value.ptr);
	}
}

struct show_listing {
	const struct ctl_options *o;
	bool any;
};

static void
show_each(void *arg, struct span text)
{
	struct show_listing *l = arg;

	if (l->any)
		(void)printf("\n");
	l->any = true;
	print_properties(l->o, text);
}

/* systemctl shows a unit that is not there as one that is not loaded, and exits 0. */
static void
show_missing(struct show_listing *l, const char *unit)
{
	char text[512];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	(void)buf_printf(&b,
	    "Id=%.255s\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\n"
	    "MainPID=0\n",
	    unit);
	show_each(l, (struct span){ text, b.len });
}

int
show_main(const struct ctl_options *o)
{
	static char everything[] = "", *all[] = { everything };
	char **units = o->n_units > 0 ? o->units : all;
	struct show_listing l = { .o = o };

	if (o->json)
		return print_json(o);
	for (int i = 0; i == 0 || i < o->n_units; i++) {
		const int r = ask_show(o, units[i], show_each, &l);

		if (r == ENOENT)
			show_missing(&l, units[i]);
		else if (r != 0)
			return EX_UNAVAILABLE;
	}
	return 0;
}

/* ---- is-active, is-failed ---- */

/* Prints the state of each; true if one of them is in a or b. Exits on trouble with *ret_code. */
static bool
any_unit_is(const struct ctl_options *o, const char *a, const char *b, int *ret_code)
{
	_cleanup_buf_ struct buf text;
	bool any = false;

	*ret_code = 0;
	buf_init_heap(&text, CONTROL_PACKET_MAX + 1);
	for (int i = 0; i < o->n_units; i++) {
		const int r = ask_show(o, o->units[i], keep_text, &text);
		char state[32] = "inactive";

		if (r == 0)
			(void)ctl_text(kept(&text), "ActiveState", state, sizeof(state));
		else if (r == ENOENT)
			*ret_code = EXIT_NO_UNIT;
		else
			*ret_code = EX_UNAVAILABLE;
		if (r != 0 && r != ENOENT)
			return false;
		if (!o->quiet)
			(void)printf("%s\n", state);
		any |= r == 0 && (strcmp(state, a) == 0 || strcmp(state, b) == 0);
	}
	return any;
}

int
is_active_main(const struct ctl_options *o)
{
	int code;

	if (any_unit_is(o, "active", "reloading", &code))
		return 0;
	return code ? code : EXIT_NOT_ACTIVE;
}

int
is_failed_main(const struct ctl_options *o)
{
	int code;

	if (any_unit_is(o, "failed", "failed", &code))
		return 0;
	return code == EX_UNAVAILABLE ? code : 1;
}
