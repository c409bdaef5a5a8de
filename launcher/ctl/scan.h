/*
 * scan.h - `sallyport audit --scan-memory`: where private keys are, by looking for them.
 * Runs as: whoever calls it; root, to read other users' memory.
 * Trusts:  the operator's own key files (pemkey.h), /proc. The keys are in locked memory while it
 *          looks, and wiped.
 * Tests:   tests/tls/test_memory.py
 *
 * What it cannot see: memory that no process has mapped, such as a socket's buffer.
 */
#pragma once

#include "launcher/ctl/audit.h"

/*
 * scan_main - look for the keys of o->keys in each process.
 * Return: exit code: 0; 1 if one is in a process that is not of o->holder, or if one could not be
 * read; 66 when the keys could not.
 */
int scan_main(const struct ctl_options *o, const struct audit_process *p, size_t n);
