/*
 * sock_options.c - see sock_options.h.
 */
#include "launcher/enter/sock_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static unsigned
family_bit(int family)
{
	switch (family) {
	case AF_INET:
		return SOCK_V4;
	case AF_INET6:
		return SOCK_V6;
	case AF_UNIX:
		return SOCK_UNIX;
	case AF_NETLINK:
		return SOCK_NETLINK;
	}
	return SOCK_PLAIN;
}

/* A buffer reads back doubled (socket(7)); less than asked for means that a sysctl capped it. */
static int
set_option(int fd, const struct sock_option *o, int32_t value)
{
	const int v = value;
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (setsockopt(fd, o->level, o->option, &v, sizeof(v)) < 0)
		return -errno;
	if (!o->force)
		return 0;
	if (getsockopt(fd, o->level, o->option, &granted, &len) == 0 && granted / 2 >= v)
		return 0;
	return setsockopt(fd, o->level, o->force, &v, sizeof(v)) < 0 ? -errno : 0;
}

/* Tuning that was not granted; several are one sentence. */
static void
note(struct why *warn, const char *name, int error)
{
	if (!warn)
		return;
	if (warn->text[0])
		(void)why_prefix(warn, error, "%s= not granted (%s)", name, strerror(-error));
	else
		(void)why_set(warn, error, "%s= not granted", name);
}

static int
set_no_delay(const struct plan_socket *s, int fd)
{
	const int on = 1;

	/* SCTP_NODELAY is 3; <netinet/sctp.h> is not in libc */
	if (setsockopt(fd, s->protocol == IPPROTO_SCTP ? IPPROTO_SCTP : IPPROTO_TCP,
		s->protocol == IPPROTO_SCTP ? 3 : TCP_NODELAY, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

static int
set_text(int fd, int level, int option, const char *text)
{
	return setsockopt(fd, level, option, text, (socklen_t)strlen(text) + 1) < 0 ? -errno : 0;
}

/* What is not one number. */
static void
set_odd_ones(
    const struct plan *p, const struct plan_socket *s, int fd, unsigned family, struct why *warn)
{
	const char *congestion = plan_str(p, s->tcp_congestion);
	const int on = 1;
	int r;

	if (s->no_delay && (family & SOCK_IP)) {
		r = set_no_delay(s, fd);
		if (r < 0)
			note(warn, "NoDelay", r);
	}
	if (s->timestamping.set && s->timestamping.value > 0 &&
	    setsockopt(fd, SOL_SOCKET, s->timestamping.value == 1 ? SO_TIMESTAMP : SO_TIMESTAMPNS,
		&on, sizeof(on)) < 0)
		note(warn, "Timestamping", -errno);
	if (congestion && (family & SOCK_IP)) {
		r = set_text(fd, IPPROTO_TCP, TCP_CONGESTION, congestion);
		if (r < 0)
			note(warn, "TCPCongestion", r);
	}
}

int
sock_options_set(const struct plan *p, const struct plan_socket *s, int fd, int family,
    enum sock_phase phase, struct why *warn, struct why *why)
{
	const unsigned bit = family_bit(family);
	const char *device = plan_str(p, s->bind_to_device);

	if (phase == SOCK_BEFORE_BIND && device && (bit & SOCK_IP)) {
		const int r = set_text(fd, SOL_SOCKET, SO_BINDTODEVICE, device);

		if (r < 0)
			return why_set(why, r, "BindToDevice=%s", device);
	}
	for (size_t i = 0; i < sock_options_count; i++) {
		const struct sock_option *o = &sock_options[i];
		const struct plan_opt *value =
		    (const struct plan_opt *)(const void *)((const char *)s + o->field);
		int r;

		if (o->phase != phase || !value->set || !(o->families & bit))
			continue;
		r = set_option(fd, o, value->value);
		if (r < 0 && o->strict)
			return why_set(why, r, "%s=", o->name);
		if (r < 0)
			note(warn, o->name, r);
	}
	if (phase == SOCK_AFTER_BIND)
		set_odd_ones(p, s, fd, bit, warn);
	return 0;
}
