/*
 * tls.h - what configuration file and command line say of TLS, put together.
 * Runs as: worker, no rights.
 * Tests:   tests/tls/test_tls_config.py
 */
#pragma once

#include "worker/config/load.h"
#include "worker/options.h"

/*
 * config_tls - fill c->tls, and what sites need to know of it. The command line's certificates come
 * first; its other options go before the file's.
 * Return: 0; -EINVAL or -ENOMEM with why.
 */
_must_check_ int config_tls(struct config *c, const struct options *o, struct why *why);
