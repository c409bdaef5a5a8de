/*
 * value.h - scalar values as systemd.syntax(7) and systemd.time(7) write them.
 * Runs as: as load.h. Allocates nothing. All take trimmed text.
 * Return:  0 and *ret; -EINVAL when text is no such value; -ERANGE when it does not fit.
 * Tests:   tests/unit/test_value.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"

/* 1 yes y true t on, 0 no n false f off, in either case. */
_must_check_ int value_bool(const char *text, bool *ret);

/* Octal, with or without a leading 0, at most 07777. */
_must_check_ int value_mode(const char *text, mode_t *ret);

/* "90", "1min 30s", "1.5h", "infinity" (USEC_INFINITY); a bare number is seconds. */
_must_check_ int value_usec(const char *text, uint64_t *ret);

/* "4096", "16K", "1.5M", "2G": powers of 1024. */
_must_check_ int value_size(const char *text, uint64_t *ret);

/* true for "[A-Za-z_][A-Za-z0-9_]*" of len bytes. */
bool value_is_env_name(const char *text, size_t len);

/*
 * value_path - makes a path plain in place, as systemd does: no "//", no "/./", no "/" at the end.
 * Return: true for an absolute one without ".." in it that is shorter than PATH_MAX.
 */
bool value_path(struct buf *path);

/* "SIGTERM", "TERM", "RTMIN+3" or a number: the signal; -EINVAL when it is none. */
int value_signal(const char *text);
