/*
 * test_log.c - common/log.h: an event is one line, whatever is in it, and errno survives.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "common/log.h"

static char said[16384];
static int saved_stderr = -EBADF, capture = -EBADF;

/* Standard error goes into memory until heard(). */
static void
listen_to_stderr(void)
{
	capture = memfd_create("stderr", MFD_CLOEXEC);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(capture >= 0 && saved_stderr >= 0);
	assert_int_equal(dup2(capture, STDERR_FILENO), STDERR_FILENO);
}

static const char *
heard(void)
{
	ssize_t n;

	assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	n = pread(capture, said, sizeof(said) - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	fd_closep(&capture);
	fd_closep(&saved_stderr);
	return said;
}

static void
text_lines(void **state)
{
	(void)state;
	listen_to_stderr();
	log_setup("sallyport[test]", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_info("ready");
	log_unit(LOG_LEVEL_NOTICE, "web.service", "started, pid %d", 12);
	log_warning("careful");
	log_error("no");
	log_debug("not shown");
	assert_string_equal(heard(), "sallyport[test]: ready\n"
				     "sallyport[test]: web.service: started, pid 12\n"
				     "sallyport[test]: warning: careful\n"
				     "sallyport[test]: error: no\n");
}

static void
a_peer_cannot_add_lines(void **state)
{
	(void)state;
	listen_to_stderr();
	log_setup("p", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	log_info("status: %s", "ok\np: error: forged\x1b[2J\x7f");
	assert_string_equal(heard(), "p: status: ok\\x0ap: error: forged\\x1b[2J\\x7f\n");
}

static void
json_lines(void **state)
{
	const char *line;

	(void)state;
	listen_to_stderr();
	log_setup("p", LOG_FORMAT_JSON, LOG_LEVEL_DEBUG);
	log_unit(LOG_LEVEL_WARNING, "a.socket", "two\nlines");
	line = heard();
	log_setup("p", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	/* {"time":"2026-01-02T03:04:05.123456Z", then what does not change */
	assert_int_equal(strncmp(line, "{\"time\":\"2", 10), 0);
	assert_string_equal(strstr(line, "Z\",") + 3,
	    "\"level\":\"warning\",\"program\":\"p\",\"unit\":\"a.socket\","
	    "\"message\":\"two\\u000alines\"}\n");
}

static void
a_line_that_grows_by_escapes_is_cut_whole(void **state)
{
	char text[4000];
	const char *line;
	size_t n;

	(void)state;
	memset(text, '\x01', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (enum log_format f = LOG_FORMAT_TEXT; f <= LOG_FORMAT_JSON; f++) {
		listen_to_stderr();
		log_setup("p", f, LOG_LEVEL_INFO);
		log_info("%s", text);
		line = heard();
		log_setup("p", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
		n = strlen(line);
		assert_in_range(n, 1000, 4096);
		assert_int_equal(line[n - 1], '\n');
		assert_ptr_equal(strchr(line, '\n'), line + n - 1);
		if (f == LOG_FORMAT_JSON)
			assert_string_equal(line + n - 9, "\\u0001\"}\n");
	}
}

static void
errno_survives(void **state)
{
	(void)state;
	listen_to_stderr();
	errno = EXDEV;
	log_info("x");
	assert_int_equal(errno, EXDEV);
	(void)heard();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),
		cmocka_unit_test(a_peer_cannot_add_lines),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(a_line_that_grows_by_escapes_is_cut_whole),
		cmocka_unit_test(errno_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
