/*
 * load.c - asks a server for more, as soon as it has answered or at a fixed rate, and costs less than
 * any server does: so the server is what is short of time, and what it costs is the cost of work, not
 * of falling asleep and being woken.
 * Usage: load [-r PER_SECOND] [-c] [-w] [-t SEED] [-H FIELD]... PORT PATH CONNECTIONS SECONDS
 *   -r  at this rate, whatever the answers do; prints how long they took, each counted from when it was
 *       due and not from when a connection was free for it: a server that stops for a while cannot hide
 *       it by having been asked less
 *   -c  a new connection for each request
 *   -w  says "open" when all are connected, begins at a line of input, and ends at the end of it
 *   -t  a random digit for each '#' in PATH
 *   -H  one more field line
 * Prints: requests, answers that are neither 2xx nor 3xx; with -r p50, p99 and p99.9 in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define ADDRESSES 64 /* that we come from: with -c one would run out of ports */
#define REQUEST_MAX 4096
#define HEAD_MAX 8192

struct load_conn {
	int fd, next; /* next: of those that are free */
	uint64_t due; /* of the request that is under way */
	size_t got, want; /* bytes of the answer; want 0: its head is not there yet */
	char head[HEAD_MAX];
};

static struct load_conn *conns;
static int ep, port, n_conns, free_conn = -1;
static bool each_anew, waits;
static const char *path, *fields[16];
static size_t n_fields;
static unsigned seed;
static size_t n_answers, n_bad;
static uint32_t *times; /* or NULL */
static size_t n_times;

static uint64_t
load_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
load_die(const char *what)
{
	perror(what);
	exit(1);
}

/* The request, made once; with -t its digits are drawn anew. Return: its length. */
static size_t
load_request(const char **ret)
{
	static char text[REQUEST_MAX];
	static size_t len;

	if (len == 0) {
		len = (size_t)snprintf(
		    text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, port);
		for (size_t i = 0; i < n_fields; i++)
			len +=
			    (size_t)snprintf(text + len, sizeof(text) - len, "%s\r\n", fields[i]);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
		if (len >= sizeof(text))
			exit(2);
	}
	for (const char *p = seed ? strchr(path, '#') : NULL; p; p = strchr(p + 1, '#')) {
		seed = seed * 1103515245u + 12345u;
		text[4 + (p - path)] = (char)('0' + (seed >> 16) % 10);
	}
	*ret = text;
	return len;
}

static void
load_ask(struct load_conn *c)
{
	const char *text;
	const size_t len = load_request(&text);

	c->got = c->want = 0;
	if (send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		load_die("send");
}

static void
load_open(struct load_conn *c)
{
	static uint32_t turn;
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK + turn++ % ADDRESSES) } };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = c } };
	const int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0)
		load_die("socket");
	(void)setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(c->fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		load_die("connect");
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		load_die("epoll_ctl");
}

/* Content-Length, of a whole head. */
static size_t
load_length(const char *head, const char *end)
{
	static const char name[] = "\ncontent-length:";
	const size_t n = sizeof(name) - 1;

	for (const char *p = head; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		if ((p[1] == 'C' || p[1] == 'c') && strncasecmp(p, name, n) == 0)
			return strtoul(p + n, NULL, 10);
	return 0;
}

/* Adds what came to the answer; of a body only the count matters. Return: true when it is whole. */
static bool
load_take(struct load_conn *c)
{
	static char rest[1 << 18];
	char *into = c->want ? rest : c->head + c->got;
	const size_t room = c->want ? sizeof(rest) : sizeof(c->head) - c->got;
	const ssize_t n = recv(c->fd, into, room, MSG_DONTWAIT | (c->want ? MSG_TRUNC : 0));
	const char *end;

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0)
		load_die("a connection ended");
	c->got += (size_t)n;
	if (!c->want) {
		end = memmem(c->head, c->got, "\r\n\r\n", 4);
		if (!end)
			return false;
		c->want = (size_t)(end + 4 - c->head);
		if (memcmp(c->head, "HTTP/1.1 304", 12) != 0)
			c->want += load_length(c->head, end);
		n_bad += c->head[9] != '2' && c->head[9] != '3';
	}
	return c->got >= c->want;
}

/*
 * Takes answers that are there, and does not wait for any: the server would pay for waking us.
 * anew: asks again at once, else the connection is free.
 */
static void
load_answers(bool anew)
{
	struct epoll_event list[256];
	const int n = epoll_wait(ep, list, 256, 0);

	for (int i = 0; i < n; i++) {
		struct load_conn *c = list[i].data.ptr;

		if (!load_take(c))
			continue;
		if (times && n_answers < n_times)
			times[n_answers] = (uint32_t)((load_now() - c->due) / 1000);
		n_answers++;
		if (each_anew) {
			(void)close(c->fd);
			load_open(c);
		}
		if (anew) {
			load_ask(c);
		} else {
			c->next = free_conn;
			free_conn = (int)(c - conns);
		}
	}
}

static int
load_compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
load_at_rate(double rate, double seconds)
{
	const uint64_t start = load_now();

	n_times = (size_t)(rate * seconds);
	times = calloc(n_times + 1, sizeof(*times));
	for (int i = 0; i < n_conns; i++) {
		conns[i].next = free_conn;
		free_conn = i;
	}
	for (size_t asked = 0; n_answers < n_times;) {
		const uint64_t due = start + (uint64_t)((double)asked * 1e9 / rate);

		if (asked < n_times && due <= load_now() && free_conn >= 0) {
			struct load_conn *c = &conns[free_conn];

			free_conn = c->next;
			c->due = due;
			load_ask(c);
			asked++;
		} else {
			load_answers(false);
		}
	}
	qsort(times, n_times, sizeof(*times), load_compare);
	(void)printf("%zu requests, %zu bad, p50 %u p99 %u p99.9 %u us\n", n_times, n_bad,
	    times[n_times / 2], times[n_times * 99 / 100], times[n_times * 999 / 1000]);
}

/* With -w, until somebody has read what was printed and says so. */
static void
load_wait(void)
{
	(void)fflush(stdout);
	if (waits)
		(void)getchar();
}

static void
load_closed_loop(double seconds)
{
	uint64_t end;

	if (waits)
		(void)puts("open");
	load_wait();
	end = load_now() + (uint64_t)(seconds * 1e9);
	for (int i = 0; i < n_conns; i++)
		load_ask(&conns[i]);
	while (load_now() < end)
		load_answers(true);
	(void)printf("%zu requests, %zu bad\n", n_answers, n_bad);
	load_wait();
}

int
main(int argc, char **argv)
{
	double rate = 0;
	int o;

	while ((o = getopt(argc, argv, "r:cwt:H:")) != -1) {
		if (o == 'r')
			rate = atof(optarg);
		else if (o == 'c')
			each_anew = true;
		else if (o == 'w')
			waits = true;
		else if (o == 't')
			seed = (unsigned)atoi(optarg) + 1;
		else if (o == 'H' && n_fields < sizeof(fields) / sizeof(fields[0]))
			fields[n_fields++] = optarg;
		else
			return 2;
	}
	if (argc - optind != 4)
		return 2;
	port = atoi(argv[optind]);
	path = argv[optind + 1];
	n_conns = atoi(argv[optind + 2]);
	if (n_conns < 1 || n_conns > CONNECTIONS_MAX)
		return 2;
	conns = calloc((size_t)n_conns, sizeof(*conns));
	ep = epoll_create1(0);
	if (!conns || ep < 0)
		load_die("start");
	for (int i = 0; i < n_conns; i++)
		load_open(&conns[i]);
	if (rate > 0)
		load_at_rate(rate, atof(argv[optind + 3]));
	else
		load_closed_loop(atof(argv[optind + 3]));
	return 0;
}
