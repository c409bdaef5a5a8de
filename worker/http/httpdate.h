/*
 * httpdate.h - the three date forms of RFC 9110 section 5.6.7.
 * Runs as: worker, no rights. Allocates nothing; no locale, no time zone, no system call.
 * Tests:   tests/unit/test_http_date.c
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"

#define HTTPDATE_BYTES 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Seconds since 1970 (0 .. year 9999) as IMF-fixdate; writes HTTPDATE_BYTES bytes and a NUL. */
void httpdate_format(int64_t seconds, char dst[HTTPDATE_BYTES + 1]);

/*
 * httpdate_parse - IMF-fixdate, RFC 850 or asctime form.
 * @now: seconds, to decide the century of RFC 850's two digits (more than 50 years ahead is past)
 * Return: 0 or -EINVAL.
 */
_must_check_ int httpdate_parse(struct span text, int64_t now, int64_t *ret_seconds);
