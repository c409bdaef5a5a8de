/*
 * spawn.c - see spawn.h.
 */
#include "launcher/user/spawn.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common/fdpass.h"

#define SPAWN_STACK_BYTES (64 * 1024)

/* One start, as the child finds it on a stack of its own in its spawner's memory. */
struct spawn {
	const struct child *common;
	struct spawn_request request;
	int fds[2]; /* connection, status socket */
};

/* In the child. Static memory is the spawner's, and is used again by the next. */
static int
spawn_child(void *arg)
{
	const struct enter_failure here = { .step = ENTER_FOUND };
	const struct spawn *s = arg;
	struct child c = *s->common;

	c.connection = s->fds[0];
	c.number = s->request.number;
	c.enter.watchdog_usec = s->request.watchdog_usec;
	c.enter.status_fd = s->fds[1];
	if (fdpass_send(c.enter.status_fd, &here, sizeof(here), NULL, 0) < 0)
		_exit(0); /* nobody waits for it any more */
	child_go_on(&c);
}

/* proc(5), cmdline: the monitor's title is as long. */
static void
set_spawner_title(void)
{
	static const char title[] = "sallyport: spawner";

	if (strlen(program_invocation_name) == sizeof(title) - 1)
		memcpy(program_invocation_name, title, sizeof(title) - 1);
	(void)prctl(PR_SET_NAME, "sallyport-spawn", 0, 0, 0);
}

void
spawn_serve(const struct child *c)
{
	char stack[SPAWN_STACK_BYTES] __attribute__((aligned(64)));
	struct spawn s = { .common = c };
	int r = 0;

	set_spawner_title();
	while (r >= 0 || r == -EAGAIN) {
		struct pollfd p = { .fd = c->connection, .events = POLLIN };
		struct fdpass_msg got = { 0 };

		if (r == -EAGAIN)
			(void)poll(&p, 1, -1);
		r = fdpass_recv(
		    c->connection, &s.request, sizeof(s.request), s.fds, ELEMENTSOF(s.fds), &got);
		if (r == 0 && (got.len != sizeof(s.request) || got.n_fds != ELEMENTSOF(s.fds)))
			r = -EPROTO;
		if (r == 0) /* what cannot be forked closes its status socket: that tells */
			r = clone(spawn_child, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, &s);
		for (size_t i = 0; i < got.n_fds; i++) /* as they are: the service has them, too */
			(void)fd_close(s.fds[i]);
	}
}
