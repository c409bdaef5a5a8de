/*
 * driver.c - runs a fuzz target over its seed corpus, for builds without libFuzzer.
 * Usage: TARGET FOLDER; every file in it is one input. Prints how many ran; none is a failure.
 */
#include <dirent.h>
#include <stdint.h>

#include "common/cleanup.h"

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *folder, const char *name)
{
	char path[4096];
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ uint8_t *data = malloc(INPUT_MAX);
	size_t n;

	if (!data)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rbe");
	if (!f)
		return -errno;
	n = fread(data, 1, INPUT_MAX, f);
	(void)LLVMFuzzerTestOneInput(data, n); /* always 0 by contract: a finding is a crash */
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned n = 0;
	DIR *d;

	if (argc != 2)
		return 2;
	d = opendir(argv[1]);
	if (!d) {
		perror(argv[1]);
		return 1;
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		if (run_file(argv[1], e->d_name) < 0) {
			perror(e->d_name);
			return 1;
		}
		n++;
	}
	(void)closedir(d);
	(void)printf("%u inputs\n", n);
	return n > 0 ? 0 : 1;
}
