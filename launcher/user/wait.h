/*
 * wait.h - `sallyport exec`, once it has become who COMMAND runs as: waits for traffic.
 * Runs as: the user of -u; root only if the operator said --allow-root-services.
 * Tests:   tests/activation/test_exec_verb.py
 */
#pragma once

#include "launcher/enter/enter.h"

/*
 * exec_wait - execute the command when there is traffic; or, if it accepts, once for each connection.
 * @e:   of a process that has become
 * @fds: those of e, which get their names
 * Return: EX_USAGE, when the options do not go with the number of descriptors, and it was said so.
 */
int exec_wait(struct enter *e, struct enter_fd *fds, const struct plan_socket *socket);
