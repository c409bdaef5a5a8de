/*
 * orphan.h - which process is the main one of a service that forks: one of those that lost their
 *            parent and fell to the monitor, its subreaper.
 * Runs as: a child of the monitor that lives for this one question; children_read() also at the end.
 * Trusts:  not the PID file, which is the service's: the number in it counts only if it is a child
 *          of the monitor, of the service's user, that is not known yet. The monitor checks again.
 * Source:  systemd.service(5), PIDFile=, Type=forking; proc(5), /proc/PID/task/TID/children.
 * Tests:   tests/lifecycle/test_service.py
 */
#pragma once

#include "launcher/enter/enter.h"

/* Up to max children of a process. Return: how many; 0 also when there is no /proc. */
size_t children_read(pid_t parent, pid_t *pids, size_t max);

/*
 * orphan_find - the main process of e->unit.
 * @e:     main_pid: named by MAINPID=; 0: PIDFile= tells, or there is only one it can be
 * @known: the monitor's own processes
 * Return: 0; -ENOENT when the PID file is not there yet; -ESRCH when none, or more than one, could
 *         be it.
 */
_must_check_ int orphan_find(const struct enter *e, const pid_t *known, size_t n_known, pid_t *ret);
