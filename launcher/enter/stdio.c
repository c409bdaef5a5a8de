/*
 * stdio.c - see stdio.h.
 *
 * "inherit" has three meanings in systemd, and all are kept: output inherits the input unless that
 * is null; error inherits the output; and what is left inherits the manager's own, here the log.
 */
#include "launcher/enter/stdio.h"

#include <fcntl.h>

#include "launcher/enter/open.h"

bool
stdio_wants_socket(const struct enter *e)
{
	const struct plan_exec *x = &e->unit->exec;

	return e->inetd || x->stdin_to.kind == STDIO_SOCKET || x->stdout_to.kind == STDIO_SOCKET ||
	       x->stderr_to.kind == STDIO_SOCKET;
}

static int
open_file(const struct enter *e, const struct plan_stdio *s, int fd)
{
	int flags = O_RDONLY;

	if (fd != STDIN_FILENO)
		flags = O_WRONLY | O_CREAT | (s->kind == STDIO_APPEND ? O_APPEND : 0) |
			(s->kind == STDIO_TRUNCATE ? O_TRUNC : 0);
	return open_for(e, enter_text(e, s->path), flags);
}

/* A new descriptor for one kind; fd says which of the three it will be. */
static int
open_kind(const struct enter *e, const struct plan_stdio *s, int fd)
{
	int made = -EBADF;

	switch (s->kind) {
	case STDIO_NULL:
		made = open("/dev/null", (fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
		break;
	case STDIO_SOCKET:
		made = fcntl(e->fds[0].fd, F_DUPFD_CLOEXEC, ENTER_FDS_FIRST);
		break;
	case STDIO_FILE:
	case STDIO_APPEND:
	case STDIO_TRUNCATE:
		return open_file(e, s, fd);
	case STDIO_LOG:
	case STDIO_DEFAULT:
	case STDIO_INHERIT:
	case STDIO_KIND_END:
		made = fcntl(e->stdio_fd, F_DUPFD_CLOEXEC, ENTER_FDS_FIRST);
		break;
	}
	return made < 0 ? -errno : made;
}

static int
place(int from, int fd)
{
	if (dup2(from, fd) < 0)
		return -errno;
	if (from != fd && from >= ENTER_FDS_FIRST)
		(void)close(from);
	return 0;
}

static int
arrange_input(const struct enter *e, struct plan_stdio *in)
{
	const bool passed = e->n_fds > 0; /* a control command of an inetd service has no socket */
	int made;

	if (in->kind == STDIO_DEFAULT || (in->kind == STDIO_SOCKET && !passed))
		in->kind = STDIO_NULL;
	made = open_kind(e, in, STDIN_FILENO);
	return made < 0 ? made : place(made, STDIN_FILENO);
}

/* What output becomes, once input is known. Return: a descriptor to copy, or -1 to open one. */
static int
inherited_output(const struct plan_stdio *in, const struct plan_stdio *out)
{
	if (out->kind == STDIO_INHERIT)
		return in->kind == STDIO_NULL ? -1 : STDIN_FILENO;
	if (out->kind == STDIO_DEFAULT && in->kind == STDIO_SOCKET)
		return STDIN_FILENO;
	return -1;
}

static int
arrange_output(const struct enter *e, const struct plan_stdio *s, int copy, int fd)
{
	int made;

	if (copy >= 0)
		return place(copy, fd);
	made = open_kind(e, s, fd);
	return made < 0 ? made : place(made, fd);
}

int
stdio_arrange(struct enter *e)
{
	struct plan_stdio in = e->unit->exec.stdin_to, out = e->unit->exec.stdout_to;
	struct plan_stdio err = e->unit->exec.stderr_to;
	int r;

	if (e->stdio_fd < 0) { /* `sallyport exec`: the caller's own, or the socket */
		if (!e->inetd)
			return 0;
		r = dup2(e->fds[0].fd, STDIN_FILENO) < 0 ? -errno : 0;
		return r < 0 ? r : dup2(e->fds[0].fd, STDOUT_FILENO) < 0 ? -errno : 0;
	}
	if (stdio_wants_socket(e) && e->n_fds > 1)
		return -EINVAL;
	if (e->n_fds == 0 && out.kind == STDIO_SOCKET)
		out.kind = STDIO_LOG;
	if (e->n_fds == 0 && err.kind == STDIO_SOCKET)
		err.kind = STDIO_LOG;
	r = arrange_input(e, &in);
	if (r == 0)
		r = arrange_output(e, &out, inherited_output(&in, &out), STDOUT_FILENO);
	if (r < 0)
		return r;
	return arrange_output(e, &err,
	    err.kind == STDIO_DEFAULT || err.kind == STDIO_INHERIT ? STDOUT_FILENO : -1,
	    STDERR_FILENO);
}
