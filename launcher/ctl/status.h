/*
 * status.h - the verbs that only ask the manager: status, list, show, is-active, is-failed.
 * Runs as: whoever calls it.
 * Tests:   tests/lifecycle/test_verbs.py
 */
#pragma once

#include "launcher/ctl/options.h"

/* Each prints to standard output and returns the exit code; see ctl.h. */
int status_main(const struct ctl_options *o);
int list_main(const struct ctl_options *o);
int show_main(const struct ctl_options *o);
int is_active_main(const struct ctl_options *o);
int is_failed_main(const struct ctl_options *o);
