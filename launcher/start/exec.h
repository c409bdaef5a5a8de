/*
 * exec.h - `sallyport exec`: bind, become the user, wait for traffic, execute. Nothing of ours
 *          stays.
 * Runs as: root only until the sockets are bound; it waits and executes as the user.
 * Logs:    what keeps it from executing, and with -a each connection that fails.
 * Source:  systemd-socket-activate(1): the same options with the same meaning.
 * Tests:   tests/activation/, tests/privilege/
 */
#pragma once

/* The verb; argv[0] is its name. Returns only on failure or with -a: the exit code. */
int exec_main(int argc, char **argv);
