/*
 * load.h - a configuration file, or just --root, into settings and a map of sites.
 * Runs as: worker, no rights, before it confines itself.
 * Trusts:  the file's author; says file and line of what it does not understand.
 * Owns:    struct config: its pool holds every text.
 * Tests:   tests/http/test_http_config.py
 */
#pragma once

#include "worker/config/table.h"
#include "worker/tls/context.h"

struct config {
	struct settings settings;
	struct map map;
	struct tls_options tls; /* by config_tls(); in the map's pool */
};

/* Opens roots, reads htpasswd files. Return: 0, or -errno with "file:line: what" in why. */
_must_check_ int config_load(const char *path, struct config *ret, struct why *why);

/* All defaults, and one site below root. */
_must_check_ int config_of_root(const char *root, struct config *ret, struct why *why);

void config_done(struct config *c);
