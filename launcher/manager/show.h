/*
 * show.h - a unit as lines Key=Value, names and values as systemctl(1) show prints them.
 * Runs as: manager.
 * Tests:   tests/lifecycle/test_verbs.py
 */
#pragma once

#include "common/buf.h"
#include "launcher/manager/state.h"

/* Appends; out->failed tells when it did not fit. */
void show_unit(const struct manager *m, const struct unit *u, struct buf *out);
