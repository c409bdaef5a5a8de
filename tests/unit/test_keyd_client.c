/*
 * test_keyd_client.c - worker/tls/keyd_client.h against a signer played by the test: lists that
 * change in the middle, a connection that dies with signatures in flight, replies that are wrong.
 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "worker/tls/keyd_client.h"

static char dir[] = "/tmp/sp-keyd-XXXXXX";
static char path[64];
static int listener = -1, peer = -1;
static struct keyd_client client;
static unsigned n_lists;

static void
on_keys(void *arg)
{
	(void)arg;
	n_lists++;
}

static int
setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sign", dir);
	memcpy(un.sun_path, path, strlen(path) + 1);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(listener, (const struct sockaddr *)&un, sizeof(un)) < 0 || listen(listener, 8) < 0)
		return -1;
	keyd_client_init(&client, path);
	client.on_keys = on_keys;
	n_lists = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	keyd_client_done(&client);
	peer = fd_close(peer);
	listener = fd_close(listener);
	return unlink(path);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
accept_client(void)
{
	(void)keyd_client_tick(&client, client.retry_usec);
	assert_int_equal(client.state, KEYD_UP);
	peer = fd_close(peer);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer >= 0);
}

/* What the client has sent next. */
static union sign_msg
next_request(int want)
{
	union sign_msg m;
	const ssize_t n = recv(peer, &m, sizeof(m), MSG_DONTWAIT);

	assert_true(n > 0);
	assert_int_equal(sign_check(SIGN_FROM_WORKER, &m, (size_t)n), want);
	return m;
}

static void
nothing_was_asked(void)
{
	union sign_msg m;

	assert_int_equal(recv(peer, &m, sizeof(m), MSG_DONTWAIT), -1);
}

static void
send_key(uint32_t id, uint64_t generation, unsigned index, unsigned total, uint8_t fill)
{
	union sign_msg m;
	const size_t len = sign_begin(&m, SIGN_KEY, id);

	m.key.generation = generation;
	m.key.index = index;
	m.key.total = total;
	if (index < total) {
		m.key.kind = SIGN_KIND_ED25519;
		m.key.spki_len = 44;
		memset(m.key.key, fill, sizeof(m.key.key));
	}
	assert_int_equal(send(peer, &m, len, 0), len);
	keyd_client_step(&client, 1000);
}

static void
send_signature(uint32_t id, uint8_t fill)
{
	union sign_msg m;
	const size_t len = sign_begin(&m, SIGN_SIGNATURE, id);

	m.signature.sig_len = 64;
	memset(m.signature.sig, fill, 64);
	assert_int_equal(send(peer, &m, len, 0), len);
	keyd_client_step(&client, 1000);
}

static void
list_one_key(void)
{
	send_key(next_request(SIGN_LIST).head.id, 1, 0, 1, 7);
	assert_int_equal(client.n_keys, 1);
}

static void
start_call(struct keyd_call *call, uint8_t tag)
{
	static const uint8_t id[SIGN_KEY_ID_BYTES] = { 1 };

	*call = (struct keyd_call){ .arg = NULL };
	assert_int_equal(keyd_call_start(&client, call, id, 0x0807, &tag, 1), 0);
	keyd_client_flush(&client);
}

static void
a_list_that_changes_in_the_middle_is_begun_anew(void **state)
{
	static const uint8_t second[SIGN_KEY_ID_BYTES] = { [0 ... SIGN_KEY_ID_BYTES - 1] = 9 };

	(void)state;
	accept_client();
	send_key(next_request(SIGN_LIST).head.id, 1, 0, 2, 7);
	assert_int_equal(n_lists, 0);
	send_key(next_request(SIGN_LIST).head.id, 2, 1, 2, 8); /* of another generation */
	send_key(next_request(SIGN_LIST).head.id, 2, 0, 1, 9);
	assert_int_equal(n_lists, 1);
	assert_int_equal(client.n_keys, 1);
	assert_non_null(keyd_client_key(&client, second));
}

static void
a_change_is_listed_again_and_told_only_if_it_is_one(void **state)
{
	union sign_msg m;
	size_t len;

	(void)state;
	accept_client();
	list_one_key();
	for (unsigned i = 0; i < 2; i++) {
		len = sign_begin(&m, SIGN_CHANGED, 0);
		m.changed.generation = 5;
		assert_int_equal(send(peer, &m, len, 0), len);
		keyd_client_step(&client, 1000);
		send_key(next_request(SIGN_LIST).head.id, 5, 0, 1, i == 0 ? 7 : 8);
		assert_int_equal(n_lists, i == 0 ? 1 : 2);
	}
}

static void
answers_find_their_calls_in_any_order(void **state)
{
	struct keyd_call a, b;
	uint32_t id_a, id_b;

	(void)state;
	accept_client();
	list_one_key();
	start_call(&a, 'a');
	start_call(&b, 'b');
	id_a = next_request(SIGN_SIGN).head.id;
	id_b = next_request(SIGN_SIGN).head.id;
	send_signature(id_b, 'B');
	assert_false(a.finished);
	assert_true(b.finished);
	send_signature(id_b, 'X'); /* a second answer to the same */
	send_signature(id_a, 'A');
	assert_true(a.finished);
	assert_int_equal(a.reply.sig[0], 'A');
	assert_int_equal(b.reply.sig[0], 'B');
	assert_int_equal(client.n_calls, 0);
	assert_int_equal(client.state, KEYD_UP);
}

static void
a_restart_of_the_signer_loses_no_call(void **state)
{
	struct keyd_call a, b, c;

	(void)state;
	accept_client();
	list_one_key();
	start_call(&a, 'a');
	start_call(&b, 'b');
	send_signature(next_request(SIGN_SIGN).head.id, 'A');
	assert_true(a.finished);
	peer = fd_close(peer);
	keyd_client_step(&client, 1000);
	assert_int_equal(client.state, KEYD_DOWN);
	start_call(&c, 'c'); /* while there is no signer */
	accept_client();
	list_one_key();
	assert_int_equal(n_lists, 1); /* the same keys: nothing to tell */
	send_signature(next_request(SIGN_SIGN).head.id, 'B');
	send_signature(next_request(SIGN_SIGN).head.id, 'C');
	assert_true(b.finished && c.finished);
	nothing_was_asked();
}

static void
a_cancelled_call_may_be_answered_late(void **state)
{
	struct keyd_call a, b;
	uint32_t late;

	(void)state;
	accept_client();
	list_one_key();
	start_call(&a, 'a');
	late = next_request(SIGN_SIGN).head.id;
	keyd_call_cancel(&client, &a);
	start_call(&b, 'b');
	send_signature(late, 'A');
	assert_false(a.finished);
	assert_false(b.finished);
	send_signature(next_request(SIGN_SIGN).head.id, 'B');
	assert_true(b.finished);
	keyd_call_cancel(&client, &b); /* harmless now */
	assert_int_equal(client.n_calls, 0);
}

static void
a_wrong_reply_ends_the_connection_and_nothing_else(void **state)
{
	struct keyd_call a;
	union sign_msg m;

	(void)state;
	accept_client();
	list_one_key();
	start_call(&a, 'a');
	m = next_request(SIGN_SIGN);
	assert_true(send(peer, &m, sizeof(m.sign), 0) > 0); /* a request, not a reply */
	keyd_client_step(&client, 1000);
	assert_int_equal(client.state, KEYD_DOWN);
	assert_int_equal(client.n_bad_replies, 1);
	assert_true(client.retry_usec > 1000);
	assert_false(a.finished);
	accept_client();
	list_one_key();
	send_signature(next_request(SIGN_SIGN).head.id, 'A');
	assert_true(a.finished);
}

static void
more_than_fit_are_refused_and_a_full_socket_is_waited_for(void **state)
{
	static struct keyd_call calls[KEYD_CALLS_MAX + 1];
	static const uint8_t id[SIGN_KEY_ID_BYTES] = { 1 };
	unsigned n = 0;

	(void)state;
	accept_client();
	list_one_key();
	for (unsigned i = 0; i < KEYD_CALLS_MAX; i++)
		start_call(&calls[i], 'x');
	assert_int_equal(
	    keyd_call_start(&client, &calls[KEYD_CALLS_MAX], id, 1, (const uint8_t *)"x", 1),
	    -EBUSY);
	assert_int_equal(keyd_client_want(&client), 3);
	while (client.n_calls > 0) {
		send_signature(next_request(SIGN_SIGN).head.id, 'A');
		n++;
	}
	assert_int_equal(n, KEYD_CALLS_MAX);
	assert_int_equal(keyd_client_want(&client), 1);
}

static void
no_signer_is_asked_for_less_and_less_often(void **state)
{
	uint64_t now = 1000, last = 0;

	(void)state;
	listener = fd_close(listener);
	for (int i = 0; i < 10; i++) {
		const uint64_t again = keyd_client_tick(&client, now);

		assert_int_equal(client.state, KEYD_DOWN);
		assert_true(again - now >= last && again - now <= 1000000);
		last = again - now;
		now = again;
	}
	assert_int_equal(last, 1000000);
	assert_int_equal(client.last_error, -ECONNREFUSED);
}

int
main(void)
{
#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(a_list_that_changes_in_the_middle_is_begun_anew),
		CLIENT_TEST(a_change_is_listed_again_and_told_only_if_it_is_one),
		CLIENT_TEST(answers_find_their_calls_in_any_order),
		CLIENT_TEST(a_restart_of_the_signer_loses_no_call),
		CLIENT_TEST(a_cancelled_call_may_be_answered_late),
		CLIENT_TEST(a_wrong_reply_ends_the_connection_and_nothing_else),
		CLIENT_TEST(more_than_fit_are_refused_and_a_full_socket_is_waited_for),
		CLIENT_TEST(no_signer_is_asked_for_less_and_less_often),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
