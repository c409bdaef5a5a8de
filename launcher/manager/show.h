/*
 * show.h - a unit as lines Key=Value, names and values as systemctl(1) show prints them.
 * Runs as: manager.
 * Tests:   tests/lifecycle/test_verbs.py
 */
#pragma once

#include "common/buf.h"
#include "launcher/manager/state.h"

/* Append; out->failed tells when it did not fit. */
void show_service(const struct manager *m, const struct service *s, struct buf *out);
void show_socket(const struct manager *m, const struct socket *k, struct buf *out);
