/*
 * procstatus.h - what /proc/PID/status says of a process's identity and rights (proc(5)).
 * Runs as: the operator's verbs, the worker and the signer (each about itself), tests.
 * Trusts:  the kernel's file; a line that is missing or odd is an error, not a zero.
 * Tests:   tests/unit/test_procstatus.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"

#define PROCSTATUS_GROUPS_MAX 64

struct procstatus {
	char name[64];
	pid_t ppid;
	pid_t tracer;
	uid_t uid[4]; /* real, effective, saved, file system */
	gid_t gid[4];
	gid_t groups[PROCSTATUS_GROUPS_MAX]; /* supplementary, the first of them */
	size_t n_groups; /* all of them, may be more than are stored */
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	bool no_new_privs;
	unsigned seccomp; /* 0 off, 1 strict, 2 filter */
};

/*
 * procstatus_read - read and parse one process.
 * @pid:  0 for the caller
 * Return: 0; -ESRCH when there is none; -EBADMSG when a line is missing or malformed; -errno.
 */
_must_check_ int procstatus_read(pid_t pid, struct procstatus *ret, struct why *why);

/* The same over text already read: for tests and the fuzzer. */
_must_check_ int procstatus_parse(
    const char *text, size_t len, struct procstatus *ret, struct why *why);
