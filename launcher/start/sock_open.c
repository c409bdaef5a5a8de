/*
 * sock_open.c - see sock_open.h.
 */
#include "launcher/start/sock_open.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "launcher/enter/sock_options.h"
#include "launcher/start/node_open.h"

/* What is being opened: the plan's address, or its IPv4 twin. */
struct opening {
	const struct plan *plan;
	const struct plan_unit *unit;
	const struct plan_listen *listen;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	const char *text; /* for messages */
	struct why *warn;
};

const int sock_types[LISTEN_KIND_END] = {
	[LISTEN_STREAM] = SOCK_STREAM,
	[LISTEN_DGRAM] = SOCK_DGRAM,
	[LISTEN_SEQPACKET] = SOCK_SEQPACKET,
	[LISTEN_NETLINK] = SOCK_RAW,
};

static bool
is_path(const struct opening *o)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&o->addr;

	return o->addr.ss_family == AF_UNIX && un->sun_path[0] == '/';
}

static const char *
path_of(const struct opening *o)
{
	return ((const struct sockaddr_un *)&o->addr)->sun_path;
}

static int
set_options(const struct opening *o, int fd, enum sock_phase phase, struct why *why)
{
	const int on = 1;
	const int r =
	    sock_options_set(o->plan, &o->unit->socket, fd, o->addr.ss_family, phase, o->warn, why);

	if (r < 0)
		return why_prefix(why, r, "%s", o->text);
	/* Always, as systemd: a restart must not wait for old connections to time out. */
	if (phase == SOCK_BEFORE_BIND &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return why_set(why, -errno, "%s: SO_REUSEADDR", o->text);
	return 0;
}

/* The directories above a path, made on the way with DirectoryMode=. */
static int
make_parents(const struct plan_socket *s, const char *full, struct why *why)
{
	char path[PATH_MAX];

	for (const char *p = strchr(full + 1, '/'); p; p = strchr(p + 1, '/')) {
		const size_t n = (size_t)(p - full);

		if (n >= sizeof(path))
			return why_set(why, -ENAMETOOLONG, "%s", full);
		memcpy(path, full, n);
		path[n] = '\0';
		if (mkdir(path, s->directory_mode) < 0 && errno != EEXIST)
			return why_set(why, -errno, "%s: make directory %s", full, path);
	}
	return 0;
}

/* Does anybody answer at the path? A socket file outlives its owner: only a refusal proves that. */
static bool
is_stale(const struct opening *o)
{
	_cleanup_fd_ int fd =
	    socket(AF_UNIX, sock_types[o->listen->kind] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(path_of(o), &st) < 0 || !S_ISSOCK(st.st_mode) || fd < 0)
		return false;
	return connect(fd, (const struct sockaddr *)&o->addr, o->addr_len) < 0 &&
	       errno == ECONNREFUSED;
}

static int
bind_once(const struct opening *o, int fd)
{
	const mode_t old = umask(~o->unit->socket.mode & 0777); /* the mode from birth: no window */
	const int r = bind(fd, (const struct sockaddr *)&o->addr, o->addr_len) < 0 ? -errno : 0;

	(void)umask(old);
	return r;
}

static int
bind_address(const struct opening *o, int fd, struct why *why)
{
	int r;

	if (!is_path(o)) {
		r = bind_once(o, fd);
		return r < 0 ? why_set(why, r, "%s: bind", o->text) : 0;
	}
	r = make_parents(&o->unit->socket, path_of(o), why);
	if (r < 0)
		return r;
	r = bind_once(o, fd);
	if (r == -EADDRINUSE && is_stale(o)) {
		if (unlink(path_of(o)) < 0)
			return why_set(why, -errno, "%s: remove the stale socket", o->text);
		r = bind_once(o, fd);
	}
	if (r == -EADDRINUSE)
		return why_set(why, r, "%s: somebody listens there, or no socket; bind", o->text);
	return r < 0 ? why_set(why, r, "%s: bind", o->text) : 0;
}

/*
 * SocketUser= and SocketGroup=. The directory may be another user's, so the path could be another
 * file by now: only a socket or FIFO with one link is given away, by a descriptor that was looked
 * at.
 */
static int
give_away(const struct opening *o, const char *path, struct why *why)
{
	const struct plan_socket *s = &o->unit->socket;
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (s->uid == (uid_t)-1 && s->gid == (gid_t)-1)
		return 0;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return why_set(why, -errno, "%s: look at what was made", o->text);
	if ((!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode)) || st.st_nlink != 1)
		return why_set(why, -ENOTSOCK, "%s: it was replaced behind our back", o->text);
	if (fchownat(fd, "", s->uid, s->gid, AT_EMPTY_PATH) < 0)
		return why_set(why, -errno, "%s: change owner", o->text);
	return 0;
}

static int
open_one(const struct opening *o, int *ret_fd, struct why *why)
{
	const enum listen_kind kind = o->listen->kind;
	const int protocol =
	    kind == LISTEN_NETLINK ? o->listen->netlink_family : o->unit->socket.protocol;
	_cleanup_fd_ int fd =
	    socket(o->addr.ss_family, sock_types[kind] | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int r;

	if (fd < 0)
		return why_set(why, -errno, "%s: socket", o->text);
	r = set_options(o, fd, SOCK_BEFORE_BIND, why);
	if (r == 0)
		r = bind_address(o, fd, why);
	if (r == 0)
		r = set_options(o, fd, SOCK_AFTER_BIND, why);
	if (r == 0)
		r = is_path(o) ? give_away(o, path_of(o), why) : 0; /* before anybody can connect */
	if (r < 0)
		return r;
	if (kind == LISTEN_STREAM || kind == LISTEN_SEQPACKET) {
		const uint32_t b = o->unit->socket.backlog;

		if (listen(fd, b > INT32_MAX ? INT32_MAX : (int)b) < 0)
			return why_set(why, -errno, "%s: listen", o->text);
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static int
open_node(const struct opening *o, int *ret_fd, struct why *why)
{
	const struct plan_socket *s = &o->unit->socket;
	int r;

	if (o->listen->kind == LISTEN_SPECIAL)
		return node_open_special(s, o->text, ret_fd, why);
	if (o->listen->kind == LISTEN_MESSAGE_QUEUE)
		return node_open_queue(s, o->text, ret_fd, why);
	r = make_parents(&o->unit->socket, o->text, why);
	if (r == 0)
		r = node_open_fifo(o->plan, s, o->text, ret_fd, why);
	return r < 0 ? r : give_away(o, o->text, why);
}

int
sock_open(const struct plan *p, const struct plan_unit *unit, const struct plan_listen *l,
    int *ret_fd, struct why *warn, struct why *why)
{
	struct opening o = { .plan = p,
		.unit = unit,
		.listen = l,
		.addr = l->addr.storage,
		.addr_len = l->addr_len,
		.text = plan_str(p, l->text),
		.warn = warn };
	int r;

	warn->text[0] = '\0';
	if (l->kind == LISTEN_FIFO || l->kind == LISTEN_SPECIAL || l->kind == LISTEN_MESSAGE_QUEUE)
		return open_node(&o, ret_fd, why);
	r = open_one(&o, ret_fd, why);
	/* A bare port means "any address": without IPv6 in the kernel that is 0.0.0.0. */
	if (r == -EAFNOSUPPORT && l->any_family) {
		const struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port =
			    ((const struct sockaddr_in6 *)(const void *)&l->addr)->sin6_port };

		memset(&o.addr, 0, sizeof(o.addr));
		memcpy(&o.addr, &in, sizeof(in));
		o.addr_len = sizeof(in);
		return open_one(&o, ret_fd, why);
	}
	return r;
}

int
sock_symlink(const struct plan_socket *s, const char *path, const char *name, struct why *why)
{
	struct stat st;
	int r = make_parents(s, name, why);

	if (r < 0)
		return r;
	if (lstat(name, &st) == 0 && S_ISLNK(st.st_mode) && unlink(name) < 0)
		return why_set(why, -errno, "%s: remove the old link", name);
	if (symlink(path, name) < 0)
		return why_set(why, -errno, "%s: link to %s", name, path);
	return 0;
}
