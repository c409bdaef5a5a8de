/*
 * client.c - see client.h.
 * Runs as: whoever calls an operator's verb.
 */
#include "launcher/ctl/client.h"

#include <sys/un.h>

#include "common/fdpass.h"
#include "common/num.h"

/* How many managers may die over one request. */
#define ASK_TRIES 5u

int
ctl_connect(const char *runtime_dir, struct ucred *ret_monitor, struct why *why)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(*ret_monitor);
	struct buf path;

	if (fd < 0)
		return why_set(why, -errno, "socket");
	buf_init(&path, a.sun_path, sizeof(a.sun_path));
	(void)buf_printf(&path, "%s/%s", runtime_dir, CONTROL_SOCKET);
	if (path.failed)
		return why_set(why, -ENAMETOOLONG, "%s", runtime_dir);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return why_set(why, -errno, "%s: is a launcher running?", a.sun_path);
	if (ret_monitor && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_monitor, &len) < 0)
		return why_set(why, -errno, "%s: who listens", a.sun_path);
	return fd_take(&fd);
}

int
ctl_request(enum control_verb verb, const char *unit, struct control_request *ret, struct why *why)
{
	const bool plain = unit[0] && !str_ends(unit, ".service") && !str_ends(unit, ".socket");
	struct buf name;

	*ret = (struct control_request){ .version = CONTROL_VERSION, .verb = verb };
	buf_init(&name, ret->unit, sizeof(ret->unit));
	(void)buf_printf(&name, "%s%s", unit, plain ? ".service" : "");
	if (name.failed)
		return why_set(why, -ENAMETOOLONG, "%s", unit);
	return 0;
}

/* The launcher's own socket blocks: a job may take its time. */
static int
ctl_receive(int sock, char *packet, size_t size, size_t *ret_len, struct why *why)
{
	ssize_t n;

	do
		n = recv(sock, packet, size, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return why_set(why, -errno, "receive");
	if (n == 0)
		return why_set(why, -ECONNRESET, "the manager hung up");
	if ((size_t)n > size)
		return why_set(why, -EPROTO, "reply of %zd bytes", n);
	*ret_len = (size_t)n;
	return 0;
}

int
ctl_ask(int sock, const struct control_request *q, void (*each)(void *arg, struct span text),
    void *arg, struct why *why)
{
	int r = fdpass_send(sock, q, sizeof(*q), NULL, 0);

	if (r < 0)
		return why_set(why, r == -EPIPE ? -ECONNRESET : r, "send");
	for (;;) {
		char packet[CONTROL_PACKET_MAX];
		struct control_reply_head head = { 0 };
		const char *text = NULL;
		size_t len = 0;

		r = ctl_receive(sock, packet, sizeof(packet), &len, why);
		if (r == 0)
			r = control_check_reply(packet, len, &head, &text, why);
		if (r < 0)
			return r;
		if (head.kind == CONTROL_REPLY_UNIT) {
			if (each)
				each(arg, (struct span){ text, head.n });
			continue;
		}
		if (head.error != 0)
			(void)why_set(why, 0, "%.*s", (int)head.n, text);
		return head.error;
	}
}

/* Was anything heard before the manager died? */
struct ctl_counter {
	void (*each)(void *arg, struct span text);
	void *arg;
	unsigned n;
};

static void
ctl_count(void *arg, struct span text)
{
	struct ctl_counter *c = arg;

	c->n++;
	if (c->each)
		c->each(c->arg, text);
}

int
ctl_ask_once(const char *runtime_dir, const struct control_request *q,
    void (*each)(void *arg, struct span text), void *arg, struct why *why)
{
	/* Asking twice for these is asking once. */
	const bool again = q->verb == CONTROL_SHOW || q->verb == CONTROL_START ||
			   q->verb == CONTROL_STOP || q->verb == CONTROL_RESET_FAILED;
	struct ctl_counter counter = { each, arg, 0 };
	int r = -ECONNRESET;

	for (unsigned i = 0; i < ASK_TRIES && r == -ECONNRESET && counter.n == 0; i++) {
		_cleanup_fd_ int sock = ctl_connect(runtime_dir, NULL, why);

		r = sock < 0 ? sock : ctl_ask(sock, q, ctl_count, &counter, why);
		if (!again)
			break;
	}
	return r;
}

bool
ctl_next(struct span *text, struct span *ret_key, struct span *ret_value)
{
	while (text->len > 0) {
		const char *nl = memchr(text->ptr, '\n', text->len);
		const struct span line = { text->ptr, nl ? (size_t)(nl - text->ptr) : text->len };
		const char *eq = memchr(line.ptr, '=', line.len);

		text->ptr += line.len + (nl ? 1 : 0);
		text->len -= line.len + (nl ? 1 : 0);
		if (!eq)
			continue;
		*ret_key = (struct span){ line.ptr, (size_t)(eq - line.ptr) };
		*ret_value = (struct span){ eq + 1, line.len - ret_key->len - 1 };
		return true;
	}
	return false;
}

bool
ctl_value(struct span text, const char *key, struct span *ret)
{
	struct span k, v;

	while (ctl_next(&text, &k, &v))
		if (span_equal(k, key)) {
			*ret = v;
			return true;
		}
	return false;
}

const char *
ctl_text(struct span text, const char *key, char *dst, size_t size)
{
	struct span v = { "", 0 };

	if (!ctl_value(text, key, &v) || v.len >= size)
		v.len = 0;
	memcpy(dst, v.ptr, v.len);
	dst[v.len] = '\0';
	return dst;
}

uint64_t
ctl_number(struct span text, const char *key)
{
	struct span v;
	uint64_t n = 0;

	if (!ctl_value(text, key, &v) || num_parse(v, 10, 0, UINT64_MAX, &n) < 0)
		return 0;
	return n;
}
