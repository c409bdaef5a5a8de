/*
 * run.h - `sallyport run`: from a command line to the loop.
 * Runs as: root, or whoever runs the launcher.
 * Logs:    everything that keeps the launcher from starting. Only here, and only before "ready",
 *          may the launcher give up.
 * Tests:   tests/activation/, tests/lifecycle/
 */
#pragma once

/*
 * run_main - the verb. argv[0] is the verb's name.
 * Return: the exit code: 0; EX_USAGE; EX_CONFIG when a unit was refused; EX_OSERR or EX_UNAVAILABLE
 *         when a socket or the runtime directory could not be had (sysexits.h(3head)).
 */
int run_main(int argc, char **argv);
