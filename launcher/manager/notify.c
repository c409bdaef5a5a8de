/*
 * notify.c - see notify.h.
 */
#include "launcher/manager/notify.h"

#include "common/num.h"

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none (RFC 3629 section 4). */
static size_t
utf8_sequence(const unsigned char *p, size_t len)
{
	const unsigned char low[] = { 0x80, 0xa0, 0x80, 0x90, 0x80 };
	const unsigned char high[] = { 0xbf, 0xbf, 0x9f, 0xbf, 0x8f };
	size_t need, bound = 0;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	bound = p[0] == 0xe0 ? 1 : p[0] == 0xed ? 2 : p[0] == 0xf0 ? 3 : p[0] == 0xf4 ? 4 : 0;
	if (need > len || p[1] < low[bound] || p[1] > high[bound])
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

/* One line that a terminal can be shown. */
static bool
text_is_clean(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len;) {
		const size_t n = utf8_sequence(p + i, s.len - i);

		if (n == 0 || p[i] == 0x7f || (p[i] < 0x20 && p[i] != '\t'))
			return false;
		i += n;
	}
	return true;
}

/* sd_notify(3): FDNAME= is at most 255 bytes of ASCII without control bytes and ':'. */
static bool
fd_name_is_valid(struct span s)
{
	if (s.len == 0 || s.len > 255)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 0x20 || s.ptr[i] >= 0x7f || s.ptr[i] == ':')
			return false;
	return true;
}

/* How a value becomes a field; false: leave the key out. */
static bool
value_one(struct span v, struct notify *n)
{
	(void)n;
	return span_equal(v, "1");
}

static bool
value_status(struct span v, struct notify *n)
{
	if (!text_is_clean(v))
		return false;
	n->status = v;
	return true;
}

static bool
value_pid(struct span v, struct notify *n)
{
	uint64_t x;

	if (num_parse(v, 10, 2, INT32_MAX, &x) < 0)
		return false;
	n->main_pid = (pid_t)x;
	return true;
}

static bool
value_errno(struct span v, struct notify *n)
{
	uint64_t x;

	if (num_parse(v, 10, 0, 4095, &x) < 0)
		return false;
	n->error = (int)x;
	return true;
}

static bool
value_watchdog_usec(struct span v, struct notify *n)
{
	return num_parse(v, 10, 0, UINT64_MAX, &n->watchdog_usec) == 0;
}

static bool
value_extend(struct span v, struct notify *n)
{
	return num_parse(v, 10, 0, UINT64_MAX, &n->extend_usec) == 0;
}

static bool
value_monotonic(struct span v, struct notify *n)
{
	return num_parse(v, 10, 0, UINT64_MAX, &n->monotonic_usec) == 0;
}

static bool
value_fd_name(struct span v, struct notify *n)
{
	if (!fd_name_is_valid(v))
		return false;
	n->fd_name = v;
	return true;
}

static bool
value_watchdog(struct span v, struct notify *n)
{
	if (!span_equal(v, "trigger"))
		return span_equal(v, "1");
	n->keys |= NOTIFY_WATCHDOG_TRIGGER;
	return true;
}

static bool
value_any(struct span v, struct notify *n)
{
	(void)v;
	(void)n;
	return true;
}

static const struct {
	const char *name;
	enum notify_key key;
	bool (*take)(struct span value, struct notify *n);
} notify_keys[] = {
	{ "READY", NOTIFY_READY, value_one },
	{ "RELOADING", NOTIFY_RELOADING, value_one },
	{ "STOPPING", NOTIFY_STOPPING, value_one },
	{ "STATUS", NOTIFY_STATUS, value_status },
	{ "MAINPID", NOTIFY_MAINPID, value_pid },
	{ "ERRNO", NOTIFY_ERRNO, value_errno },
	{ "WATCHDOG", NOTIFY_WATCHDOG, value_watchdog },
	{ "WATCHDOG_USEC", NOTIFY_WATCHDOG_USEC, value_watchdog_usec },
	{ "EXTEND_TIMEOUT_USEC", NOTIFY_EXTEND_TIMEOUT, value_extend },
	{ "MONOTONIC_USEC", NOTIFY_MONOTONIC, value_monotonic },
	{ "FDSTORE", NOTIFY_FDSTORE, value_one },
	{ "FDSTOREREMOVE", NOTIFY_FDSTOREREMOVE, value_one },
	{ "FDNAME", NOTIFY_FDNAME, value_fd_name },
	{ "BARRIER", NOTIFY_BARRIER, value_one },
	{ "RESTART_RESET", NOTIFY_RESTART_RESET, value_one },
	{ "EXIT_STATUS", NOTIFY_EXIT_STATUS, value_any },
};

static void
take_line(struct span line, struct notify *n)
{
	const char *eq = memchr(line.ptr, '=', line.len);
	struct span name, value;

	if (!eq)
		return;
	name = (struct span){ line.ptr, (size_t)(eq - line.ptr) };
	value = (struct span){ eq + 1, line.len - name.len - 1 };
	for (size_t i = 0; i < ELEMENTSOF(notify_keys); i++)
		if (span_equal(name, notify_keys[i].name) && notify_keys[i].take(value, n))
			n->keys |= notify_keys[i].key;
}

int
notify_parse(const char *text, size_t len, size_t n_fds, struct notify *ret, struct why *why)
{
	struct notify n = { 0 };
	size_t lines = 0;

	if (len > 0 && text[len - 1] == '\0')
		len--; /* clients that send the C string's NUL are common */
	if (len == 0 || len > NOTIFY_BYTES_MAX)
		return why_set(why, -EBADMSG, "notify: %zu bytes", len);
	if (memchr(text, '\0', len))
		return why_set(why, -EBADMSG, "notify: a NUL inside");
	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		const struct span line = { text, nl ? (size_t)(nl - text) : len };

		if (line.len > 0)
			lines++;
		take_line(line, &n);
		text += line.len + (nl ? 1 : 0);
		len -= line.len + (nl ? 1 : 0);
	}
	if ((n.keys & NOTIFY_BARRIER) && (lines != 1 || n_fds != 1))
		return why_set(why, -EBADMSG, "notify: BARRIER=1 with %zu lines, %zu descriptors",
		    lines, n_fds);
	*ret = n;
	return 0;
}
