/*
 * fuzz_address.c - launcher/load/addr.h: what is taken as an address must print as one that is
 *                  taken again, and be the same.
 */
#include <assert.h>
#include <stdint.h>

#include "launcher/load/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512], again[512];
	struct addr a, b;
	struct buf out;
	struct why why;

	if (size >= sizeof(text) || memchr(data, '\0', size))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (addr_parse(text, &a, &why) < 0) {
		assert(why.text[0]);
		return 0;
	}
	assert(a.len > sizeof(sa_family_t) && a.len <= sizeof(a.u));
	buf_init(&out, again, sizeof(again));
	addr_format(&a.u.storage, a.len, &out);
	assert(!out.failed && out.len > 0);
	if (addr_parse(again, &b, &why) < 0 || a.len != b.len || memcmp(&a.u, &b.u, a.len) != 0)
		abort();
	return 0;
}
