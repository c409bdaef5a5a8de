/*
 * fuzz_env_file.c - an environment file may hold anything: values stay inside it.
 */
#include <assert.h>
#include <stdint.h>

#include "launcher/enter/env_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bounds {
	const char *start, *end;
};

static int
check(void *context, struct span name, struct span value)
{
	const struct bounds *b = context;

	assert(name.len > 0 && name.ptr >= b->start && name.ptr + name.len <= b->end);
	assert(value.ptr >= b->start && value.ptr + value.len <= b->end);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct bounds b = { text, text + size };

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	assert(env_file_parse(text, size, check, &b) == 0);
	free(text);
	return 0;
}
