/*
 * options.h - what an operator's verb was told on its command line.
 * Runs as: whoever calls it.
 * Owns:    nothing; points into argv.
 * Tests:   tests/lifecycle/test_verbs.py
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CTL_PIDS_MAX 64
#define CTL_PROPERTIES_MAX 64

struct ctl_options {
	const char *runtime_dir;
	bool json;
	bool value_only;
	bool quiet;
	bool no_block;
	int signo;
	uint32_t whom; /* enum control_whom */
	const char *properties[CTL_PROPERTIES_MAX]; /* each NAME[,NAME]... */
	int n_properties;
	pid_t pids[CTL_PIDS_MAX];
	int n_pids;
	const char *keys, *holder; /* audit --scan-memory */
	char **units;
	int n_units;
};
