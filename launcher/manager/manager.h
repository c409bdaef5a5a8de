/*
 * manager.h - the unprivileged half of the launcher: decides everything, may do nothing.
 * Runs as: user `sallyport` (or whoever runs an unprivileged launcher), no capability,
 *          no_new_privs, seccomp, rooted in the runtime directory. Executed by the monitor.
 * Trusts:  the plan and the monitor's messages once checked. Not: notify datagrams, control
 *          requests, the notebook, whoever connects.
 * Owns:    the descriptors of heritage.h from 3 up, until it ends.
 * Tests:   tests/unit/test_manager.c, tests/unit/test_manager_takeover.c (against a monitor made of test code), tests/lifecycle/
 */
#pragma once

/*
 * manager_main - what main() calls when argv[0] is HERITAGE_ARGV0.
 * argv: "sallyport: manager" [--log-format=text|json] [--log-level=3..7]; nothing else.
 * The environment is not used. Standard input, output and error are those of heritage.h.
 * Return: exit code: 0 after MSG_SHUTDOWN when every service is gone; 70 when its descriptors or
 *         its confinement are not what they must be; 76 when the monitor said what it may not;
 *         74 when the monitor went away.
 */
int manager_main(int argc, char **argv);
