/*
 * references.c - data: a field that is added to plan.h and refers to something needs a row here.
 * Runs as: nobody; verify.c reads it.
 */
#include "launcher/unit/references.h"

#include <stddef.h>

#define FIELD(name, target) \
	{ \
#name, offsetof(struct plan_unit, name), 0, 1, target \
	}
#define FIELDS(name, member, target) \
	{ \
#name, offsetof(struct plan_unit, name[0] member), \
		    sizeof(((struct plan_unit *)0)->name[0]), \
		    ELEMENTSOF(((struct plan_unit *)0)->name), target \
	}

const struct reference references[] = {
	FIELD(id, TO_STRING),
	FIELD(description, TO_STRING),
	FIELD(path, TO_STRING),
	FIELD(aliases, TO_WORDS),
	FIELDS(dependencies, , TO_UNITS),
	FIELD(conditions, TO_CONDITIONS),
	FIELD(assertions, TO_CONDITIONS),
	FIELD(exec.user, TO_STRING),
	FIELD(exec.group, TO_STRING),
	FIELD(exec.user_name, TO_STRING),
	FIELD(exec.home, TO_STRING),
	FIELD(exec.shell, TO_STRING),
	FIELD(exec.environment, TO_WORDS),
	FIELD(exec.cwd, TO_STRING),
	FIELD(exec.environment_files, TO_ENV_FILES),
	FIELD(exec.credentials, TO_CREDENTIALS),
	FIELD(exec.pass_environment, TO_WORDS),
	FIELD(exec.unset_environment, TO_WORDS),
	FIELD(exec.stdin_to.path, TO_STRING),
	FIELD(exec.stdout_to.path, TO_STRING),
	FIELD(exec.stderr_to.path, TO_STRING),
	FIELDS(exec.directories, .paths, TO_BELOW),
	FIELD(socket.listens, TO_LISTENS),
	FIELD(socket.fd_name, TO_STRING),
	FIELD(socket.fd_names, TO_WORDS),
	FIELD(socket.user, TO_STRING),
	FIELD(socket.group, TO_STRING),
	FIELD(socket.symlinks, TO_WORDS),
	FIELD(socket.bind_to_device, TO_STRING),
	FIELD(socket.tcp_congestion, TO_STRING),
	FIELDS(service.commands, , TO_COMMANDS),
	FIELD(service.sockets, TO_UNITS),
	FIELD(service.pid_file, TO_STRING),
};
const size_t references_count = ELEMENTSOF(references);
