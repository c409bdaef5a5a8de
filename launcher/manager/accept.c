/*
 * accept.c - see accept.h.
 * Runs as: manager.
 */
#include "launcher/manager/accept.h"

#include <assert.h>
#include <sys/socket.h>

#include "common/log.h"
#include "launcher/enter/peer.h"
#include "launcher/manager/control_server.h"
#include "launcher/manager/service.h"
#include "launcher/manager/socket.h"
#include "launcher/manager/spawner.h"

/* A flood on one socket must not hold up the others. */
#define ACCEPTS_PER_WAKE 16

int
accept_init(struct manager *m, struct socket *k, uint32_t note)
{
	(void)m;
	k->pool_note = note;
	spawner_init(k);
	/* Pages of it that are never used never exist. */
	k->pool = calloc(k->unit->socket.max_connections, sizeof(*k->pool));
	return k->pool ? 0 : -ENOMEM;
}

void
accept_done(struct socket *k)
{
	ACCEPT_FOREACH(k, s)
	fd_closep(&s->connection);
	fd_closep(&k->spawner.sock);
	fd_closep(&k->spawner.far_end);
	free(k->pool);
	k->pool = NULL;
}

static struct service *
instance_take(struct manager *m, struct socket *k)
{
	struct service *s = k->free;

	if (s)
		k->free = s->next;
	else if (k->n_used < k->unit->socket.max_connections)
		s = &k->pool[k->n_used++];
	else
		return NULL;
	service_init(m, s, k->service, k->pool_note + (uint32_t)(s - k->pool));
	s->socket = k;
	k->n_connections++;
	return s;
}

void
accept_release(struct manager *m, struct service *s)
{
	m->n_held -= s->connection >= 0;
	fd_closep(&s->connection);
}

static void
instance_release(struct manager *m, struct service *s)
{
	struct socket *k = s->socket;

	assert(!process_alive(&s->main) && !process_alive(&s->control));
	timer_stop(&m->timers, &s->timer);
	timer_stop(&m->timers, &s->watchdog);
	timer_stop(&m->timers, &s->again);
	accept_release(m, s);
	s->in_use = false;
	service_save(m, s); /* its place in the notebook is free, too */
	s->next = k->free;
	k->free = s;
	k->n_connections--;
}

void
accept_finished(struct service *s)
{
	s->next = s->socket->finished;
	s->socket->finished = s;
}

void
accept_collect(struct manager *m, struct socket *k)
{
	while (k->finished) {
		struct service *s = k->finished;

		k->finished = s->next;
		control_instance_done(m, s);
		instance_release(m, s);
	}
}

struct service *
accept_learn(struct manager *m, struct socket *k, uint32_t seq)
{
	const uint32_t max = k->unit->socket.max_connections;
	struct service *s = instance_take(m, k);
	struct note n;

	for (uint32_t i = 0; s && i < max; i++)
		if (notebook_read(&m->notebook, k->pool_note + i, &n) && (n.flags & NOTE_IN_USE) &&
		    n.seq == seq) {
			service_restore(s, &n);
			return s;
		}
	if (s) /* which connection it serves is lost; that it runs is not */
		(void)snprintf(
		    s->name, sizeof(s->name), "%s", plan_str(m->plan, k->service->plan->id));
	return s;
}

struct service *
accept_find(struct manager *m, const char *name)
{
	for (uint32_t i = 0; i < m->plan->n_units; i++)
		if (m->units[i].plan->kind == UNIT_SOCKET)
			ACCEPT_FOREACH(&m->units[i].socket, s)
	if (strcmp(s->name, name) == 0)
		return s;
	return NULL;
}

/* Whom MaxConnectionsPerSource= counts: an address, or the user of a unix socket's peer. */
static void
name_source(int fd, char dst[NOTE_SOURCE_MAX])
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	struct sockaddr_storage a = { 0 };
	socklen_t a_len = sizeof(a);
	struct peer peer;

	if (getsockname(fd, (struct sockaddr *)&a, &a_len) == 0 && a.ss_family == AF_UNIX) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
			(void)snprintf(dst, NOTE_SOURCE_MAX, "uid %u", cred.uid);
		return;
	}
	peer_name(fd, &peer);
	(void)snprintf(dst, NOTE_SOURCE_MAX, "%.*s", NOTE_SOURCE_MAX - 1, peer.address);
}

/* "echo@.service" and "7-127.0.0.1:80-10.0.0.1:4711" make one name; too long is cut, as a name
 * for people. */
static void
name_instance(const struct manager *m, struct service *s, int fd)
{
	const char *id = plan_str(m->plan, s->unit->id), *at = strchr(id, '@');
	struct buf b;

	buf_init(&b, s->name, sizeof(s->name));
	(void)buf_printf(&b, "%.*s@", (int)(at ? at - id : (ptrdiff_t)strlen(id)), id);
	peer_instance(fd, s->number, &b);
	(void)buf_puts(&b, ".service");
}

static uint32_t
count_source(const struct socket *k, const char *source)
{
	uint32_t n = 0;

	ACCEPT_FOREACH(k, s)
	n += strcmp(s->source, source) == 0;
	return n;
}

static void
turn_away(struct manager *m, struct socket *k, const char *source, const char *limit, uint32_t n)
{
	/* Once per pause that systemd would make; a flood must not become one of the log. */
	if (clock_usec() - k->turned_usec < USEC_PER_SEC)
		return;
	k->turned_usec = clock_usec();
	log_unit(LOG_LEVEL_WARNING, plan_str(m->plan, k->unit->id),
	    "connection from %s turned away: %s=%u are there", source[0] ? source : "?", limit, n);
}

/* Takes fd. */
static void
accept_connection(struct manager *m, struct socket *k, int connection)
{
	const struct plan_socket *p = &k->unit->socket;
	_cleanup_fd_ int fd = connection;
	char source[NOTE_SOURCE_MAX] = "";
	struct service *s;

	name_source(fd, source);
	if (p->max_connections_per_source > 0 &&
	    count_source(k, source) >= p->max_connections_per_source) {
		turn_away(m, k, source, "MaxConnectionsPerSource", p->max_connections_per_source);
		return;
	}
	s = instance_take(m, k);
	if (!s) {
		turn_away(m, k, source, "MaxConnections", p->max_connections);
		return;
	}
	s->number = k->n_accepted++;
	memcpy(s->source, source, sizeof(s->source));
	name_instance(m, s, fd);
	s->connection = fd_take(&fd);
	m->n_held++;
	service_event(m, s, EVENT_START);
}

void
accept_ready(struct manager *m, struct socket *k, int listener)
{
	for (unsigned i = 0; i < ACCEPTS_PER_WAKE && socket_may_trigger(m, k); i++) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			accept_connection(m, k, fd);
		else if (errno == EAGAIN)
			break;
		else if (errno != ECONNABORTED && errno != EINTR) {
			/* Out of descriptors or memory: it stays in the backlog. */
			socket_pause(m, k, USEC_PER_SEC, strerror(errno));
			break;
		}
	}
	socket_save(m, k);
}
