/*
 * floor.c - the least that an activator can do for each connection: accept, vfork, exec.
 * Runs as: the benchmark. Drops nothing, counts nothing, limits nothing: nobody can be faster.
 *
 * usage: floor PORT COMMAND [ARGUMENT...]
 */
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/num.h"

int
main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t port;

	if (argc < 3 || num_parse_str(argv[1], 1, 65535, &port) < 0)
		return 64;
	in.sin_port = htons((uint16_t)port);
	(void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 4096) < 0)
		return 69;
	for (;;) {
		const int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (conn < 0)
			continue;
		if (vfork() == 0) {
			(void)dup2(conn, STDIN_FILENO);
			(void)dup2(conn, STDOUT_FILENO);
			(void)execv(argv[2], argv + 2);
			_exit(127);
		}
		(void)close(conn);
	}
}
