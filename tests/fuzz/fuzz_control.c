/*
 * fuzz_control.c - either end of the control socket: a request, and the same bytes as a reply.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "launcher/manager/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request q;
	struct control_reply_head h;
	const char *text;
	struct why why = { "" };

	if (control_check(data, size, &q, &why) == 0) {
		assert(q.verb < CONTROL_VERB_END && memchr(q.unit, '\0', sizeof(q.unit)));
		assert(!strchr(q.unit, '/'));
		assert(q.verb == CONTROL_KILL ? q.signo > 0 && q.signo <= SIGRTMAX : q.signo == 0);
	} else {
		assert(why.text[0] != '\0');
	}
	if (control_check_reply(data, size, &h, &text, &why) == 0)
		assert((const uint8_t *)text + h.n == data + size && h.error >= 0);
	return 0;
}
