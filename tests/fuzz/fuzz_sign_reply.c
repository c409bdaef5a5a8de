/*
 * fuzz_sign_reply.c - any bytes as messages of a signer to a worker with calls under way: whatever
 * comes, the calls that are left are counted right and every answer went to one that was waiting.
 *
 * The input is a sequence of messages, each behind its length in two bytes.
 */
#include <assert.h>
#include <string.h>

#include "worker/tls/keyd_client.h"

#define CALLS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_answers;

static void
fuzz_on_answer(void *arg)
{
	struct keyd_call *call = arg;

	assert(call->finished && call->id == 0);
	n_answers++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[SIGN_KEY_ID_BYTES] = { 1 };
	static struct keyd_client client;
	struct keyd_call calls[CALLS];

	keyd_client_init(&client, "/nonexistent");
	client.list_id = 0x80000001;
	n_answers = 0;
	for (unsigned i = 0; i < CALLS; i++) {
		calls[i] = (struct keyd_call){ .done = fuzz_on_answer, .arg = &calls[i] };
		assert(keyd_call_start(&client, &calls[i], key, 0x0807, key, 1) == 0);
		calls[i].prev->next = calls[i].next; /* as if it had been sent */
		calls[i].next->prev = calls[i].prev;
		calls[i].queued = false;
	}
	while (size >= 2) {
		const size_t len = (size_t)(data[0] | data[1] << 8);
		union sign_msg m;
		const size_t have = size - 2 < len ? size - 2 : len;

		memset(&m, 0xee, sizeof(m));
		memcpy(&m, data + 2, have < sizeof(m) ? have : sizeof(m));
		if (keyd_client_take(&client, &m, have) < 0)
			break;
		client.list_id = client.list_owed ? 0x80000001 : client.list_id;
		data += 2 + have;
		size -= 2 + have;
	}
	assert(client.n_calls + n_answers == CALLS);
	assert(client.n_keys <= SIGN_KEYS_MAX && client.n_fresh <= SIGN_KEYS_MAX);
	keyd_client_done(&client);
	assert(n_answers == CALLS);
	return 0;
}
