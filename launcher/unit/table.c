/*
 * table.c - one row for each directive: section, name, what is done about it, and in one sentence
 *           what that is or why not. See directive.h.
 *
 * ENFORCED  does what it says; a value that is none is ignored with a warning, as in systemd.
 * STRICT    does what it says; a value that is none stops the load.
 * NOTED     harmless where it is missing: ignored, and said so.
 * REFUSED   would protect, or change what runs: the load stops, unless --unenforced names it. With
 *           parse_off, a value that switches it off is fine.
 */
#include "launcher/unit/parse.h"

#define ROW(sec, class, name, parse, field, arg, text) \
	{ \
		SECTION_##sec, DIRECTIVE_##class, name, parse, offsetof(struct draft, field), arg, \
		    text \
	}
#define ENFORCED(sec, name, parse, field, text) ROW(sec, ENFORCED, name, parse, field, NULL, text)
#define STRICT(sec, name, parse, field, text) ROW(sec, STRICT, name, parse, field, NULL, text)
#define CHOICE(sec, class, name, names, field, text) \
	ROW(sec, class, name, parse_enum, field, names, text)
#define NOTED(sec, name, text) \
	{ \
		SECTION_##sec, DIRECTIVE_NOTED, name, NULL, 0, NULL, text \
	}
#define REFUSED(sec, name, off, text) \
	{ \
		SECTION_##sec, DIRECTIVE_REFUSED, name, off, 0, NULL, text \
	}

static const char *const service_types[] = { "simple", "exec", "notify", NULL };
static const char *const notify_access[] = { "none", "main", "exec", "all", NULL };

_Static_assert(ELEMENTSOF(service_types) <= SERVICE_TYPE_END + 1, "in their order");
_Static_assert(ELEMENTSOF(notify_access) == NOTIFY_ACCESS_END + 1, "one name each");

/* Sentences that many rows share. */
#define NOT_YET "not enforced yet"
#define ORDER "no order among units is kept yet"
#define TARGETS "there are no targets, mounts or devices here"
#define BY_HAND "is about systemctl and jobs, which are systemd's"
#define NO_CGROUP "is a share of a control group; without one nothing is shared out"
#define CGROUP "needs a control group, which the launcher does not make"
#define MOUNTS "needs a mount namespace, not built yet"
#define NAMESPACE "needs a namespace, not built yet"
#define SYSCALLS "needs a system call filter, not built yet"
#define OPTION "a socket option, not set yet"

/* clang-format off */
const struct directive directive_table[] = {
	/* [Unit], systemd.unit(5) */
	ENFORCED(UNIT, "Description", parse_string, unit.description, "Name for people, in messages and status."),
	NOTED(UNIT, "Documentation", "is for people"),
	NOTED(UNIT, "After", ORDER),
	NOTED(UNIT, "Before", ORDER),
	NOTED(UNIT, "Requires", ORDER),
	NOTED(UNIT, "Requisite", ORDER),
	NOTED(UNIT, "Wants", ORDER),
	NOTED(UNIT, "BindsTo", ORDER),
	NOTED(UNIT, "PartOf", ORDER),
	NOTED(UNIT, "Upholds", ORDER),
	NOTED(UNIT, "Conflicts", ORDER),
	NOTED(UNIT, "OnFailure", BY_HAND),
	NOTED(UNIT, "OnSuccess", BY_HAND),
	NOTED(UNIT, "OnFailureJobMode", BY_HAND),
	NOTED(UNIT, "PropagatesReloadTo", BY_HAND),
	NOTED(UNIT, "ReloadPropagatedFrom", BY_HAND),
	NOTED(UNIT, "PropagatesStopTo", BY_HAND),
	NOTED(UNIT, "StopPropagatedFrom", BY_HAND),
	NOTED(UNIT, "DefaultDependencies", TARGETS),
	NOTED(UNIT, "RequiresMountsFor", TARGETS),
	NOTED(UNIT, "IgnoreOnIsolate", TARGETS),
	NOTED(UNIT, "AllowIsolate", TARGETS),
	NOTED(UNIT, "RefuseManualStart", BY_HAND),
	NOTED(UNIT, "RefuseManualStop", BY_HAND),
	NOTED(UNIT, "StopWhenUnneeded", BY_HAND),
	NOTED(UNIT, "CollectMode", BY_HAND),
	NOTED(UNIT, "SourcePath", "is for people"),
	NOTED(UNIT, "JobTimeoutSec", BY_HAND),
	NOTED(UNIT, "JobRunningTimeoutSec", BY_HAND),
	NOTED(UNIT, "JobTimeoutAction", BY_HAND),
	REFUSED(UNIT, "JoinsNamespaceOf", NULL, NAMESPACE),
	REFUSED(UNIT, "StartLimitAction", NULL, "the launcher reboots nothing"),
	REFUSED(UNIT, "FailureAction", NULL, "the launcher reboots nothing"),
	REFUSED(UNIT, "SuccessAction", NULL, "the launcher reboots nothing"),
	NOTED(UNIT, "StartLimitIntervalSec", NOT_YET),
	NOTED(UNIT, "StartLimitInterval", NOT_YET),
	NOTED(UNIT, "StartLimitBurst", NOT_YET),
	REFUSED(UNIT, "ConditionPathExists", NULL, NOT_YET),

	/* [Socket], systemd.socket(5) */
	STRICT(SOCKET, "ListenStream", parse_listen_stream, unit.socket.listens, "A stream socket: TCP, unix or vsock."),
	STRICT(SOCKET, "ListenDatagram", parse_listen_datagram, unit.socket.listens, "A datagram socket: UDP or unix."),
	STRICT(SOCKET, "ListenSequentialPacket", parse_listen_seqpacket, unit.socket.listens, "A unix sequential-packet socket."),
	ENFORCED(SOCKET, "FileDescriptorName", parse_fd_name, unit.socket.fd_name, "The name in LISTEN_FDNAMES."),
	STRICT(SOCKET, "Service", parse_service_name, service_name, "The service that traffic starts."),
	ENFORCED(SOCKET, "Backlog", parse_u32, unit.socket.backlog, "Queue of listen(2); the kernel caps it at net.core.somaxconn."),
	STRICT(SOCKET, "SocketMode", parse_mode, unit.socket.mode, "Access mode of a unix socket's file."),
	STRICT(SOCKET, "DirectoryMode", parse_mode, unit.socket.directory_mode, "Mode of directories made on the way to it."),
	STRICT(SOCKET, "SocketUser", parse_user, unit.socket.user, "Owner of a unix socket's file."),
	STRICT(SOCKET, "SocketGroup", parse_user, unit.socket.group, "Group of a unix socket's file."),
	ENFORCED(SOCKET, "NoDelay", parse_bool, unit.socket.no_delay, "TCP_NODELAY."),
	REFUSED(SOCKET, "Accept", parse_off, NOT_YET),
	NOTED(SOCKET, "RemoveOnStop", NOT_YET),

	/* [Service], systemd.service(5) */
	STRICT(SERVICE, "ExecStart", parse_command, unit.service.commands[COMMAND_START], "The server."),
	CHOICE(SERVICE, STRICT, "Type", service_types, unit.service.type, "When a start counts as done."),
	CHOICE(SERVICE, STRICT, "NotifyAccess", notify_access, unit.service.notify_access, "Who may speak at NOTIFY_SOCKET."),
	ENFORCED(SERVICE, "NonBlocking", parse_bool, unit.service.non_blocking, "O_NONBLOCK on passed sockets; otherwise it is cleared."),
	ENFORCED(SERVICE, "RestartSec", parse_usec, unit.service.restart_usec, "Pause before a new start."),
	ENFORCED(SERVICE, "TimeoutStartSec", parse_usec_limit, unit.service.timeout_start_usec, "A start that takes longer has failed."),
	ENFORCED(SERVICE, "TimeoutStopSec", parse_usec_limit, unit.service.timeout_stop_usec, "SIGKILL for what takes longer to stop."),
	ENFORCED(SERVICE, "TimeoutSec", parse_timeout, unit.service, "Both of these."),
	STRICT(SERVICE, "Sockets", parse_words, socket_names, "Socket units whose descriptors it gets as well."),

	/* systemd.exec(5) */
	STRICT(EXEC, "User", parse_user, unit.exec.user, "Whom the child becomes, for good."),
	STRICT(EXEC, "Group", parse_user, unit.exec.group, "The same for the group."),
	STRICT(EXEC, "SupplementaryGroups", parse_words, supplementary, "More groups."),
	STRICT(EXEC, "Environment", parse_environment, unit.exec.environment, "Variables of the child."),
	STRICT(EXEC, "WorkingDirectory", parse_directory, unit.exec.cwd, "chdir(2) as the unit's user."),
	STRICT(EXEC, "NoNewPrivileges", parse_bool, unit.exec.no_new_privs, "No setuid binary gives the child anything; default yes unless root."),
	STRICT(EXEC, "CapabilityBoundingSet", parse_capabilities, unit.exec.cap_bounding, "What no child can ever have; default empty unless root."),
	REFUSED(EXEC, "PrivateTmp", parse_off, MOUNTS),

	/* [Install]: systemctl enable's */
	NOTED(INSTALL, "WantedBy", BY_HAND),
	NOTED(INSTALL, "RequiredBy", BY_HAND),
	NOTED(INSTALL, "UpheldBy", BY_HAND),
	NOTED(INSTALL, "Also", BY_HAND),
	NOTED(INSTALL, "Alias", BY_HAND),
	NOTED(INSTALL, "DefaultInstance", BY_HAND),
};
/* clang-format on */

const size_t directive_count = ELEMENTSOF(directive_table);
