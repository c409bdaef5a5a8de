/*
 * result_table.c - the words of enum service_result, as systemd has them. Data only.
 * Runs as: in a child between fork and exec, and in the manager.
 */
#include "launcher/enter/enter.h"

const char *const service_results[RESULT_END] = {
	[RESULT_SUCCESS] = "success",
	[RESULT_RESOURCES] = "resources",
	[RESULT_PROTOCOL] = "protocol",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_EXIT_CODE] = "exit-code",
	[RESULT_SIGNAL] = "signal",
	[RESULT_CORE_DUMP] = "core-dump",
	[RESULT_WATCHDOG] = "watchdog",
	[RESULT_START_LIMIT] = "start-limit-hit",
	[RESULT_CONDITION] = "exec-condition",
	[RESULT_ASSERT] = "assert",
	[RESULT_DEPENDENCY] = "dependency",
};
