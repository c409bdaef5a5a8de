/*
 * credentials.h - LoadCredential=: secrets as files that one service can read.
 * Runs as: a child of the monitor, with the launcher's rights; needs no capability, since what it
 *          reads and makes is root's own.
 * Owns:    /run/credentials/UNIT until the unit has ended: root's directory, and an ACL that lets
 *          the service's user, and nobody else, enter and read (acl(5)).
 * Source:  systemd.exec(5), "Credentials".
 * Tests:   tests/lifecycle/test_credentials.py
 */
#pragma once

#include "launcher/enter/enter.h"

/* Where they are; NULL when the unit has none. */
const char *credentials_directory(const struct enter *e);

/* Makes the directory, or empties it, and fills it. 0 or -errno; then the service must not start. */
_must_check_ int credentials_make(const struct enter *e);

/* Removes it. Never fails: what is left is root's and is removed before the next start. */
void credentials_remove(const struct enter *e);
