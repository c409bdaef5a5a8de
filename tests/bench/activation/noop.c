/*
 * noop.c - the least that a server can do: one byte to the client, and gone. With a listening
 *          socket as descriptor 3 it takes one connection first.
 * Runs as: whatever the activator under test makes of it; static, so that exec costs next to
 *          nothing and the activator's share is what is measured.
 */
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int fd = 0;

	(void)argv;
	if (argc > 1) /* "listen" */
		fd = accept(3, 0, 0);
	return write(fd, "x", 1) != 1;
}
