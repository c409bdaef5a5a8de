/*
 * route.h - the settings of a route made ready: root opened, fields written out, rules parsed.
 * Runs as: worker, no rights, before it confines itself.
 * Tests:   tests/http/test_http_config.py
 */
#pragma once

#include "worker/site/map.h"

/*
 * route_make - fill ret from s.
 * @match: "/prefix", "=/exact", "*.suffix"
 * Return: 0 or -errno with why.
 */
_must_check_ int route_make(struct pool *pool, const char *match, const struct route_settings *s,
    struct route *ret, struct why *why);

/* A site's title, when it has no names: a host. */
int check_site_title(const char *text, struct why *why);
