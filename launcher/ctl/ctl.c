/*
 * ctl.c - see ctl.h: the table of verbs, their options, and the verbs that change something.
 * Runs as: whoever calls it.
 * Logs:    what goes wrong, to standard error.
 */
#include "launcher/ctl/ctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/num.h"
#include "launcher/ctl/audit.h"
#include "launcher/ctl/client.h"
#include "launcher/ctl/options.h"
#include "launcher/ctl/status.h"

enum {
	EXIT_FAILED = 1,
	EXIT_NO_UNIT_TO_CHANGE = 5, /* systemctl's, where 4 is for asking */
};

/* start, stop, restart, reload */
static int
verb_change(const struct ctl_options *o, enum control_verb verb)
{
	int code = 0;

	for (int i = 0; i < o->n_units; i++) {
		struct control_request q;
		struct why why = { "" };
		int r = ctl_request(verb, o->units[i], &q, &why);

		q.flags = o->no_block ? CONTROL_NO_BLOCK : 0;
		if (r == 0)
			r = ctl_ask_once(o->runtime_dir, &q, NULL, NULL, &why);
		if (r == 0)
			continue;
		log_error("%s %s: %s", control_verb_name(verb), o->units[i], why.text);
		code = r == ENOENT ? EXIT_NO_UNIT_TO_CHANGE : EXIT_FAILED;
	}
	return code;
}

static int
verb_start(const struct ctl_options *o)
{
	return verb_change(o, CONTROL_START);
}

static int
verb_stop(const struct ctl_options *o)
{
	return verb_change(o, CONTROL_STOP);
}

static int
verb_restart(const struct ctl_options *o)
{
	return verb_change(o, CONTROL_RESTART);
}

static int
verb_reload_unit(const struct ctl_options *o)
{
	return verb_change(o, CONTROL_RELOAD);
}

static int
verb_kill_unit(const struct ctl_options *o)
{
	int code = 0;

	for (int i = 0; i < o->n_units; i++) {
		struct control_request q;
		struct why why = { "" };
		int r = ctl_request(CONTROL_KILL, o->units[i], &q, &why);

		q.signo = o->signo;
		q.whom = o->whom;
		if (r == 0)
			r = ctl_ask_once(o->runtime_dir, &q, NULL, NULL, &why);
		if (r == 0)
			continue;
		log_error("kill %s: %s", o->units[i], why.text);
		code = r == ENOENT ? EXIT_NO_UNIT_TO_CHANGE : EXIT_FAILED;
	}
	return code;
}

static int
verb_reset(const struct ctl_options *o)
{
	static const char *const all[] = { "" };
	const char *const *units = o->n_units > 0 ? (const char *const *)o->units : all;
	int code = 0;

	for (int i = 0; i == 0 || i < o->n_units; i++) {
		struct control_request q;
		struct why why = { "" };
		int r = ctl_request(CONTROL_RESET_FAILED, units[i], &q, &why);

		if (r == 0)
			r = ctl_ask_once(o->runtime_dir, &q, NULL, NULL, &why);
		if (r == 0)
			continue;
		log_error("reset-failed %s: %s", units[i], why.text);
		code = r == ENOENT ? EXIT_NO_UNIT_TO_CHANGE : EXIT_FAILED;
	}
	return code;
}

/* How many units a verb takes. */
enum arity {
	UNITS_NONE,
	UNITS_ANY,
	UNITS_SOME,
};

static const struct {
	const char *name;
	int (*run)(const struct ctl_options *o);
	enum arity arity;
	const char *options; /* short names of those it has, of all_options[] */
	const char *help;
} ctl_verbs[] = {
	{ "status", status_main, UNITS_ANY, "rj", "how units are; all of them as a table" },
	{ "list", list_main, UNITS_NONE, "rj", "the units that are loaded" },
	{ "show", show_main, UNITS_ANY, "rjpv", "everything about units, as Key=Value" },
	{ "is-active", is_active_main, UNITS_SOME, "rq", "exit 0 if one of them is, else 3" },
	{ "is-failed", is_failed_main, UNITS_SOME, "rq", "exit 0 if one of them is, else 1" },
	{ "start", verb_start, UNITS_SOME, "rn", "start units and wait until they are up" },
	{ "stop", verb_stop, UNITS_SOME, "rn", "stop units and wait until they are down" },
	{ "restart", verb_restart, UNITS_SOME, "rn", "stop, if up, and start" },
	{ "reload", verb_reload_unit, UNITS_SOME, "rn", "run ExecReload=" },
	{ "kill", verb_kill_unit, UNITS_SOME, "rsw", "signal the processes of units" },
	{ "reset-failed", verb_reset, UNITS_ANY, "r", "forget that units failed; all by default" },
	{ "audit", audit_main, UNITS_NONE, "rjPMH",
	    "what each process could do; exit 1 if a server has or could regain privilege" },
};

static const struct {
	struct option option;
	const char *help;
} all_options[] = {
	{ { "runtime-dir", required_argument, NULL, 'r' },
	    "--runtime-dir DIR     of the launcher (default /run/sallyport)" },
	{ { "json", no_argument, NULL, 'j' }, "--json                for machines" },
	{ { "property", required_argument, NULL, 'p' },
	    "-p, --property NAME[,NAME]... only these (repeatable)" },
	{ { "value", no_argument, NULL, 'v' }, "--value               without the names" },
	{ { "quiet", no_argument, NULL, 'q' }, "-q, --quiet           only the exit code" },
	{ { "no-block", no_argument, NULL, 'n' }, "--no-block            do not wait" },
	{ { "signal", required_argument, NULL, 's' },
	    "-s, --signal SIGNAL   name or number (default TERM)" },
	{ { "kill-whom", required_argument, NULL, 'w' },
	    "--kill-whom WHO       main, control or all (default)" },
	{ { "pid", required_argument, NULL, 'P' },
	    "--pid PID             this process instead of a launcher's (repeatable)" },
	{ { "scan-memory", required_argument, NULL, 'M' },
	    "--scan-memory PATH    look for the private keys of this file or folder instead" },
	{ { "holder", required_argument, NULL, 'H' },
	    "--holder UNIT         the unit that may have them in memory" },
	{ { "help", no_argument, NULL, 'h' }, "-h, --help" },
};

static void
ctl_help(size_t verb, FILE *f)
{
	(void)fprintf(f, "Usage: sallyport %s [OPTION]...%s\n%s.\n\n", ctl_verbs[verb].name,
	    ctl_verbs[verb].arity == UNITS_NONE	 ? ""
	    : ctl_verbs[verb].arity == UNITS_ANY ? " [UNIT]..."
						 : " UNIT...",
	    ctl_verbs[verb].help);
	for (size_t i = 0; i < ELEMENTSOF(all_options); i++)
		if (all_options[i].option.val == 'h' ||
		    strchr(ctl_verbs[verb].options, all_options[i].option.val))
			(void)fprintf(f, "  %s\n", all_options[i].help);
}

/* "TERM", "SIGTERM" or "15"; 0 for none of these. */
static int
signal_number(const char *text)
{
	uint64_t n;

	if (num_parse_str(text, 1, (uint64_t)SIGRTMAX, &n) == 0)
		return (int)n;
	if (str_starts(text, "SIG"))
		text += strlen("SIG");
	for (int i = 1; i < SIGRTMIN; i++)
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), text) == 0)
			return i;
	return 0;
}

static bool
ctl_take_whom(const char *text, uint32_t *ret)
{
	static const char *const names[] = { [CONTROL_WHOM_ALL] = "all",
		[CONTROL_WHOM_MAIN] = "main",
		[CONTROL_WHOM_CONTROL] = "control" };

	for (uint32_t i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(names[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool
ctl_take_pid(struct ctl_options *o, const char *text)
{
	uint64_t pid;

	if (o->n_pids >= CTL_PIDS_MAX || num_parse_str(text, 1, INT32_MAX, &pid) < 0)
		return false;
	o->pids[o->n_pids++] = (pid_t)pid;
	return true;
}

/* Return: false when the argument makes no sense. */
static bool
ctl_take_option(struct ctl_options *o, int option, char *argument)
{
	switch (option) {
	case 'r':
		o->runtime_dir = argument;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 'p':
		if (o->n_properties >= CTL_PROPERTIES_MAX)
			return false;
		o->properties[o->n_properties++] = argument;
		return true;
	case 'v':
		o->value_only = true;
		return true;
	case 'q':
		o->quiet = true;
		return true;
	case 'n':
		o->no_block = true;
		return true;
	case 's':
		o->signo = signal_number(argument);
		return o->signo > 0;
	case 'w':
		return ctl_take_whom(argument, &o->whom);
	case 'M':
		o->keys = argument;
		return true;
	case 'H':
		o->holder = argument;
		return true;
	case 'P':
		return ctl_take_pid(o, argument);
	default:
		return false;
	}
}

static int
ctl_usage(size_t verb)
{
	log_error("see sallyport %s --help", ctl_verbs[verb].name);
	return EX_USAGE;
}

/* -1: go on; otherwise the exit code. */
static int
ctl_take_arguments(size_t verb, int argc, char **argv, struct ctl_options *o)
{
	struct option options[ELEMENTSOF(all_options) + 1] = { { 0 } };

	for (size_t i = 0; i < ELEMENTSOF(all_options); i++)
		options[i] = all_options[i].option;
	optind = 1;
	for (;;) {
		const int c = getopt_long(argc, argv, "p:qs:h", options, NULL);

		if (c == -1)
			break;
		if (c == 'h') {
			ctl_help(verb, stdout);
			return 0;
		}
		if (c == '?')
			return ctl_usage(verb);
		if (!strchr(ctl_verbs[verb].options, c) || !ctl_take_option(o, c, optarg)) {
			log_error("%s: bad option or value%s%s", ctl_verbs[verb].name,
			    optarg ? ": " : "", optarg ? optarg : "");
			return ctl_usage(verb);
		}
	}
	o->units = argv + optind;
	o->n_units = argc - optind;
	if ((ctl_verbs[verb].arity == UNITS_SOME && o->n_units == 0) ||
	    (ctl_verbs[verb].arity == UNITS_NONE && o->n_units > 0))
		return ctl_usage(verb);
	return -1;
}

static int
ctl_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(ctl_verbs); i++)
		if (strcmp(ctl_verbs[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool
ctl_is_verb(const char *name)
{
	return ctl_find(name) >= 0;
}

int
ctl_main(int argc, char **argv)
{
	struct ctl_options o = { .runtime_dir = CTL_RUNTIME_DIR, .signo = SIGTERM };
	const int verb = ctl_find(argv[0]);
	int code;

	if (verb < 0)
		return EX_USAGE;
	code = ctl_take_arguments((size_t)verb, argc, argv, &o);
	if (code < 0)
		code = ctl_verbs[verb].run(&o);
	if (fflush(stdout) != 0 && code == 0) {
		log_error("standard output: %s", strerror(errno));
		code = EX_IOERR;
	}
	return code;
}
