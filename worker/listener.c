/*
 * listener.c - see listener.h.
 */
#include "worker/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

static const char *const role_names[ROLE_END] = {
	[ROLE_HTTP] = "http",
	[ROLE_HTTPS] = "https",
	[ROLE_ADMIN] = "admin",
};

const char *
role_name(enum role r)
{
	return role_names[r];
}

static int
role_of(const char *name, enum role *ret)
{
	for (unsigned r = 0; r < ROLE_END; r++) {
		if (strcmp(name, role_names[r]) == 0) {
			*ret = (enum role)r;
			return 0;
		}
	}
	/* What sd_listen_fds_with_names() says when the launcher gave no names at all. */
	if (strcmp(name, "unknown") == 0) {
		*ret = ROLE_HTTP;
		return 0;
	}
	return -EINVAL;
}

static void
listener_name(struct listener *l)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char text[INET6_ADDRSTRLEN] = "?";
	const char *role = role_names[l->role];

	if (getsockname(l->fd, (struct sockaddr *)&ss, &len) < 0) {
		(void)snprintf(l->text, sizeof(l->text), "%s fd %d", role, l->fd);
	} else if (ss.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&ss;

		(void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		(void)snprintf(
		    l->text, sizeof(l->text), "%s %s:%u", role, text, ntohs(in->sin_port));
	} else if (ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&ss;

		(void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		(void)snprintf(
		    l->text, sizeof(l->text), "%s [%s]:%u", role, text, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_un *un = (const void *)&ss;

		/* Cut when long: it is for people. */
		(void)snprintf(l->text, sizeof(l->text), "%s %s%.60s", role,
		    un->sun_path[0] ? "" : "@", un->sun_path[0] ? un->sun_path : un->sun_path + 1);
	}
}

static int
listener_take(struct listener *l, int fd, const char *name, struct why *why)
{
	const int one = 1;
	int flags;

	*l = (struct listener){ .fd = fd };
	if (role_of(name, &l->role) < 0)
		return why_set(why, -EINVAL,
		    "descriptor %d is named \"%s\": FileDescriptorName= must be http, https or "
		    "admin",
		    fd, name);
	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0)
		l->is_unix = true;
	else if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) <= 0)
		return why_set(why, -EINVAL,
		    "descriptor %d (%s) is not a listening stream socket (Accept=no, "
		    "ListenStream=)",
		    fd, name);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return why_set(why, -errno, "descriptor %d (%s): O_NONBLOCK", fd, name);
	/*
	 * Hints, for speed alone: connections inherit the first, which saves a call for each; by the
	 * second the kernel hands over those whose first bytes are there, for HTTP and TLS clients
	 * speak first. NoDelay= and DeferAcceptSec= of the unit do the same.
	 */
	if (!l->is_unix) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof(one));
	}
	listener_name(l);
	return 0;
}

int
listeners_take(struct listeners *l, struct why *why)
{
	char **names = NULL;
	const int n = sd_listen_fds_with_names(1, &names);
	int r = 0;

	l->n = 0;
	if (n < 0)
		return why_set(why, n, "LISTEN_FDS");
	if (n == 0)
		r = why_set(why, -ENOTCONN,
		    "no sockets were handed over (LISTEN_FDS): start this by its .socket unit, by "
		    "\"sallyport run\", or by systemd-socket-activate --fdname=http -l PORT");
	else if (n > LISTENERS_MAX)
		r = why_set(why, -E2BIG, "%d sockets, at most %d", n, LISTENERS_MAX);
	for (int i = 0; r == 0 && i < n; i++) {
		r = listener_take(&l->list[i], SD_LISTEN_FDS_START + i, names[i], why);
		if (r == 0)
			l->n++;
	}
	for (int i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
	return r;
}
