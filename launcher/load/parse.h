/*
 * parse.h - the parsers that rows of table.c name; each writes one value into its field.
 * Runs as: as load.h. Their contract is parse_fn in directive.h; a field is of the type given here.
 * Tests:   tests/unit/test_directive.c
 */
#pragma once

#include "launcher/load/draft.h"

/* parse.c: values of one kind. */
parse_fn parse_bool; /* bool */
parse_fn parse_u32; /* uint32_t */
parse_fn parse_usec; /* uint64_t; seconds without a unit */
parse_fn parse_usec_limit; /* the same, 0 meaning "no limit": USEC_INFINITY */
parse_fn parse_mode; /* mode_t */
parse_fn parse_enum; /* int-sized enum; arg: its names, NULL-terminated */
parse_fn parse_string; /* struct ref; specifiers */
parse_fn parse_path; /* struct ref; specifiers; absolute */
parse_fn parse_words; /* struct plan_list of struct plan_word; specifiers; empty resets */
parse_fn parse_signal; /* int32_t */
parse_fn parse_off; /* no field: succeeds for what switches a thing off */

/* parse.c: struct plan_opt; an empty value leaves the matter to the kernel again. */
parse_fn parse_opt_bool;
parse_fn parse_opt_number; /* arg: struct parse_range */
parse_fn parse_opt_bytes;
parse_fn parse_opt_seconds;
parse_fn parse_opt_enum; /* arg: names; the value is the index */

struct parse_range {
	int64_t min, max;
};

/* parse_exec.c: commands and what they run as and with. */
parse_fn parse_command; /* struct plan_list of struct plan_command */
parse_fn parse_environment; /* struct plan_list of "NAME=value" */
parse_fn parse_load_credential; /* struct plan_list of struct plan_credential */
parse_fn parse_environment_file; /* struct plan_list of struct plan_env_file */
parse_fn parse_user; /* struct ref: a user's or group's name or number */
parse_fn parse_directory; /* struct ref: WorkingDirectory= with "-" and "~" */
parse_fn parse_capabilities; /* uint64_t: a set, "~" takes out; arg: what it is when not set */
parse_fn parse_ambient; /* the same, of which the operator must approve */

/* parse_service.c: the rest of a service. */
parse_fn parse_service_type; /* enum service_type */
parse_fn parse_timeout; /* struct plan_service: TimeoutSec= is both timeouts */
parse_fn parse_statuses; /* struct plan_statuses */
parse_fn parse_pid_file; /* struct ref */
parse_fn parse_limit_count, parse_limit_bytes, parse_limit_nice, parse_limit_sec,
    parse_limit_usec; /* struct plan_limit */
parse_fn parse_stdin, parse_stdout; /* struct plan_stdio */
parse_fn parse_directories; /* struct plan_list of relative paths */

/* parse_socket.c: what a socket is. */
parse_fn parse_listen_stream, parse_listen_datagram, parse_listen_seqpacket, parse_listen_fifo,
    parse_listen_special, parse_listen_netlink, parse_listen_queue; /* struct plan_list */
parse_fn parse_fd_name; /* struct ref */
parse_fn parse_service_name; /* struct ref: a .service */
parse_fn parse_bind_ipv6_only; /* struct plan_opt */
parse_fn parse_protocol; /* int32_t */
parse_fn parse_ip_tos; /* struct plan_opt */

/* parse_unit.c: what stands between units. */
parse_fn parse_dependencies; /* struct plan_list of struct plan_word */
parse_fn parse_condition; /* struct plan_list of struct plan_condition */

/*
 * parse_expand - the value with its specifiers replaced.
 * @out: reset first. Return: 0; -errno, why set.
 */
_must_check_ int parse_expand(struct assign *a, const char *text, struct buf *out);

/* Below the legacy /var/run: warned of, and moved to /run, as in systemd. */
void parse_legacy_run(struct assign *a, struct buf *path);

/* The next unquoted word of *p into out. Return: as word_next(), why set, bad escapes warned of. */
_must_check_ int parse_word(struct assign *a, const char **p, struct buf *out);

/* Room for one value. */
#define PARSE_BYTES_MAX 65536
