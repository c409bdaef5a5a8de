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

/*
 * find_manager_user - who reads the units and is the manager: `wanted`, or sallyport, or nobody
 * (and then a line in the log says so). Fills m's change_user and manager_*; nothing without root.
 * Return: 0; -ESRCH; -EPERM when it would be root, or when only root could become it.
 */
_must_check_ int find_manager_user(struct monitor *m, const char *wanted, struct why *why);

/*
 * Runs in the child. Writes a plan into fd, seals it (build_freeze()), and reports by itself what
 * is wrong. Return: 0, or the exit code the launcher shall have.
 */
typedef int plan_writer(void *context, int fd);

/*
 * plan_isolate - have `write` make a plan, then map and verify it.
 * @m:          change_user and the manager's ids; gets plan_fd and plan
 * @allow_root: see plan_verify()
 * Return: 0; a positive exit code when the child said what is wrong; -errno and why.
 */
_must_check_ int plan_isolate(
    struct monitor *m, plan_writer *write, void *context, bool allow_root, struct why *why);
