/*
 * pace.c - asks at a fixed rate, whatever the answers do, and prints how long they took. A request's
 * time counts from when it was due, not from when a connection was free for it: a server that stops
 * for a while cannot hide it by having been asked less.
 * Usage: pace PORT PATH CONNECTIONS PER_SECOND SECONDS
 * Prints: requests, then p50, p99 and p99.9 in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

struct pace_conn {
	int fd, next; /* next: of those that are free */
	uint64_t due; /* of the request that is under way */
	size_t got, want; /* bytes of the answer; want 0: its head is not there yet */
	char head[4096];
};

static struct pace_conn conns[CONNECTIONS_MAX];
static int free_conn = -1;
static uint32_t *times;
static size_t n_times, n_answers;

static uint64_t
pace_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
pace_die(const char *what)
{
	perror(what);
	exit(1);
}

/* Adds what came to the answer. Return: 1 when it is whole. */
static int
pace_take(struct pace_conn *c)
{
	static char rest[65536];
	char *into = c->want ? rest : c->head + c->got;
	const size_t room = c->want ? sizeof(rest) : sizeof(c->head) - 1 - c->got;
	const ssize_t n = recv(c->fd, into, room, 0);
	const char *end, *length;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		pace_die("a connection ended");
	c->got += (size_t)n;
	if (!c->want) {
		c->head[c->got] = '\0';
		end = strstr(c->head, "\r\n\r\n");
		length = strcasestr(c->head, "\r\nContent-Length: ");
		if (!end || !length)
			return 0;
		c->want = (size_t)(end + 4 - c->head) + strtoul(length + 18, NULL, 10);
	}
	return c->got >= c->want;
}

static void
pace_answers(int ep, int timeout)
{
	struct epoll_event list[64];
	const int n = epoll_wait(ep, list, 64, timeout);

	for (int i = 0; i < n; i++) {
		struct pace_conn *c = &conns[list[i].data.u32];

		if (!pace_take(c))
			continue;
		if (n_answers < n_times)
			times[n_answers++] = (uint32_t)((pace_now() - c->due) / 1000);
		c->next = free_conn;
		free_conn = (int)list[i].data.u32;
	}
}

static void
pace_ask(const char *request, size_t len, uint64_t due)
{
	struct pace_conn *c = &conns[free_conn];

	free_conn = c->next;
	c->due = due;
	c->got = c->want = 0;
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		pace_die("send");
}

static int
pace_open(int port, int n)
{
	const int ep = epoll_create1(0), one = 1;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	for (int i = 0; i < n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data = { .u32 = (uint32_t)i } };
		struct pace_conn *c = &conns[i];

		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
			pace_die("connect");
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) < 0)
			pace_die("epoll_ctl");
		c->next = free_conn;
		free_conn = i;
	}
	return ep;
}

static int
pace_compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	const int n = argc == 6 ? atoi(argv[3]) : 0;
	const double rate = argc == 6 ? atof(argv[4]) : 0;
	char request[1024];
	uint64_t start;
	int ep, len;

	if (n < 1 || n > CONNECTIONS_MAX || rate <= 0)
		return 2;
	n_times = (size_t)(rate * atof(argv[5]));
	times = calloc(n_times + 1, sizeof(*times));
	len = snprintf(
	    request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
	ep = pace_open(atoi(argv[1]), n);
	start = pace_now();
	for (size_t asked = 0; n_answers < n_times;) {
		const uint64_t due = start + (uint64_t)((double)asked * 1e9 / rate);

		if (asked < n_times && due <= pace_now() && free_conn >= 0) {
			pace_ask(request, (size_t)len, due);
			asked++;
		} else {
			pace_answers(ep, 0); /* never asleep: waking up would be measured too */
		}
	}
	qsort(times, n_times, sizeof(*times), pace_compare);
	(void)printf("%zu requests, p50 %u p99 %u p99.9 %u us\n", n_times, times[n_times / 2],
	    times[n_times * 99 / 100], times[n_times * 999 / 1000]);
	return 0;
}
