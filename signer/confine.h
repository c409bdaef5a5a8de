/*
 * confine.h - what the signer cannot do any more, whatever is sent to it (seccomp, Landlock).
 * Runs as: sallyport-keyd, once, after the keys are loaded and before the first client.
 * Calls:   landlock_*(2) by number, libseccomp.
 * Tests:   tests/tls/test_keyd.py
 */
#pragma once

#include "common/why.h"
#include "signer/keys.h"

enum confine_outcome {
	CONFINED = 0,
	CONFINED_WITHOUT_LANDLOCK = 1, /* a kernel without it, or with it switched off; see why */
};

/*
 * confine_signer - from here on only the key sources can be read, nothing written, nothing
 * executed, no network address reached, and only the calls of the table in confine.c made. Return:
 * enum confine_outcome, or -errno.
 */
_must_check_ int confine_signer(const struct key_sources *src, struct why *why);
