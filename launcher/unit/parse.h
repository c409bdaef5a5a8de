/*
 * parse.h - the parsers that rows of table.c name; each writes one value into its field.
 * Runs as: as load.h. Their contract is parse_fn in directive.h; a field is of the type given here.
 * Tests:   tests/unit/test_directive.c
 */
#pragma once

#include "launcher/unit/draft.h"

/* parse.c: values of one kind. */
parse_fn parse_bool; /* bool */
parse_fn parse_u32; /* uint32_t */
parse_fn parse_usec; /* uint64_t; seconds without a unit */
parse_fn parse_usec_limit; /* the same, 0 meaning "no limit": USEC_INFINITY */
parse_fn parse_mode; /* mode_t */
parse_fn parse_enum; /* int-sized enum; arg: its names, NULL-terminated */
parse_fn parse_string; /* struct ref; specifiers */
parse_fn parse_off; /* no field: succeeds for what switches a thing off */

/* parse_exec.c */
parse_fn parse_command; /* struct plan_list of struct plan_command */
parse_fn parse_environment; /* struct plan_list of "NAME=value" */
parse_fn parse_words; /* struct plan_list of struct plan_word; specifiers */
parse_fn parse_user; /* struct ref: a user's or group's name or number */
parse_fn parse_directory; /* struct ref: WorkingDirectory= with "-" and "~" */
parse_fn parse_capabilities; /* uint64_t: a set, "~" takes out */
parse_fn parse_timeout; /* plan_service: TimeoutSec= is both timeouts */

/* parse_socket.c */
parse_fn parse_listen_stream, parse_listen_datagram, parse_listen_seqpacket; /* plan_list */
parse_fn parse_fd_name; /* struct ref */
parse_fn parse_service_name; /* struct ref: a .service */

/*
 * parse_expand - the value with its specifiers replaced.
 * @out: reset first. Return: 0; -errno, why set.
 */
_must_check_ int parse_expand(struct assign *a, const char *text, struct buf *out);

/* The next unquoted word of *p into out. Return: as word_next(), why set, bad escapes warned of. */
_must_check_ int parse_word(struct assign *a, const char **p, struct buf *out);

/* Room for one value. */
#define PARSE_BYTES_MAX 65536
