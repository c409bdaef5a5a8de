/*
 * fuzz_pemkey.c - pemkey_read() over any file: what it makes of one is whole patterns or none.
 */
#include <assert.h>
#include <stdint.h>

#include "launcher/ctl/pemkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pem_pattern patterns[PEMKEY_PATTERNS_MAX];
	struct why why = { "" };
	const int n = pemkey_read((struct span){ (const char *)data, size }, patterns, &why);

	assert(n <= PEMKEY_PATTERNS_MAX && (n >= 0) == (why.text[0] == '\0'));
	for (int i = 0; i < n; i++)
		assert(patterns[i].len >= 8 && patterns[i].len <= PEMKEY_PATTERN_BYTES);
	return 0;
}
