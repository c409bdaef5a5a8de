/*
 * probe.c - the probe server's command line: a script of steps, done in the order they are given.
 * Runs as: see probe.h.
 *
 * Whatever follows `--` is only there to be recorded.
 */
#include "tests/activation/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common/num.h"

static const char usage_text[] =
    "usage: probe STEP... [-- ANYTHING]\n"
    "  --out FILE         append the record to FILE, one line; \"-\" is standard output\n"
    "  --print TEXT       write TEXT to standard output\n"
    "  --print-error TEXT write TEXT to standard error\n"
    "  --notify TEXT      sd_notify TEXT; '|' stands for a newline\n"
    "  --delay MS         wait\n"
    "  --ignore N         ignore signal N\n"
    "  --leave N          on signal N leave with status 0\n"
    "  --fork             start a child that lasts\n"
    "  --daemonize        fork; the parent leaves with status 0\n"
    "  --pidfile FILE     write the pid there\n"
    "  --title TEXT       set the process name\n"
    "  --once             --serve and --greet leave after the first connection\n"
    "  --serve            answer commands on every passed descriptor, or on 0 (probe_serve.c)\n"
    "  --greet            the same, but send the record at once and close\n"
    "  --hang             do nothing for ever\n"
    "  --kill N           raise signal N\n"
    "  --exit N           leave with status N\n"
    "At the end: status 0.\n";

struct probe {
	struct buf record;
	bool once;
};

typedef void step_fn(struct probe *p, const char *word, uint64_t number);

static _Noreturn void
fail(const char *what)
{
	(void)dprintf(STDERR_FILENO, "probe: %s: %s\n", what, strerrorname_np(errno));
	_exit(99);
}

static void
write_file(const char *path, int flags, const char *bytes, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) /* one write: lines stay whole */
		fail(path);
	(void)close(fd);
}

static void
step_out(struct probe *p, const char *word, uint64_t number)
{
	(void)number;
	(void)buf_putc(&p->record, '\n');
	if (strcmp(word, "-") == 0)
		probe_write(STDOUT_FILENO, buf_cstr(&p->record), p->record.len);
	else
		write_file(word, O_APPEND, buf_cstr(&p->record), p->record.len);
	p->record.data[--p->record.len] = '\0';
}

static void
step_print(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)number;
	probe_write(STDOUT_FILENO, word, strlen(word));
}

static void
step_print_error(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)number;
	probe_write(STDERR_FILENO, word, strlen(word));
}

static void
step_notify(struct probe *p, const char *word, uint64_t number)
{
	const int r = probe_notify(word);

	(void)p, (void)number;
	if (r < 0) {
		errno = -r;
		fail("notify");
	}
}

static void
step_delay(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word;
	(void)poll(NULL, 0, (int)number);
}

static void
step_ignore(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word;
	(void)signal((int)number, SIG_IGN);
}

static void
on_leave(int signo)
{
	(void)signo;
	_exit(0);
}

static void
step_leave(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word;
	(void)signal((int)number, on_leave);
}

static void
step_fork(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word, (void)number;
	switch (fork()) {
	case -1:
		fail("fork");
	case 0:
		for (;;)
			(void)pause();
	}
}

static void
step_daemonize(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word, (void)number;
	switch (fork()) {
	case -1:
		fail("fork");
	case 0:
		return;
	default:
		_exit(0);
	}
}

static void
step_pidfile(struct probe *p, const char *word, uint64_t number)
{
	char text[NUM_TEXT_MAX];

	(void)p, (void)number;
	(void)num_format(text, (uint64_t)getpid());
	write_file(word, O_TRUNC, text, strlen(text));
}

static void
step_title(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)number;
	(void)prctl(PR_SET_NAME, word, 0, 0, 0);
}

static void
step_once(struct probe *p, const char *word, uint64_t number)
{
	(void)word, (void)number;
	p->once = true;
}

static void
step_serve(struct probe *p, const char *word, uint64_t number)
{
	(void)word, (void)number;
	probe_serve(&(struct probe_serve){ .record = &p->record, .once = p->once });
}

static void
step_greet(struct probe *p, const char *word, uint64_t number)
{
	(void)word, (void)number;
	probe_serve(&(struct probe_serve){ .record = &p->record, .greet = true, .once = p->once });
}

static void
step_hang(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word, (void)number;
	for (;;)
		(void)pause();
}

static void
step_kill(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word;
	(void)raise((int)number);
}

static void
step_exit(struct probe *p, const char *word, uint64_t number)
{
	(void)p, (void)word;
	_exit((int)number);
}

enum step_word {
	WORD_NONE,
	WORD_TEXT,
	WORD_NUMBER,
};

static const struct {
	const char *option;
	enum step_word word;
	step_fn *run;
} steps[] = {
	{ "--daemonize", WORD_NONE, step_daemonize },
	{ "--delay", WORD_NUMBER, step_delay },
	{ "--exit", WORD_NUMBER, step_exit },
	{ "--fork", WORD_NONE, step_fork },
	{ "--greet", WORD_NONE, step_greet },
	{ "--hang", WORD_NONE, step_hang },
	{ "--ignore", WORD_NUMBER, step_ignore },
	{ "--kill", WORD_NUMBER, step_kill },
	{ "--leave", WORD_NUMBER, step_leave },
	{ "--notify", WORD_TEXT, step_notify },
	{ "--once", WORD_NONE, step_once },
	{ "--out", WORD_TEXT, step_out },
	{ "--pidfile", WORD_TEXT, step_pidfile },
	{ "--print", WORD_TEXT, step_print },
	{ "--print-error", WORD_TEXT, step_print_error },
	{ "--serve", WORD_NONE, step_serve },
	{ "--title", WORD_TEXT, step_title },
};

static _Noreturn void
usage(void)
{
	probe_write(STDERR_FILENO, usage_text, sizeof(usage_text) - 1);
	_exit(64);
}

static void
run_steps(struct probe *p, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = NULL;
		uint64_t number = 0;
		size_t s = 0;

		while (s < ELEMENTSOF(steps) && strcmp(steps[s].option, argv[i]) != 0)
			s++;
		if (s == ELEMENTSOF(steps))
			usage();
		if (steps[s].word != WORD_NONE && !(word = argv[++i]))
			usage();
		if (steps[s].word == WORD_NUMBER && num_parse_str(word, 0, 1 << 24, &number) < 0)
			usage();
		steps[s].run(p, word, number);
	}
}

int
main(int argc, char **argv, char **envp)
{
	struct probe p = { .once = false };

	buf_init_heap(&p.record, 4 << 20);
	probe_record(&p.record, argc, argv, envp); /* first: before anything changes */
	(void)signal(SIGPIPE, SIG_IGN);
	run_steps(&p, argc, argv);
	return 0;
}
