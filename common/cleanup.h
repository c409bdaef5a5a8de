/*
 * cleanup.h - a descriptor or allocation that releases itself on every way out of a scope.
 * Runs as: every process of ours, root included.
 * Owns:    what a marked variable holds, until xxx_take() moves it to a new owner.
 * Tests:   used by all of tests/unit
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

/* The caller must look at the result. Put in front of every function that returns an error. */
#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Closes and forgets; a negative descriptor is a no-op. Always returns -EBADF, the empty value. */
static inline int
fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* Linux frees the descriptor even on EINTR: never retry */
	return -EBADF;
}

static inline void
fd_closep(int *fd)
{
	*fd = fd_close(*fd);
}

static inline void
free_charp(void *p)
{
	free(*(void **)p);
}

static inline void
file_closep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

#define _cleanup_fd_ __attribute__((cleanup(fd_closep)))
#define _cleanup_free_ __attribute__((cleanup(free_charp)))
#define _cleanup_file_ __attribute__((cleanup(file_closep)))

/* Moves ownership out of a marked variable: the value is returned, the variable emptied. */
#define fd_take(p) \
	({ \
		int taken_ = *(p); \
		*(p) = -EBADF; \
		taken_; \
	})
#define ptr_take(p) \
	({ \
		__typeof__(*(p)) taken_ = *(p); \
		*(p) = NULL; \
		taken_; \
	})
