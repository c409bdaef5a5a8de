/*
 * floor.c - the least that a server can do for a request: epoll, recv, send of a fixed answer.
 * The benchmark measures every server against it. No parsing: it counts the ends of heads.
 * Usage: floor FD BODY_BYTES; the descriptor is a listening socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char in[65536], out[1 << 20];

/* Answers one readable connection. Return: 0 to go on, -1 when it is over. */
static int
floor_answer(int fd, size_t answer)
{
	const ssize_t n = recv(fd, in, sizeof(in), 0);
	size_t requests = 0;

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	for (char *p = in; (p = memmem(p, (size_t)(in + n - p), "\r\n\r\n", 4)) != NULL; p += 4)
		requests++;
	while (requests-- > 0)
		if (send(fd, out, answer, MSG_NOSIGNAL) != (ssize_t)answer)
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN }, list[512];
	const int listener = argc > 2 ? atoi(argv[1]) : -1, ep = epoll_create1(0);
	const int body = argc > 2 ? atoi(argv[2]) : 0;
	const size_t head = (size_t)snprintf(out, sizeof(out),
	    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: "
	    "application/octet-stream\r\nContent-Length: %d\r\n\r\n",
	    body);
	const size_t answer = head + (size_t)body;

	if (listener < 0 || answer > sizeof(out))
		return 2;
	ev.data.fd = listener;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) < 0)
		return 1;
	for (;;) {
		const int n = epoll_wait(ep, list, 512, -1);

		for (int i = 0; i < n; i++) {
			int fd = list[i].data.fd;

			if (fd == listener) {
				fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
				ev.data.fd = fd;
				if (fd >= 0)
					(void)epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
			} else if (floor_answer(fd, answer) < 0) {
				(void)close(fd);
			}
		}
	}
}
