/*
 * service_names.c - the words of systemctl(1) for states and results. See service.h.
 * Runs as: manager.
 */
#include "launcher/manager/service.h"

#include <assert.h>

static const struct {
	const char *sub, *active;
} state_names[] = {
	[STATE_DEAD] = { "dead", "inactive" },
	[STATE_CONDITION] = { "condition", "activating" },
	[STATE_START_PRE] = { "start-pre", "activating" },
	[STATE_START] = { "start", "activating" },
	[STATE_START_POST] = { "start-post", "activating" },
	[STATE_RUNNING] = { "running", "active" },
	[STATE_EXITED] = { "exited", "active" },
	[STATE_RELOAD] = { "reload", "reloading" },
	[STATE_STOP] = { "stop", "deactivating" },
	[STATE_STOP_WATCHDOG] = { "stop-watchdog", "deactivating" },
	[STATE_STOP_SIGTERM] = { "stop-sigterm", "deactivating" },
	[STATE_STOP_SIGKILL] = { "stop-sigkill", "deactivating" },
	[STATE_STOP_POST] = { "stop-post", "deactivating" },
	[STATE_FINAL_SIGTERM] = { "final-sigterm", "deactivating" },
	[STATE_FINAL_SIGKILL] = { "final-sigkill", "deactivating" },
	[STATE_CLEANING] = { "cleaning", "deactivating" },
	[STATE_FAILED] = { "failed", "failed" },
	[STATE_AUTO_RESTART] = { "auto-restart", "activating" },
};
static_assert(ELEMENTSOF(state_names) == STATE_END, "a name per state");

const char *
service_state_name(uint32_t state)
{
	return state < STATE_END ? state_names[state].sub : "?";
}

const char *
service_active_name(uint32_t state)
{
	return state < STATE_END ? state_names[state].active : "?";
}

const char *
service_result_name(uint32_t result)
{
	return result < RESULT_END ? service_results[result] : "?";
}

bool
service_is_down(enum service_state state)
{
	return state == STATE_DEAD || state == STATE_FAILED;
}

bool
service_is_up(enum service_state state)
{
	return state == STATE_RUNNING || state == STATE_EXITED || state == STATE_RELOAD;
}

bool
service_is_stopping(enum service_state state)
{
	return state >= STATE_STOP && state <= STATE_CLEANING;
}
