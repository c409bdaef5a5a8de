/*
 * check.h - whether the text of an option makes sense; each says what it wants in why.
 * Runs as: worker, no rights.
 * Tests:   tests/http/test_http_config.py
 */
#pragma once

#include "common/why.h"

/* Each: 0, or -EINVAL with what would make sense in why. */
int check_log_target(const char *text, struct why *why);
int check_log_format(const char *text, struct why *why);
int check_log_level(const char *text, struct why *why);
int check_host(const char *text, struct why *why);
int check_dir(const char *text, struct why *why);
int check_file(const char *text, struct why *why);
int check_path(const char *text, struct why *why);
int check_tls_version(const char *text, struct why *why);
int check_client_auth(const char *text, struct why *why);
int check_hsts(const char *text, struct why *why);
int check_name(const char *text, struct why *why);
int check_try(const char *text, struct why *why);
int check_value(const char *text, struct why *why);
int check_field(const char *text, struct why *why);
int check_cache_type(const char *text, struct why *why);
int check_error_page(const char *text, struct why *why);
int check_access(const char *text, struct why *why);
int check_realm(const char *text, struct why *why);
int check_method(const char *text, struct why *why);
int check_users_dir(const char *text, struct why *why);
