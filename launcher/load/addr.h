/*
 * addr.h - one address of a Listen*= line or of `sallyport exec -l`, as systemd.socket(5) reads it.
 * Runs as: as load.h, and `sallyport exec`. Resolves no host names; an interface name is asked of
 *          the kernel (if_nametoindex(3)).
 * Tests:   tests/unit/test_addr.c, tests/fuzz/fuzz_address.c
 */
#pragma once

#include "common/buf.h"
#include "launcher/unit/plan.h"

struct addr {
	socklen_t len; /* of the address below */
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} u;
	bool any_family; /* a bare port */
};

/*
 * addr_parse - "PORT", "A.B.C.D:PORT", "[V6]:PORT[%DEV]", "/path", "@abstract", "vsock:[CID]:PORT".
 * Return: 0; -EINVAL for anything else (port 0 and an address without a port among it), -ERANGE,
 *         -ENAMETOOLONG for a unix path over 107 bytes, -ENODEV for an unknown interface; why says
 *         what is wrong.
 */
_must_check_ int addr_parse(const char *text, struct addr *ret, struct why *why);

/* Appends the address as addr_parse() takes it: "[::]:80", "/run/x.sock". */
void addr_format(const struct sockaddr_storage *sa, socklen_t len, struct buf *out);
