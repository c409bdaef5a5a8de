/*
 * fuzz_notify.c - one sd_notify(3) datagram. Input: number of descriptors, then the text.
 */
#include <assert.h>
#include <string.h>

#include "launcher/manager/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
lies_within(struct span s, const char *text, size_t len)
{
	return s.len == 0 || (s.ptr >= text && s.ptr + s.len <= text + len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct notify n;
	struct why why = { "" };

	if (size < 1)
		return 0;
	if (notify_parse(text, size - 1, data[0] & 3, &n, &why) < 0) {
		assert(why.text[0] != '\0');
		return 0;
	}
	assert(lies_within(n.status, text, size - 1) && lies_within(n.fd_name, text, size - 1));
	assert(!memchr(n.status.ptr ? n.status.ptr : "", '\0', n.status.len));
	if (n.keys & NOTIFY_MAINPID)
		assert(n.main_pid > 1);
	if (n.keys & NOTIFY_FDNAME)
		assert(n.fd_name.len > 0 && n.fd_name.len <= 255);
	if (n.keys & NOTIFY_BARRIER)
		assert(n.keys == NOTIFY_BARRIER && (data[0] & 3) == 1);
	return 0;
}
