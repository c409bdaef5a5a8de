/*
 * isolate.h - text is read by somebody else: a process that may read, and nothing more, writes the
 *             plan; root only ever sees the sealed and verified block.
 * Runs as: root forks; the child is the manager's user with CAP_DAC_READ_SEARCH alone (unit files
 *          may be readable by root only), or whoever runs an unprivileged launcher.
 * Trusts:  nothing that comes back: see verify.h.
 * Tests:   tests/privilege/, tests/activation/
 */
#pragma once

#include "launcher/monitor/monitor.h"
#include "launcher/unit/verify.h"

/*
 * Runs in the child. Writes a plan into fd, seals it (build_freeze()), and reports by itself what
 * is wrong. @user: who reads, and is the manager; NULL: the caller. Return: 0, or the exit code the
 * launcher shall have.
 */
typedef int plan_writer(void *context, int fd, const char *user);

/*
 * plan_isolate - have write_plan make a plan, then map and verify it.
 * @m:          gets plan_fd and plan, and as root the identity in image
 * @user:       who reads and is the manager; NULL: sallyport, or nobody, and then the log says so
 * @allow:   see plan_verify()
 * Return: 0; a positive exit code when the child said what is wrong; -errno and why.
 */
_must_check_ int plan_isolate(struct monitor *m, const char *user, plan_writer *write_plan,
    void *context, enum plan_allow allow, struct why *why);
