/*
 * fuzz_shape.c - shape_of() over any bytes; what it accepts must satisfy the RFCs by another road.
 */
#include <assert.h>
#include <string.h>

#include "signer/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (shape_of(data, size)) {
	case SHAPE_NONE:
		break;
	case SHAPE_TLS13:
		assert(size == 64 + 34 + 32 || size == 64 + 34 + 48);
		assert(memcmp(data + 64, "TLS 1.3, server CertificateVerify", 34) == 0);
		assert(strspn((const char *)data, " ") == 64);
		break;
	case SHAPE_TLS12:
		assert(size >= 64 + 4 + 32 && size == 64 + 4 + (size_t)data[67]);
		assert(data[64] == 3 && data[65] == 0 && data[66] >= 23 && data[66] <= 30);
		break;
	}
	return 0;
}
