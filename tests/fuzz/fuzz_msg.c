/*
 * fuzz_msg.c - either end's view of a message between the halves: whatever is accepted must be
 * accepted again as it was returned, and hold only what its reader may rely on.
 * Input: one byte state, one byte number of descriptors, then the message.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "launcher/enter/enter.h"
#include "launcher/monitor/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum msg_state state;
	struct msg m, again;
	struct why why = { "" };
	size_t n_fds;

	if (size < 2)
		return 0;
	state = (enum msg_state)(1u << (data[0] & 3));
	n_fds = data[1] & 3;
	if (msg_check(data + 2, size - 2, n_fds, state, &m, &why) < 0) {
		assert(why.text[0] != '\0');
		return 0;
	}
	assert(size - 2 == sizeof(m) && m.version == MSG_VERSION && m.pid >= 0);
	/* The direction is in the number: a request never passes as an event. */
	assert((m.type & 1) == (state == MSG_STATE_NEW || state == MSG_STATE_UP));
	assert(n_fds == (m.type == MSG_START && m.flags ? 1 : 0));
	if (m.type == MSG_START)
		assert(m.result < RESULT_END && m.status >= 0 && m.status <= 255);
	if (m.type == MSG_SIGNAL)
		assert(m.signo > 0 && m.signo <= SIGRTMAX && m.instance.generation != 0);
	assert(msg_check(&m, sizeof(m), n_fds, state, &again, &why) == 0);
	assert(memcmp(&m, &again, sizeof(m)) == 0);
	return 0;
}
