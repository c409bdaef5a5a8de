/*
 * asan.c - linked into every program of a build with sanitizers, and into no library.
 * Runs as: every process of ours, root included; in tests only.
 */
const char *__asan_default_options(void);

/*
 * The leak checker traces its own process. Launcher and signer cannot be traced, and in a launcher's
 * box it now and then waited for ever when a worker left. The unit tests look for leaks, and the
 * tests that start the worker themselves ask for it.
 */
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
