/*
 * test_conn.c - worker/conn.h without sockets: a transport of our own hands out bytes as the test
 * likes, takes as few as it likes, and the answers must come whole and in order.
 */
#include "tests/unit/unit.h"

#include "worker/conn.h"

struct wire {
	const char *in;
	size_t in_len, in_at, in_step; /* bytes per read; then EAGAIN once */
	bool in_pause, eof;
	char out[1 << 18];
	size_t out_len, out_step;
	bool out_pause, closed, finished;
};

static struct wire wire;
static struct conn_env env;
static unsigned requests, reports;
static char large[100000];

static ssize_t
wire_read(struct transport *t, void *dst, size_t len)
{
	size_t n = wire.in_len - wire.in_at;

	t->want = WANT_READ;
	if (n == 0)
		return wire.eof ? 0 : -EAGAIN;
	wire.in_pause = !wire.in_pause;
	if (wire.in_step > 0 && !wire.in_pause)
		return -EAGAIN;
	if (wire.in_step > 0 && n > wire.in_step)
		n = wire.in_step;
	if (n > len)
		n = len;
	memcpy(dst, wire.in + wire.in_at, n);
	wire.in_at += n;
	return (ssize_t)n;
}

static ssize_t
wire_writev(struct transport *t, const struct iovec *iov, int n, bool more)
{
	size_t room = wire.out_step > 0 ? wire.out_step : sizeof(wire.out), done = 0;

	(void)more;
	t->want = WANT_WRITE;
	wire.out_pause = !wire.out_pause;
	if (wire.out_step > 0 && !wire.out_pause)
		return -EAGAIN;
	for (int i = 0; i < n && room > 0; i++) {
		const size_t k = iov[i].iov_len < room ? iov[i].iov_len : room;

		assert_true(wire.out_len + k <= sizeof(wire.out));
		memcpy(wire.out + wire.out_len, iov[i].iov_base, k);
		wire.out_len += k;
		room -= k;
		done += k;
	}
	return (ssize_t)done;
}

static void
wire_finish(struct transport *t)
{
	(void)t;
	wire.finished = true;
}

static void
wire_close(struct transport *t)
{
	(void)t;
	wire.closed = true;
}

static const struct transport_ops wire_ops = {
	.name = "wire",
	.read = wire_read,
	.writev = wire_writev,
	.finish = wire_finish,
	.close = wire_close,
};

/* Answers with the path; "/large" with 100,000 bytes that do not fit the buffer. */
static void
respond(void *arg, const struct request *r, int64_t now, struct answer *a)
{
	(void)arg;
	(void)now;
	requests++;
	a->status = 200;
	a->head_only = r->method == METHOD_HEAD;
	a->n_body = 1;
	if (span_equal(r->path, "/large")) {
		a->one = (struct stretch){ large, 0, sizeof(large) };
	} else {
		a->many = malloc(r->path.len + 1);
		assert_non_null(a->many);
		memcpy(a->many, r->path.ptr, r->path.len);
		a->one = (struct stretch){ a->many, 0, r->path.len };
	}
	a->length = a->one.len;
}

static void
respond_error(void *arg, unsigned status, struct answer *a)
{
	(void)arg;
	a->status = (uint16_t)status;
	a->close = true;
}

static void
finished(void *arg, const struct exchange *x)
{
	(void)arg;
	(void)x;
	reports++;
}

static void
start(struct conn *c, const char *in, size_t in_step, size_t out_step)
{
	static struct conn_stats stats;
	const struct transport t = { .ops = &wire_ops, .fd = -1 };
	const struct peer peer = { .port = 1 };

	memset(&wire, 0, sizeof(wire));
	memset(&env, 0, sizeof(env));
	memset(&stats, 0, sizeof(stats));
	memset(large, 'L', sizeof(large));
	requests = reports = 0;
	wire.in = in;
	wire.in_len = strlen(in);
	wire.in_step = in_step;
	wire.out_step = out_step;
	env.limits = (struct conn_limits){ { 4096, 8192, 50 }, 1000, 0, 100 };
	env.respond = respond;
	env.respond_error = respond_error;
	env.finished = finished;
	env.stats = &stats;
	dateline_set(&env.date, 784111777);
	conn_init(c, &env, &t, &peer);
}

/* Steps until the connection is over or idles with nothing to read. Return: the last result. */
static int
run(struct conn *c)
{
	int want = 0;

	for (int i = 0; i < 1000000; i++) {
		want = conn_step(c);
		if (want == CONN_OVER)
			return want;
		if (want == WANT_READ && wire.in_at == wire.in_len && !wire.eof)
			return want;
	}
	fail_msg("does not come to an end");
	return want;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static const char pipeline[] =
    GET("/a") GET("/large") "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n"
			    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
			    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
			    "chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n" GET("/d");

static void
any_cut_of_bytes_gives_the_same_answers(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 61, 1000, 0 };
	static char want[sizeof(wire.out)];
	size_t want_len;
	struct conn c;

	(void)state;
	start(&c, pipeline, 0, 0);
	assert_int_equal(run(&c), WANT_READ);
	assert_true(conn_is_idle(&c));
	want_len = wire.out_len;
	memcpy(want, wire.out, want_len);
	assert_int_equal(requests, 6);
	assert_int_equal(reports, 6);
	conn_done(&c);
	for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
		for (size_t k = 0; k < ELEMENTSOF(steps); k++) {
			start(&c, pipeline, steps[i], steps[k]);
			assert_int_equal(run(&c), WANT_READ);
			if (wire.out_len != want_len || memcmp(wire.out, want, want_len) != 0)
				fail_msg("reads of %zu, writes of %zu", steps[i], steps[k]);
			assert_int_equal(reports, 6);
			assert_true(conn_is_idle(&c)); /* and holds no buffer */
			assert_null(c.held);
			conn_done(&c);
		}
	}
}

static void
a_refused_request_ends_the_connection(void **state)
{
	struct conn c;

	(void)state;
	start(&c, GET("/a") "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET("/never"), 0, 0);
	wire.eof = true;
	assert_int_equal(run(&c), CONN_OVER);
	assert_int_equal(requests, 1);
	assert_true(wire.finished);
	wire.out[wire.out_len] = '\0';
	assert_non_null(strstr(wire.out, "HTTP/1.1 400 Bad Request\r\n"));
	assert_null(strstr(wire.out, "/never"));
	conn_done(&c);
	assert_true(wire.closed);
}

static void
draining_makes_each_answer_the_last(void **state)
{
	struct conn c;

	(void)state;
	start(&c, GET("/a") GET("/b"), 0, 0);
	env.draining = true;
	wire.eof = true;
	assert_int_equal(run(&c), CONN_OVER);
	assert_int_equal(requests, 1);
	wire.out[wire.out_len] = '\0';
	assert_non_null(strstr(wire.out, "Connection: close\r\n"));
	conn_done(&c);
}

static void
a_time_limit_says_408_to_half_a_request_only(void **state)
{
	struct conn c;

	(void)state;
	start(&c, "GET / HTT", 0, 0);
	assert_int_equal(run(&c), WANT_READ);
	assert_int_equal(c.patience, PATIENCE_HEAD);
	wire.eof = true;
	assert_int_equal(conn_timeout(&c), CONN_OVER);
	wire.out[wire.out_len] = '\0';
	assert_non_null(strstr(wire.out, "408"));
	conn_done(&c);
	start(&c, GET("/a"), 0, 0);
	assert_int_equal(run(&c), WANT_READ);
	assert_int_equal(c.patience, PATIENCE_IDLE);
	wire.out_len = 0;
	assert_int_equal(conn_timeout(&c), CONN_OVER);
	assert_int_equal(wire.out_len, 0);
	conn_done(&c);
}

static void
what_a_connection_held_is_freed_in_the_middle(void **state)
{
	struct conn c;

	(void)state;
	/* Ended while its answer, whose body is on the heap, waits to be taken: ASan looks. */
	start(&c, GET("/some/longer/path/than/the/rest"), 0, 1);
	(void)conn_step(&c);
	(void)conn_step(&c);
	assert_non_null(c.held);
	conn_done(&c);
	assert_null(c.held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_of_bytes_gives_the_same_answers),
		cmocka_unit_test(a_refused_request_ends_the_connection),
		cmocka_unit_test(draining_makes_each_answer_the_last),
		cmocka_unit_test(a_time_limit_says_408_to_half_a_request_only),
		cmocka_unit_test(what_a_connection_held_is_freed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
