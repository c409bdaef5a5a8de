/*
 * open.h - a file that a unit names, opened for a service that may have its hands in the directory.
 * Runs as: a child between fork and exec, with the launcher's rights.
 * Trusts:  the plan for the path, not what lies there: with root's rights only a file with one name
 *          is opened, with no link on the way to it. Anything else is opened with the rights of the
 *          service's user, or not at all.
 * Tests:   tests/privilege/test_files.py
 */
#pragma once

#include "launcher/enter/enter.h"

/*
 * open_for - open path; O_CLOEXEC and O_NOCTTY are added, and it never waits for a FIFO's other end.
 * @flags: open(2); O_TRUNC takes effect only once the file was looked at
 * Return: a descriptor; -errno.
 */
_must_check_ int open_for(const struct enter *e, const char *path, int flags);
