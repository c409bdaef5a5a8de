/*
 * stdio.h - descriptors 0, 1 and 2 of a service: StandardInput=, StandardOutput=, StandardError=.
 * Runs as: a child between fork and exec, with the launcher's rights: log files may be root's.
 * Source:  systemd.exec(5), "Logging and standard input/output".
 * Tests:   tests/systemd/, tests/activation/
 */
#pragma once

#include "launcher/enter/enter.h"

/* True when one of the three is to be the socket: then nothing is passed from 3 up. */
bool stdio_wants_socket(const struct enter *e);

/*
 * stdio_arrange - fill 0, 1 and 2.
 * Return: 0; -EINVAL when a socket is wanted and there is not exactly one; -errno.
 */
_must_check_ int stdio_arrange(struct enter *e);
