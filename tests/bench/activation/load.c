/*
 * load.c - opens connections and waits for one byte on each; says how long that took.
 * Runs as: the benchmark.
 *
 * usage: load PORT CONNECTIONS CONCURRENCY PAUSE_USEC
 * Prints one number a line: the microseconds from connect(2) to the first byte, and last of all the
 * microseconds of the whole. A connection that ends without a byte counts as -1.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/num.h"

#define CONCURRENCY_MAX 64

static uint64_t
load_usec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int
load_connect(uint16_t port)
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct linger reset = { 1, 0 }; /* no TIME_WAIT: a long run would use all ports up */
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 ||
	    connect(fd, (const struct sockaddr *)&in, sizeof(in)) < 0)
		return fd_close(fd);
	return fd;
}

int
main(int argc, char **argv)
{
	struct pollfd p[CONCURRENCY_MAX];
	uint64_t began[CONCURRENCY_MAX], port, total, width, pause_usec, start, opened = 0,
										done = 0;

	if (argc != 5 || num_parse_str(argv[1], 1, 65535, &port) < 0 ||
	    num_parse_str(argv[2], 1, 10000000, &total) < 0 ||
	    num_parse_str(argv[3], 1, CONCURRENCY_MAX, &width) < 0 ||
	    num_parse_str(argv[4], 0, 10000000, &pause_usec) < 0)
		return 64;
	for (uint64_t i = 0; i < width; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	start = load_usec();
	while (done < total) {
		for (uint64_t i = 0; i < width && opened < total; i++) {
			if (p[i].fd >= 0)
				continue;
			began[i] = load_usec();
			p[i].fd = load_connect((uint16_t)port);
			if (p[i].fd < 0)
				return 69;
			opened++;
		}
		if (poll(p, width, 10000) <= 0)
			return 69;
		for (uint64_t i = 0; i < width; i++) {
			char byte;

			if (p[i].fd < 0 || p[i].revents == 0)
				continue;
			if (read(p[i].fd, &byte, 1) == 1)
				(void)printf(
				    "%llu\n", (unsigned long long)(load_usec() - began[i]));
			else
				(void)printf("-1\n");
			p[i].fd = fd_close(p[i].fd);
			done++;
			if (pause_usec > 0)
				(void)usleep((useconds_t)pause_usec);
		}
	}
	(void)printf("%llu\n", (unsigned long long)(load_usec() - start));
	return 0;
}
