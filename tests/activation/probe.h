/*
 * probe.h - the probe server: says what it found at its first instruction, then does as told.
 * Runs as: whatever a test's unit says; linked statically, libc only, so that it also runs in a
 *          bare root directory. Never built with sanitizers: they change what it would find.
 * Trusts:  the test that started it. It is a tool of the tests and never installed.
 * Tests:   tests/activation/test_probe.py
 *
 * The record is one line of JSON: keys sorted, `version` first raised when a key changes its
 * meaning. Under the same unit two activators must yield the same record, apart from the
 * differences listed in tests/support/compare.py.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/json.h"

#define PROBE_RECORD_VERSION 1

/* Appends the record of this process, without a newline. Opens nothing that stays open. */
void probe_record(struct buf *out, int argc, char **argv, char **envp);

/* Appends the array of all open descriptors; names come from LISTEN_FDNAMES. */
void probe_descriptors(struct json *j, const char *key);

/* Appends the object of all options that socket fd answers to, by their kernel names. */
void probe_socket_options(struct json *j, const char *key, int fd);

/* How many descriptors were passed to this very process; 0 when LISTEN_PID is another's. */
unsigned probe_listen_fds(void);

/* The i-th name of LISTEN_FDNAMES into dst; false when there is none. */
bool probe_fd_name(unsigned i, char *dst, size_t size);

/* The whole of a small file as text, one trailing newline cut; "" when it cannot be read. */
void probe_slurp(struct buf *out, const char *path);

/* One sd_notify datagram: '|' in text stands for a newline. 0 or -errno; -ENOENT without a socket.
 */
int probe_notify(const char *text);

/* Writes all of it whether or not fd is non-blocking; a peer that went away is no matter. */
void probe_write(int fd, const char *bytes, size_t len);

struct probe_serve {
	const struct buf *record;
	bool greet; /* each connection gets the record at once and is closed */
	bool once; /* leave after the first connection */
};

/* Serves every passed descriptor, or 0 when that is a socket. Returns when nothing is left. */
void probe_serve(const struct probe_serve *serve);

/*
 * probe_try - attempts one thing that a service must not be able to do.
 * @line: the verb and its words; see probe_try.c
 * Return: false when there is no such verb; otherwise the answer ("ok" or an errno name) in out.
 */
bool probe_try(const char *line, struct buf *out);
