/*
 * connection.h - Accept=yes: one accepted connection on its way to an instance of a template.
 * Runs as: a child between fork and exec, with the launcher's rights.
 * Trusts:  not the peer: its address becomes the value of variables and part of a name.
 * Tests:   tests/activation/, tests/systemd/
 */
#pragma once

#include "launcher/enter/enter.h"

/*
 * connection_enter - fill what an accepted connection adds: the descriptor, its options once more,
 * REMOTE_ADDR and REMOTE_PORT, the instance's name for specifiers.
 * @e:      of a service that is a template; filled
 * @ret_fd: the one descriptor that e passes; must live until exec
 * @fd:     the connection; borrowed
 * @number: N, counts the connections of the socket
 */
void connection_enter(struct enter *e, struct enter_fd *ret_fd, int fd, uint64_t number);
