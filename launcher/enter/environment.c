/*
 * environment.c - see environment.h.
 */
#include "launcher/enter/environment.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "common/num.h"
#include "launcher/enter/credentials.h"
#include "launcher/enter/directories.h"
#include "launcher/enter/env_file.h"
#include "launcher/enter/open.h"
#include "launcher/enter/stdio.h"

static int
setenv_str(struct arguments *a, const char *name, const char *value)
{
	return value ? arguments_setenv(a, span_of(name), span_of(value)) : 0;
}

static int
setenv_num(struct arguments *a, const char *name, uint64_t value)
{
	char text[NUM_TEXT_MAX];

	return setenv_str(a, name, num_format(text, value));
}

static int
setenv_id128(struct arguments *a, const char *name, const uint8_t id[16])
{
	static const char hex[] = "0123456789abcdef";
	char text[33];

	for (size_t i = 0; i < 16; i++) {
		text[2 * i] = hex[id[i] >> 4];
		text[2 * i + 1] = hex[id[i] & 15];
	}
	text[32] = '\0';
	return setenv_str(a, name, text);
}

/* What the stop commands are told: why the service stops, and how its main process ended. */
static int
environment_result(struct arguments *a, const struct enter *e)
{
	static const char *const codes[] = {
		[CLD_EXITED] = "exited", [CLD_KILLED] = "killed", [CLD_DUMPED] = "dumped"
	};
	int r;

	if (e->slot != COMMAND_STOP && e->slot != COMMAND_STOP_POST)
		return 0;
	r = setenv_str(a, "SERVICE_RESULT", service_results[e->result]);
	if (r < 0 || e->code == 0)
		return r;
	r = setenv_str(a, "EXIT_CODE", codes[e->code]);
	if (r < 0)
		return r;
	if (e->code != CLD_EXITED && sigabbrev_np(e->status))
		return setenv_str(a, "EXIT_STATUS", sigabbrev_np(e->status));
	return setenv_num(a, "EXIT_STATUS", (uint64_t)e->status);
}

/* LISTEN_FDNAMES: the names with ':' between them, empty ones kept (sd_listen_fds(3)). */
static int
setenv_fdnames(struct arguments *a, const struct enter *e)
{
	const struct span name = { "LISTEN_FDNAMES", sizeof("LISTEN_FDNAMES") - 1 };
	const uint32_t start = a->used;
	char *entry;

	if (arguments_put(a, span_of("LISTEN_FDNAMES=")) < 0)
		return -E2BIG;
	for (uint32_t i = 0; i < e->n_fds; i++)
		if ((i > 0 && arguments_put(a, span_of(":")) < 0) ||
		    arguments_put(a, span_of(e->fds[i].name)) < 0)
			return -E2BIG;
	if (arguments_end(a, start, &entry) < 0)
		return -E2BIG;
	return arguments_place(a, name, entry);
}

static int
environment_protocol(struct arguments *a, const struct enter *e)
{
	int r = 0;

	if (e->n_fds > 0 && !stdio_wants_socket(e)) {
		r = setenv_num(a, "LISTEN_PID", (uint64_t)getpid());
		if (r == 0)
			r = setenv_num(a, "LISTEN_FDS", e->n_fds);
		if (r == 0 && e->fds[0].name)
			r = setenv_fdnames(a, e);
	}
	if (r == 0 && e->peer && e->peer->address[0])
		r = setenv_str(a, "REMOTE_ADDR", e->peer->address);
	if (r == 0 && e->peer && e->peer->port[0])
		r = setenv_str(a, "REMOTE_PORT", e->peer->port);
	if (r == 0)
		r = setenv_str(a, "NOTIFY_SOCKET", e->notify_path);
	if (r == 0 && e->watchdog_usec > 0) {
		r = setenv_num(a, "WATCHDOG_PID", (uint64_t)getpid());
		if (r == 0)
			r = setenv_num(a, "WATCHDOG_USEC", e->watchdog_usec);
	}
	if (r == 0 && e->main_pid > 0)
		r = setenv_num(a, "MAINPID", (uint64_t)e->main_pid);
	if (r == 0)
		r = environment_result(a, e);
	if (r == 0)
		r = setenv_str(a, "PIDFILE", plan_str(e->plan, e->unit->service.pid_file));
	if (r == 0 && e->invocation_id)
		r = setenv_id128(a, "INVOCATION_ID", e->invocation_id);
	return r;
}

static int
environment_identity(struct arguments *a, const struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;
	const char *user = plan_str(e->plan, x->user_name);
	int r = setenv_str(a, "PATH", ENVIRONMENT_PATH);

	if (r == 0)
		r = setenv_str(a, "HOME", plan_str(e->plan, x->home));
	if (r == 0)
		r = setenv_str(a, "LOGNAME", user);
	if (r == 0)
		r = setenv_str(a, "USER", user);
	if (r == 0)
		r = setenv_str(a, "SHELL", plan_str(e->plan, x->shell));
	return r;
}

/* RUNTIME_DIRECTORY and its kin: full paths with ':' between them. */
static int
environment_directories(struct arguments *a, const struct enter *e)
{
	if (setenv_str(a, "CREDENTIALS_DIRECTORY", credentials_directory(e)) < 0)
		return -E2BIG;
	for (int k = 0; k < DIRECTORY_KIND_END; k++) {
		const struct span name = span_of(directory_kinds[k].variable);
		const uint32_t start = a->used;
		const char *before = "=";
		char *entry;
		int r = 0;

		if (e->unit->exec.directories[k].paths.n == 0)
			continue;
		r = arguments_put(a, name);
		PLAN_FOREACH (e->plan, e->unit->exec.directories[k].paths, struct plan_word, w) {
			r = r < 0 ? r : arguments_put(a, span_of(before));
			r = r < 0 ? r : arguments_put(a, span_of(directory_kinds[k].base));
			r = r < 0 ? r : arguments_put(a, span_of("/"));
			r = r < 0 ? r : arguments_put(a, span_of(enter_text(e, w->text)));
			before = ":";
		}
		if (r < 0 || arguments_end(a, start, &entry) < 0 ||
		    arguments_place(a, name, entry) < 0)
			return -E2BIG;
	}
	return 0;
}

/* The unit's own settings come last and win, as under systemd. */
static int
environment_unit(struct arguments *a, const struct enter *e)
{
	PLAN_FOREACH (e->plan, e->unit->exec.environment, struct plan_word, w) {
		const char *text = enter_text(e, w->text);
		const char *eq = strchr(text, '=');
		int r;

		if (!eq)
			continue; /* the loader lets none through */
		r = arguments_setenv(
		    a, (struct span){ text, (size_t)(eq - text) }, span_of(eq + 1));
		if (r < 0)
			return r;
	}
	return 0;
}

static int
take_assignment(void *context, struct span name, struct span value)
{
	return arguments_setenv(context, name, value);
}

static int
read_env_file(struct arguments *a, const struct enter *e, const char *path)
{
	static char text[ARGUMENTS_TEXT_BYTES];
	_cleanup_fd_ int fd = open_for(e, path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = read(fd, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < sizeof(text));
	if (n < 0)
		return -errno;
	return len == sizeof(text) ? -E2BIG : env_file_parse(text, len, take_assignment, a);
}

int
environment_read_files(struct arguments *a, const struct enter *e)
{
	PLAN_FOREACH (e->plan, e->unit->exec.environment_files, struct plan_env_file, f) {
		const int r = read_env_file(a, e, enter_text(e, f->path));

		if (r < 0 && !(r == -ENOENT && f->optional))
			return r;
	}
	a->n_from_files = a->n_env;
	return 0;
}

/* What came from files was read first, with root's rights, but counts last: it goes to the end. */
static int
environment_files(struct arguments *a, char *const *from_files, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *eq = strchr(from_files[i], '=');
		const int r = arguments_place(
		    a, (struct span){ from_files[i], (size_t)(eq - from_files[i]) }, from_files[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
environment_passed(struct arguments *a, const struct enter *e)
{
	PLAN_FOREACH (e->plan, e->unit->exec.pass_environment, struct plan_word, w) {
		const char *name = plan_str(e->plan, w->text);
		const int r = setenv_str(a, name, getenv(name));

		if (r < 0)
			return r;
	}
	return 0;
}

/* UnsetEnvironment=, last of all: a name, or a whole assignment. */
static void
environment_unset(struct arguments *a, const struct enter *e)
{
	PLAN_FOREACH (e->plan, e->unit->exec.unset_environment, struct plan_word, w) {
		const struct span text = span_of(plan_str(e->plan, w->text));
		const bool whole = memchr(text.ptr, '=', text.len);
		uint32_t kept = 0;

		for (uint32_t i = 0; i < a->n_env; i++)
			if (whole ? !span_equal(text, a->envp[i]) : !arguments_is(a->envp[i], text))
				a->envp[kept++] = a->envp[i];
		a->n_env = kept;
		a->envp[kept] = NULL;
	}
}

/* systemd's order: later ones win. */
static int (*const environment_parts[])(struct arguments *a, const struct enter *e) = {
	environment_identity,
	environment_protocol,
	environment_directories,
	environment_passed,
	environment_unit,
};

int
environment_fill(struct arguments *a, const struct enter *e)
{
	static char *from_files[ARGUMENTS_ENV_MAX];
	const uint32_t n = a->n_from_files;
	int r = 0;

	memcpy(from_files, a->envp, n * sizeof(from_files[0]));
	a->n_env = a->n_from_files = a->n_argv = 0;
	if (n == 0)
		a->used = 0; /* a spawner's children follow each other in the same memory */
	for (size_t i = 0; r == 0 && i < ELEMENTSOF(environment_parts); i++)
		r = environment_parts[i](a, e);
	if (r == 0)
		r = environment_files(a, from_files, n);
	if (r == 0)
		environment_unset(a, e);
	return r;
}
