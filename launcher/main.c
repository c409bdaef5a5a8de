/*
 * main.c - the verbs of `sallyport`, and nothing else.
 * Runs as: whoever calls it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "common/buf.h"
#include "common/log.h"
#include "launcher/ctl/check.h"
#include "launcher/ctl/ctl.h"
#include "launcher/help.h"
#include "launcher/manager/manager.h"
#include "launcher/start/exec.h"
#include "launcher/start/heritage.h"
#include "launcher/start/run.h"

static const struct {
	const char *name;
	const char *title; /* of the process, for ps(1); NULL: as called */
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "run", "sallyport: monitor", run_main },
	{ "exec", NULL, exec_main },
	{ "check", NULL, check_main },
};

/* argv's own memory is what ps(1) reads; what does not fit is cut. */
static void
set_title(char **argv, int argc, const char *title)
{
	char *start = argv[0];
	const size_t room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - start);

	memset(start, 0, room);
	for (size_t i = 0; i < room && title[i]; i++)
		start[i] = title[i];
}

/* The verb gets a copy of its arguments: the memory that showed them becomes the title. */
static int
run_titled(int argc, char **argv, size_t verb)
{
	const size_t room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
	_cleanup_free_ char *text = malloc(room);
	_cleanup_free_ char **copy = calloc((size_t)argc + 1, sizeof(char *));

	if (!text || !copy) {
		log_error("out of memory");
		return EX_OSERR;
	}
	memcpy(text, argv[0], room); /* they lie behind each other: proc(5), cmdline */
	for (int i = 0; i < argc; i++)
		copy[i] = text + (argv[i] - argv[0]);
	set_title(argv, argc, verbs[verb].title);
	return verbs[verb].run(argc - 1, copy + 1);
}

/* A caller may have closed 0, 1 or 2; what we open must never end up there. */
static int
fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)fd_close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, the kernel would reap whom we wait for */
	if (fill_standard_fds() < 0)
		return EX_OSERR;
	if (argc > 0 && strcmp(argv[0], HERITAGE_ARGV0) == 0) {
		(void)prctl(PR_SET_NAME, "sallyport-mgr", 0, 0, 0); /* for people only */
		return manager_main(argc, argv);
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		(void)fputs(help_sallyport, argc < 2 ? stderr : stdout);
		return argc < 2 ? EX_USAGE : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("sallyport " SALLYPORT_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].title)
			return run_titled(argc, argv, i);
		return verbs[i].run(argc - 1, argv + 1);
	}
	if (ctl_is_verb(argv[1]))
		return ctl_main(argc - 1, argv + 1);
	log_error("%s: no such verb; see --help", argv[1]);
	return EX_USAGE;
}
