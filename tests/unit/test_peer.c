/*
 * test_peer.c - launcher/enter/peer.h, over real connections.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "launcher/enter/peer.h"

/* Connects `family` to itself over loopback. Return: the accepted end; *ret_port the client's. */
static int
connect_inet(int family, in_port_t *ret_port, int *ret_client)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_storage mine;
	socklen_t len = sizeof(a);
	const int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket(family, SOCK_STREAM, 0);

	assert_int_equal(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&a, &len), 0);
	a.sin6_addr = in6addr_loopback;
	v4.sin_port = a.sin6_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_INET)
		assert_int_equal(connect(c, (struct sockaddr *)&v4, sizeof(v4)), 0);
	else
		assert_int_equal(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	len = sizeof(mine);
	assert_int_equal(getsockname(c, (struct sockaddr *)&mine, &len), 0);
	*ret_port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&mine)->sin_port
					    : ((struct sockaddr_in6 *)&mine)->sin6_port);
	*ret_client = c;
	return accept(l, NULL, NULL);
}

static void
inet_peers(void **state)
{
	static const struct {
		int family;
		const char *address;
	} cases[] = { { AF_INET, "127.0.0.1" }, { AF_INET6, "::1" } };

	(void)state;
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		in_port_t port;
		struct peer p;
		int client;
		char want[NUM_TEXT_MAX];

		peer_name(connect_inet(cases[i].family, &port, &client), &p);
		assert_string_equal(p.address, cases[i].address); /* v4-mapped as dotted */
		assert_string_equal(p.port, num_format(want, port));
		(void)close(client);
	}
}

static void
unix_peers(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0sallyport-test-peer" };
	const socklen_t len = offsetof(struct sockaddr_un, sun_path) + 20;
	const int server = socket(AF_UNIX, SOCK_STREAM, 0),
		  client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un from = { .sun_family = AF_UNIX, .sun_path = "\0me" };
	struct peer p;

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(
	    bind(client, (struct sockaddr *)&from, offsetof(struct sockaddr_un, sun_path) + 3), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, len), 0);
	peer_name(accept(server, NULL, NULL), &p);
	assert_string_equal(p.address, "@me");
	assert_string_equal(p.port, "");
}

static void
no_peer_no_name(void **state)
{
	int pair[2];
	struct peer p;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer_name(pair[0], &p);
	assert_string_equal(p.address, "");
	peer_name(-1, &p);
	assert_string_equal(p.address, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inet_peers),
		cmocka_unit_test(unix_peers),
		cmocka_unit_test(no_peer_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
