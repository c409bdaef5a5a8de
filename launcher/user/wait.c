/*
 * wait.c - see wait.h.
 * Logs:    what is wrong with the options, and why a connection was not served.
 */
#include "launcher/user/wait.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "common/log.h"
#include "launcher/enter/stdio.h"

#define SHED_PAUSE_MSEC 100

/* Until there is traffic on one of the descriptors. Return: its index. */
static uint32_t
wait_for_traffic(const struct enter *e)
{
	static struct pollfd polls[ENTER_FDS_MAX];

	for (;;) {
		for (uint32_t i = 0; i < e->n_fds; i++)
			polls[i] = (struct pollfd){ .fd = e->fds[i].fd, .events = POLLIN };
		if (poll(polls, e->n_fds, -1) < 0)
			continue; /* EINTR; what else poll(2) knows cannot happen here */
		for (uint32_t i = 0; i < e->n_fds; i++)
			if (polls[i].revents)
				return i;
	}
}

/* --inetd comes into force here: until now 0 and 1 were the caller's, and the log's. */
static _Noreturn void
execute(struct enter *e)
{
	e->inetd = e->unit->exec.stdin_to.kind == STDIO_SOCKET;
	if (stdio_arrange(e) < 0)
		_exit(enter_step_exit_code(ENTER_STDIO));
	enter_exec(e);
}

/* -a: one process a connection. We have the user's rights by now, and stay. */
static void
accept_one(struct enter *e, uint32_t i)
{
	_cleanup_fd_ int fd = accept4(e->fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
	static struct enter_fd one; /* the child's */
	pid_t pid;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_warning("accept: %s; waiting", strerror(errno));
			(void)poll(NULL, 0, SHED_PAUSE_MSEC);
		}
		return; /* anything else is the peer's doing, or somebody was faster */
	}
	pid = fork();
	if (pid < 0) {
		log_warning("fork: %s; connection closed", strerror(errno));
		return;
	}
	if (pid > 0)
		return;
	one = (struct enter_fd){ .fd = fd, .name = e->fds[i].name };
	e->fds = &one;
	e->n_fds = 1;
	execute(e);
}

/* One name goes to all; else one each, those too many are ignored and the rest has none. */
static void
name_descriptors(const struct enter *e, struct enter_fd *fds, const struct plan_list *names)
{
	struct ref at = names->head;

	for (uint32_t i = 0; i < e->n_fds && names->n > 0; i++) {
		const struct plan_word *w = plan_at(e->plan, at, sizeof(*w));

		fds[i].name = w ? plan_str(e->plan, w->text) : "";
		if (w && names->n > 1)
			at = w->next;
	}
}

static int
wait_refuse(const char *message)
{
	log_error("exec: %s; see --help", message);
	return EX_USAGE;
}

int
exec_wait(struct enter *e, struct enter_fd *fds, const struct plan_socket *socket)
{
	const bool inetd = e->unit->exec.stdin_to.kind == STDIO_SOCKET;

	if (e->n_fds == 0)
		return wait_refuse("no -l, and no descriptors were passed to us");
	if (inetd && !socket->accept && e->n_fds != 1)
		return wait_refuse("--inetd without -a takes one socket");
	name_descriptors(e, fds, &socket->fd_names);
	if (socket->accept)
		(void)signal(SIGCHLD, SIG_IGN); /* nobody asks how they ended: the kernel reaps */
	for (;;) {
		const uint32_t i = wait_for_traffic(e);

		if (!socket->accept)
			execute(e);
		accept_one(e, i);
	}
}
