/*
 * leave.c - see leave.h.
 */
#include "launcher/start/leave.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/log.h"

#define ROUNDS_MAX 1000 /* a fork bomb of a service must not keep us */

static void
kill_children(const struct monitor *m)
{
	pid_t pids[512];
	const size_t n = children_read(pids, ELEMENTSOF(pids));

	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL); /* our own, not reaped: it is who we think it is */
	/* Where there is no /proc, what we started is all that we know. */
	for (uint32_t i = 0; n == 0 && i < m->n_instances; i++)
		if (m->instances[i].state == INSTANCE_EXECUTING ||
		    m->instances[i].state == INSTANCE_RUNNING)
			(void)kill(m->instances[i].pid, SIGKILL);
}

/* RemoveOnStop=: the paths of a socket unit and their other names. */
static void
remove_paths(const struct monitor *m, const struct plan_unit *u)
{
	PLAN_FOREACH (m->plan, u->socket.symlinks, struct plan_word, w)
		(void)unlink(plan_str(m->plan, w->text)); /* gone already is as good */
	PLAN_FOREACH (m->plan, u->socket.listens, struct plan_listen, l) {
		const char *path = plan_str(m->plan, l->text);

		if (l->kind == LISTEN_MESSAGE_QUEUE)
			(void)mq_unlink(path);
		else if (path[0] == '/' && l->kind != LISTEN_SPECIAL)
			(void)unlink(path);
	}
}

static void
clean_runtime(struct monitor *m)
{
	char name[32];

	/* Best effort: what cannot be removed is a name without a listener, taken over next time.
	 */
	(void)unlinkat(m->runtime_fd, "control", 0);
	for (uint32_t i = 0; i < m->plan->n_units; i++) {
		if (plan_unit(m->plan, i)->socket.remove_on_stop)
			remove_paths(m, plan_unit(m->plan, i));
		if (m->notify_fds[i] < 0)
			continue;
		(void)snprintf(name, sizeof(name), "notify/%u", i);
		(void)unlinkat(m->runtime_fd, name, 0);
	}
	(void)unlinkat(m->runtime_fd, "notify", AT_REMOVEDIR);
	(void)rmdir(m->runtime_dir);
}

void
leave(struct monitor *m)
{
	int killed = 0;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		const pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			break; /* ECHILD: nobody is left */
		if (pid > 0)
			continue;
		kill_children(m);
		killed++;
		(void)waitpid(-1, NULL, 0);
	}
	if (killed > 0)
		log_notice("killed what had not stopped");
	clean_runtime(m);
}
