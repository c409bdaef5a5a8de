/*
 * leave.h - the launcher's last act, after the loop: whoever is still there is killed and reaped,
 * and what lies in the runtime directory removed. Runs as: the monitor, confined. Tests:
 * tests/lifecycle/
 */
#pragma once

#include "launcher/monitor/monitor.h"

/* Kills, reaps, removes. Never fails: what resists is left and said. */
void leave(struct monitor *m);
