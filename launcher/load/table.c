/*
 * table.c - one row for each directive: section, name, what is done about it, and in one sentence
 *           what that is or why not. See directive.h.
 *
 * ENFORCED  does what it says; a value that is none is ignored with a warning, as in systemd.
 * STRICT    does what it says; a value that is none stops the load.
 * PENDING   is read and kept, but nothing acts on it yet: refused. What acts on it changes the word.
 * NOTED     harmless where it is missing: ignored, and said so.
 * REFUSED   would protect, or change what runs: the load stops, unless --unenforced names it. With
 *           parse_off, a value that switches it off is fine.
 */
#include <limits.h>
#include <sys/resource.h>

#include "common/capname.h"
#include "launcher/load/parse.h"

/* clang-format off */
#define ROW(sec, class, name, parse, field, arg, text) \
	{ SECTION_##sec, DIRECTIVE_##class, name, P_##parse, offsetof(struct draft, field), A_##arg, text }
#define ENFORCED(sec, name, parse, field, text) ROW(sec, ENFORCED, name, parse, field, none, text)
#define STRICT(sec, name, parse, field, text) ROW(sec, STRICT, name, parse, field, none, text)
#define PENDING(sec, name, parse, field, text) ROW(sec, PENDING, name, parse, field, none, text)
#define NOTED(sec, name, text) { SECTION_##sec, DIRECTIVE_NOTED, name, P_NULL, 0, A_none, text }
#define REFUSED(sec, name, off, text) { SECTION_##sec, DIRECTIVE_REFUSED, name, P_##off, 0, A_none, text }

/* Families of rows that differ in one word. */
#define NEEDS(class, name, list, text) \
	ROW(UNIT, class, name, parse_dependencies, dependency_names[DEPENDENCY_##list], none, text)
#define CONDITION(class, name, text) \
	ROW(UNIT, class, "Condition" name, parse_condition, unit.conditions, none, text), \
	ROW(UNIT, class, "Assert" name, parse_condition, unit.assertions, none, text)
#define NOT_LOOKED_AT(name) \
	REFUSED(UNIT, "Condition" name, NULL, "a condition that is not looked at here"), \
	REFUSED(UNIT, "Assert" name, NULL, "a condition that is not looked at here")
#define OPTION(name, parse, field, arg, text) \
	ROW(SOCKET, ENFORCED, name, parse, unit.socket.field, arg, text)
#define LIMIT(name, parse) \
	ROW(EXEC, STRICT, "Limit" #name, parse, unit.exec.limits[RLIMIT_##name], none, "setrlimit(2); at most what the launcher may give.")
#define FOLDERS(class, name, kind, text) \
	ROW(EXEC, class, name, parse_directories, unit.exec.directories[DIRECTORY_##kind].paths, none, text), \
	ROW(EXEC, class, name "Mode", parse_mode, unit.exec.directories[DIRECTORY_##kind].mode, none, "Mode of those.")
/* clang-format on */

/* The words of each enum, in its order. */
static const char *const types[] = { "simple", "exec", "notify", "oneshot", "forking", NULL };
static const char *const access_words[] = { "none", "main", "exec", "all", NULL };
static const char *const restart_words[] = { "no", "on-success", "on-failure", "on-abnormal",
	"on-abort", "on-watchdog", "always", NULL };
static const char *const kill_words[] = { "control-group", "process", "mixed", "none", NULL };
static const char *const preserve_words[] = { "no", "restart", "yes", NULL };
static const char *const action_words[] = { "pause", "fail", NULL };
static const char *const stamp_words[] = { "off", "us", "ns", NULL };

_Static_assert(ELEMENTSOF(types) == SERVICE_TYPE_END + 1, "one word each");
_Static_assert(ELEMENTSOF(access_words) == NOTIFY_ACCESS_END + 1, "one word each");
_Static_assert(ELEMENTSOF(restart_words) == RESTART_END + 1, "one word each");
_Static_assert(ELEMENTSOF(kill_words) == KILL_MODE_END + 1, "one word each");
_Static_assert(ELEMENTSOF(action_words) == TRIGGER_LIMIT_END + 1, "one word each");
_Static_assert(ELEMENTSOF(preserve_words) == PRESERVE_END + 1, "one word each");

/* What numbers may be. */
static const struct parse_range any[] = { { INT_MIN, INT_MAX } }, natural[] = { { 0, INT_MAX } },
				byte[] = { { 0, 255 } }, ttl[] = { { 1, 255 } },
				oom[] = { { -1000, 1000 } }, niceness[] = { { -20, 19 } };
static const uint64_t all_caps[] = { CAPNAME_ALL }, no_caps[] = { 0 };

/* What a row names is an index: without pointers the table is never relocated, so it is no memory of
 * the process that keeps it mapped and has no use for it, the monitor's. */
/* clang-format off */
#define PARSERS(X) \
	X(parse_ambient) X(parse_bind_ipv6_only) X(parse_bool) X(parse_capabilities) \
	X(parse_command) X(parse_condition) X(parse_dependencies) X(parse_directories) \
	X(parse_directory) X(parse_enum) X(parse_environment) X(parse_environment_file) \
	X(parse_fd_name) X(parse_ip_tos) X(parse_limit_bytes) X(parse_limit_count) \
	X(parse_limit_nice) X(parse_limit_sec) X(parse_limit_usec) X(parse_listen_datagram) \
	X(parse_listen_fifo) X(parse_listen_netlink) X(parse_listen_queue) X(parse_listen_seqpacket) \
	X(parse_listen_special) X(parse_listen_stream) X(parse_load_credential) X(parse_mode) \
	X(parse_off) X(parse_opt_bool) X(parse_opt_bytes) X(parse_opt_enum) \
	X(parse_opt_number) X(parse_opt_seconds) X(parse_pid_file) X(parse_protocol) \
	X(parse_service_name) X(parse_service_type) X(parse_signal) X(parse_statuses) \
	X(parse_stdin) X(parse_stdout) X(parse_string) X(parse_timeout) X(parse_u32) \
	X(parse_usec) X(parse_usec_limit) X(parse_user) X(parse_words)
#define ARGS(X) \
	X(types) X(access_words) X(restart_words) X(kill_words) X(preserve_words) \
	X(action_words) X(stamp_words) X(any) X(natural) X(byte) X(ttl) X(oom) X(niceness) \
	X(all_caps) X(no_caps)
/* clang-format on */
#define X(name) P_##name,
enum { P_NULL, PARSERS(X) };
#undef X
#define X(name) A_##name,
enum { A_none, ARGS(X) };
#undef X
#define X(name) [P_##name] = name,
parse_fn *const directive_parsers[] = { PARSERS(X) };
#undef X
#define X(name) [A_##name] = name,
const void *const directive_args[] = { ARGS(X) };
#undef X

/* Sentences that many rows share. */
#define TARGETS "there are no targets, mounts or devices here"
#define SYSTEMCTL "is for systemctl, whose jobs are systemd's own"
#define REBOOT "the launcher reboots nothing"
#define SHARE "is a share of a control group: without one, nothing is divided"
#define CGROUP "needs a control group, which the launcher does not make"
#define MOUNTS "needs a mount namespace, not built yet"
#define SPACES "needs a namespace, not built yet"
#define CALLS "needs a system call filter, not built yet"
#define SECRETS "hands over credentials, not built yet"
#define IMAGES "runs disk images, not done here"
#define LABELS "is for a security module, not done here"
#define SCHEDULE "sets a scheduling class, not done here"
#define TTY "is for terminals, not done here"
#define LOGGING "is for the journal; output goes to the launcher's log"
#define OWN "a command of the socket's own, not run yet"

/* clang-format off */
const struct directive directive_table[] = {
	/* [Unit], systemd.unit(5) */
	ENFORCED(UNIT, "Description", parse_string, unit.description, "A name for people, in messages and status."),
	NOTED(UNIT, "Documentation", "is for people"),
	NOTED(UNIT, "SourcePath", "is for people"),
	NEEDS(ENFORCED, "Requires", REQUIRES, "Loaded and started with it, and stopped with it."),
	NEEDS(ENFORCED, "Requisite", REQUISITE, "Must be active already."),
	NEEDS(ENFORCED, "Wants", WANTS, "Loaded and started with it, whatever comes of that."),
	NEEDS(ENFORCED, "BindsTo", BINDS_TO, "As Requires=, and stopped also when that one ends by itself."),
	NEEDS(ENFORCED, "PartOf", PART_OF, "Stopped and restarted with that one."),
	NEEDS(ENFORCED, "Conflicts", CONFLICTS, "That one is stopped first."),
	NEEDS(ENFORCED, "After", AFTER, "Started after that one, stopped before it."),
	NEEDS(ENFORCED, "Before", BEFORE, "The reverse of After=."),
	NOTED(UNIT, "Upholds", "is not done: a service that ends is Restart='s business"),
	CONDITION(ENFORCED, "PathExists", "Started only if there is such a file."),
	CONDITION(ENFORCED, "PathExistsGlob", "The same for a pattern, glob(7)."),
	CONDITION(ENFORCED, "PathIsDirectory", "The same for a directory."),
	CONDITION(ENFORCED, "PathIsSymbolicLink", "The same for a symbolic link."),
	CONDITION(ENFORCED, "PathIsReadWrite", "The same for a writable file system."),
	CONDITION(ENFORCED, "DirectoryNotEmpty", "The same for a directory with something in it."),
	CONDITION(ENFORCED, "FileNotEmpty", "The same for a file with something in it."),
	CONDITION(ENFORCED, "FileIsExecutable", "The same for a program."),
	CONDITION(ENFORCED, "User", "Who runs the launcher."),
	CONDITION(ENFORCED, "Group", "Which group the launcher has."),
	CONDITION(ENFORCED, "Host", "The host's name or machine id."),
	CONDITION(ENFORCED, "KernelCommandLine", "A word the kernel was booted with."),
	CONDITION(ENFORCED, "Capability", "A capability in the launcher's bounding set."),
	CONDITION(ENFORCED, "Virtualization", "A container or virtual machine, or which."),
	CONDITION(ENFORCED, "Security", "A security module that is on."),
	NOT_LOOKED_AT("PathIsMountPoint"), NOT_LOOKED_AT("PathIsEncrypted"),
	NOT_LOOKED_AT("Architecture"), NOT_LOOKED_AT("Firmware"),
	NOT_LOOKED_AT("KernelVersion"), NOT_LOOKED_AT("Environment"), NOT_LOOKED_AT("ACPower"),
	NOT_LOOKED_AT("NeedsUpdate"), NOT_LOOKED_AT("FirstBoot"), NOT_LOOKED_AT("Memory"),
	NOT_LOOKED_AT("CPUs"), NOT_LOOKED_AT("CPUFeature"), NOT_LOOKED_AT("OSRelease"),
	NOT_LOOKED_AT("ControlGroupController"), NOT_LOOKED_AT("MemoryPressure"),
	NOT_LOOKED_AT("CPUPressure"), NOT_LOOKED_AT("IOPressure"), NOT_LOOKED_AT("Credential"),
	ENFORCED(UNIT, "StartLimitIntervalSec", parse_usec, unit.service.start_limit_usec, "Window for StartLimitBurst=."),
	ENFORCED(UNIT, "StartLimitInterval", parse_usec, unit.service.start_limit_usec, "Its older name."),
	ENFORCED(UNIT, "StartLimitBurst", parse_u32, unit.service.start_limit_burst, "After so many starts in the window it stays down."),
	REFUSED(UNIT, "StartLimitAction", NULL, REBOOT),
	REFUSED(UNIT, "FailureAction", NULL, REBOOT),
	REFUSED(UNIT, "SuccessAction", NULL, REBOOT),
	REFUSED(UNIT, "JobTimeoutAction", NULL, REBOOT),
	REFUSED(UNIT, "JoinsNamespaceOf", NULL, SPACES),
	NOTED(UNIT, "DefaultDependencies", TARGETS),
	NOTED(UNIT, "RequiresMountsFor", TARGETS),
	NOTED(UNIT, "WantsMountsFor", TARGETS),
	NOTED(UNIT, "IgnoreOnIsolate", TARGETS),
	NOTED(UNIT, "AllowIsolate", TARGETS),
	NOTED(UNIT, "OnFailure", SYSTEMCTL),
	NOTED(UNIT, "OnSuccess", SYSTEMCTL),
	NOTED(UNIT, "OnFailureJobMode", SYSTEMCTL),
	NOTED(UNIT, "PropagatesReloadTo", SYSTEMCTL),
	NOTED(UNIT, "ReloadPropagatedFrom", SYSTEMCTL),
	NOTED(UNIT, "PropagatesStopTo", SYSTEMCTL),
	NOTED(UNIT, "StopPropagatedFrom", SYSTEMCTL),
	NOTED(UNIT, "RefuseManualStart", SYSTEMCTL),
	NOTED(UNIT, "RefuseManualStop", SYSTEMCTL),
	NOTED(UNIT, "StopWhenUnneeded", SYSTEMCTL),
	NOTED(UNIT, "CollectMode", SYSTEMCTL),
	NOTED(UNIT, "JobTimeoutSec", SYSTEMCTL),
	NOTED(UNIT, "JobRunningTimeoutSec", SYSTEMCTL),
	NOTED(UNIT, "SurviveFinalKillSignal", SYSTEMCTL),

	/* [Socket], systemd.socket(5): what it opens */
	STRICT(SOCKET, "ListenStream", parse_listen_stream, unit.socket.listens, "A stream socket: TCP, unix or vsock."),
	STRICT(SOCKET, "ListenDatagram", parse_listen_datagram, unit.socket.listens, "A datagram socket: UDP or unix."),
	STRICT(SOCKET, "ListenSequentialPacket", parse_listen_seqpacket, unit.socket.listens, "A unix sequential-packet socket."),
	STRICT(SOCKET, "ListenFIFO", parse_listen_fifo, unit.socket.listens, "A FIFO in the file system."),
	STRICT(SOCKET, "ListenSpecial", parse_listen_special, unit.socket.listens, "A device or a file of /proc or /sys."),
	STRICT(SOCKET, "ListenNetlink", parse_listen_netlink, unit.socket.listens, "A netlink socket, family and groups."),
	STRICT(SOCKET, "ListenMessageQueue", parse_listen_queue, unit.socket.listens, "A POSIX message queue."),
	REFUSED(SOCKET, "ListenUSBFunction", NULL, "is not done here"),
	STRICT(SOCKET, "SocketProtocol", parse_protocol, unit.socket.protocol, "udplite, sctp or mptcp."),
	STRICT(SOCKET, "SocketMode", parse_mode, unit.socket.mode, "Access mode of a socket's or FIFO's file."),
	STRICT(SOCKET, "DirectoryMode", parse_mode, unit.socket.directory_mode, "Mode of directories made on the way to it."),
	STRICT(SOCKET, "SocketUser", parse_user, unit.socket.user, "Owner of that file."),
	STRICT(SOCKET, "SocketGroup", parse_user, unit.socket.group, "Group of that file."),
	STRICT(SOCKET, "Symlinks", parse_words, unit.socket.symlinks, "Links to that file."),
	STRICT(SOCKET, "RemoveOnStop", parse_bool, unit.socket.remove_on_stop, "The file goes when the socket is closed."),
	STRICT(SOCKET, "Writable", parse_bool, unit.socket.writable, "ListenSpecial= opens for writing as well."),

	/* [Socket]: what traffic does */
	STRICT(SOCKET, "Service", parse_service_name, service_name, "The service that traffic starts."),
	ENFORCED(SOCKET, "Accept", parse_bool, unit.socket.accept, "An instance of the service for each connection."),
	ENFORCED(SOCKET, "FileDescriptorName", parse_fd_name, unit.socket.fd_name, "The name in LISTEN_FDNAMES."),
	ENFORCED(SOCKET, "MaxConnections", parse_u32, unit.socket.max_connections, "So many instances at a time."),
	ENFORCED(SOCKET, "MaxConnectionsPerSource", parse_u32, unit.socket.max_connections_per_source, "So many of one peer's."),
	ENFORCED(SOCKET, "FlushPending", parse_bool, unit.socket.flush_pending, "What waits is thrown away before listening again."),
	ENFORCED(SOCKET, "TriggerLimitIntervalSec", parse_usec, unit.socket.trigger_limit_usec, "Window for TriggerLimitBurst=."),
	ENFORCED(SOCKET, "TriggerLimitBurst", parse_u32, unit.socket.trigger_limit_burst, "After so many starts in the window there is a pause."),
	ROW(SOCKET, ENFORCED, "X-Sallyport-TriggerLimitAction", parse_enum, unit.socket.trigger_limit_action, action_words, "pause: one that grows; fail: as in systemd, it has failed until it is started again."),
	ENFORCED(SOCKET, "PollLimitIntervalSec", parse_usec, unit.socket.poll_limit_usec, "Window for PollLimitBurst=."),
	ENFORCED(SOCKET, "PollLimitBurst", parse_u32, unit.socket.poll_limit_burst, "After so many wake-ups in the window there is a pause."),
	REFUSED(SOCKET, "DeferTrigger", parse_off, "is not done here"),
	REFUSED(SOCKET, "DeferTriggerMaxSec", parse_off, "is not done here"),
	REFUSED(SOCKET, "ExecStartPre", NULL, OWN),
	REFUSED(SOCKET, "ExecStartPost", NULL, OWN),
	REFUSED(SOCKET, "ExecStopPre", NULL, OWN),
	REFUSED(SOCKET, "ExecStopPost", NULL, OWN),
	NOTED(SOCKET, "TimeoutSec", "is for commands of the socket's own"),
	NOTED(SOCKET, "PassFileDescriptorsToExec", "is for commands of the socket's own"),

	/* [Socket]: options; failing to set one is a warning */
	ENFORCED(SOCKET, "Backlog", parse_u32, unit.socket.backlog, "Queue of listen(2), capped by net.core.somaxconn."),
	OPTION("BindIPv6Only", parse_bind_ipv6_only, bind_ipv6_only, none, "IPV6_V6ONLY."),
	ROW(SOCKET, STRICT, "BindToDevice", parse_string, unit.socket.bind_to_device, none, "SO_BINDTODEVICE."),
	OPTION("ReusePort", parse_opt_bool, reuse_port, none, "SO_REUSEPORT."),
	OPTION("FreeBind", parse_opt_bool, free_bind, none, "IP_FREEBIND: an address the host does not have yet."),
	OPTION("Transparent", parse_opt_bool, transparent, none, "IP_TRANSPARENT."),
	OPTION("Broadcast", parse_opt_bool, broadcast, none, "SO_BROADCAST."),
	OPTION("NoDelay", parse_bool, no_delay, none, "TCP_NODELAY."),
	OPTION("KeepAlive", parse_opt_bool, keep_alive, none, "SO_KEEPALIVE."),
	OPTION("KeepAliveTimeSec", parse_opt_seconds, keep_alive_time, none, "TCP_KEEPIDLE."),
	OPTION("KeepAliveIntervalSec", parse_opt_seconds, keep_alive_interval, none, "TCP_KEEPINTVL."),
	OPTION("KeepAliveProbes", parse_opt_number, keep_alive_probes, natural, "TCP_KEEPCNT."),
	OPTION("DeferAcceptSec", parse_opt_seconds, defer_accept, none, "TCP_DEFER_ACCEPT."),
	OPTION("Priority", parse_opt_number, priority, any, "SO_PRIORITY."),
	OPTION("Mark", parse_opt_number, mark, any, "SO_MARK."),
	OPTION("IPTOS", parse_ip_tos, ip_tos, byte, "IP_TOS."),
	OPTION("IPTTL", parse_opt_number, ip_ttl, ttl, "IP_TTL, IPV6_UNICAST_HOPS."),
	OPTION("ReceiveBuffer", parse_opt_bytes, receive_buffer, none, "SO_RCVBUF, or SO_RCVBUFFORCE."),
	OPTION("SendBuffer", parse_opt_bytes, send_buffer, none, "SO_SNDBUF, or SO_SNDBUFFORCE."),
	OPTION("PassCredentials", parse_opt_bool, pass_credentials, none, "SO_PASSCRED."),
	OPTION("PassPIDFD", parse_opt_bool, pass_pidfd, none, "SO_PASSPIDFD."),
	OPTION("PassSecurity", parse_opt_bool, pass_security, none, "SO_PASSSEC."),
	OPTION("PassPacketInfo", parse_opt_bool, pass_packet_info, none, "IP_PKTINFO and its kin."),
	OPTION("AcceptFileDescriptors", parse_opt_bool, pass_rights, none, "SO_PASSRIGHTS."),
	OPTION("Timestamping", parse_opt_enum, timestamping, stamp_words, "SO_TIMESTAMP, SO_TIMESTAMPNS."),
	OPTION("TCPCongestion", parse_string, tcp_congestion, none, "TCP_CONGESTION."),
	OPTION("PipeSize", parse_opt_bytes, pipe_size, none, "F_SETPIPE_SZ of a FIFO."),
	OPTION("MessageQueueMaxMessages", parse_opt_number, mq_max_messages, natural, "mq_maxmsg, with the next."),
	OPTION("MessageQueueMessageSize", parse_opt_number, mq_message_size, natural, "mq_msgsize, with the last."),
	REFUSED(SOCKET, "SmackLabel", NULL, LABELS),
	REFUSED(SOCKET, "SmackLabelIPIn", NULL, LABELS),
	REFUSED(SOCKET, "SmackLabelIPOut", NULL, LABELS),
	REFUSED(SOCKET, "SELinuxContextFromNet", parse_off, LABELS),
	NOTED(SOCKET, "XAttrEntryPoint", "labels the socket for other programs"),
	NOTED(SOCKET, "XAttrListen", "labels the socket for other programs"),
	NOTED(SOCKET, "XAttrAccept", "labels the socket for other programs"),

	/* [Service], systemd.service(5) */
	ROW(SERVICE, STRICT, "Type", parse_service_type, unit.service.type, types, "When a start counts as done."),
	STRICT(SERVICE, "ExecStart", parse_command, unit.service.commands[COMMAND_START], "The server."),
	STRICT(SERVICE, "ExecStartPre", parse_command, unit.service.commands[COMMAND_START_PRE], "Before it; a failure stops the start."),
	STRICT(SERVICE, "ExecStartPost", parse_command, unit.service.commands[COMMAND_START_POST], "Once it is up."),
	STRICT(SERVICE, "ExecReload", parse_command, unit.service.commands[COMMAND_RELOAD], "To make it read its configuration anew."),
	STRICT(SERVICE, "ExecStop", parse_command, unit.service.commands[COMMAND_STOP], "To end it; what is left is signalled."),
	STRICT(SERVICE, "ExecStopPost", parse_command, unit.service.commands[COMMAND_STOP_POST], "After it ended, however it did."),
	REFUSED(SERVICE, "ExecCondition", NULL, "a condition that runs a command, not done here"),
	ROW(SERVICE, STRICT, "NotifyAccess", parse_enum, unit.service.notify_access, access_words, "Who may speak at NOTIFY_SOCKET."),
	ENFORCED(SERVICE, "NonBlocking", parse_bool, unit.service.non_blocking, "O_NONBLOCK on passed sockets; else it is cleared."),
	STRICT(SERVICE, "Sockets", parse_words, socket_names, "Socket units whose descriptors it gets as well."),
	ROW(SERVICE, ENFORCED, "Restart", parse_enum, unit.service.restart, restart_words, "After which ends it is started again."),
	ENFORCED(SERVICE, "RestartSec", parse_usec, unit.service.restart_usec, "Pause before that."),
	ENFORCED(SERVICE, "SuccessExitStatus", parse_statuses, unit.service.success, "More ends that count as good."),
	ENFORCED(SERVICE, "RestartPreventExitStatus", parse_statuses, unit.service.restart_prevent, "Ends after which it stays down."),
	ENFORCED(SERVICE, "RestartForceExitStatus", parse_statuses, unit.service.restart_force, "Ends after which it is always started again."),
	ENFORCED(SERVICE, "StartLimitInterval", parse_usec, unit.service.start_limit_usec, "Legacy place of [Unit] StartLimitIntervalSec=."),
	ENFORCED(SERVICE, "StartLimitBurst", parse_u32, unit.service.start_limit_burst, "Legacy place of the one in [Unit]."),
	ENFORCED(SERVICE, "TimeoutStartSec", parse_usec_limit, unit.service.timeout_start_usec, "A start that takes longer has failed."),
	ENFORCED(SERVICE, "TimeoutStopSec", parse_usec_limit, unit.service.timeout_stop_usec, "SIGKILL for what takes longer to stop."),
	ENFORCED(SERVICE, "TimeoutSec", parse_timeout, unit.service, "Both of these."),
	ENFORCED(SERVICE, "RuntimeMaxSec", parse_usec_limit, unit.service.runtime_max_usec, "A service that runs longer has failed."),
	ENFORCED(SERVICE, "WatchdogSec", parse_usec, unit.service.watchdog_usec, "It must say WATCHDOG=1 more often than this."),
	ENFORCED(SERVICE, "RemainAfterExit", parse_bool, unit.service.remain_after_exit, "Counts as active when all processes are gone."),
	ENFORCED(SERVICE, "PIDFile", parse_pid_file, unit.service.pid_file, "Where a forking service writes its main process."),
	STRICT(SERVICE, "PermissionsStartOnly", parse_bool, unit.service.permissions_start_only, "Legacy: \"+\" in front of all but ExecStart=."),
	PENDING(SERVICE, "FileDescriptorStoreMax", parse_u32, unit.service.fd_store_max, "So many descriptors may be left with the manager."),
	REFUSED(SERVICE, "FileDescriptorStorePreserve", parse_off, "is not done here"),
	REFUSED(SERVICE, "OpenFile", NULL, "is not done here"),
	REFUSED(SERVICE, "RootDirectoryStartOnly", parse_off, MOUNTS),
	NOTED(SERVICE, "BusName", "there is no bus here"),
	NOTED(SERVICE, "GuessMainPID", "a forking service names its main process by PIDFile="),
	NOTED(SERVICE, "TimeoutAbortSec", "is TimeoutStopSec= here"),
	NOTED(SERVICE, "TimeoutStartFailureMode", "SIGTERM, then SIGKILL"),
	NOTED(SERVICE, "TimeoutStopFailureMode", "SIGTERM, then SIGKILL"),
	NOTED(SERVICE, "RestartSteps", "the pause does not grow by steps"),
	NOTED(SERVICE, "RestartMaxDelaySec", "the pause does not grow by steps"),
	NOTED(SERVICE, "RestartRandomizedDelaySec", "the pause is not randomized"),
	NOTED(SERVICE, "RestartMode", "other units do not see restarts"),
	NOTED(SERVICE, "OOMPolicy", CGROUP),

	/* systemd.exec(5): who */
	STRICT(EXEC, "User", parse_user, unit.exec.user, "Whom the child becomes, for good."),
	STRICT(EXEC, "Group", parse_user, unit.exec.group, "Its group."),
	STRICT(EXEC, "SupplementaryGroups", parse_words, supplementary, "More groups."),
	REFUSED(EXEC, "DynamicUser", parse_off, "allocates a user, not built yet"),
	REFUSED(EXEC, "PAMName", NULL, "is not done here: PAM would run in root's half"),
	STRICT(EXEC, "NoNewPrivileges", parse_bool, unit.exec.no_new_privs, "No setuid program gives it anything; default yes unless root."),
	ROW(EXEC, STRICT, "CapabilityBoundingSet", parse_capabilities, unit.exec.cap_bounding, all_caps, "What it can never have; default all for root, else what AmbientCapabilities= says."),
	ROW(EXEC, STRICT, "AmbientCapabilities", parse_ambient, unit.exec.cap_ambient, no_caps, "What it has without being root; only with --allow-capabilities."),
	REFUSED(EXEC, "SecureBits", NULL, "is not done here"),
	REFUSED(EXEC, "KeyringMode", NULL, "is not done here"),
	REFUSED(EXEC, "RemoveIPC", parse_off, "is not done here"),
	REFUSED(EXEC, "Personality", NULL, "is not done here"),

	/* systemd.exec(5): with what */
	STRICT(EXEC, "Environment", parse_environment, unit.exec.environment, "Variables of the child."),
	STRICT(EXEC, "EnvironmentFile", parse_environment_file, unit.exec.environment_files, "More of them, read anew before each command."),
	STRICT(EXEC, "PassEnvironment", parse_words, unit.exec.pass_environment, "Those of the launcher's own it gets."),
	STRICT(EXEC, "UnsetEnvironment", parse_words, unit.exec.unset_environment, "Those it does not get, last of all."),
	STRICT(EXEC, "WorkingDirectory", parse_directory, unit.exec.cwd, "chdir(2) as the unit's user."),
	STRICT(EXEC, "UMask", parse_mode, unit.exec.umask, "umask(2)."),
	ENFORCED(EXEC, "IgnoreSIGPIPE", parse_bool, unit.exec.ignore_sigpipe, "SIGPIPE is ignored, as in systemd."),
	STRICT(EXEC, "StandardInput", parse_stdin, unit.exec.stdin_to, "What descriptor 0 is."),
	STRICT(EXEC, "StandardOutput", parse_stdout, unit.exec.stdout_to, "What descriptor 1 is."),
	STRICT(EXEC, "StandardError", parse_stdout, unit.exec.stderr_to, "What descriptor 2 is."),
	REFUSED(EXEC, "StandardInputText", NULL, "is not done here"),
	REFUSED(EXEC, "StandardInputData", NULL, "is not done here"),
	FOLDERS(STRICT, "RuntimeDirectory", RUNTIME, "Made under /run, owned by the user."),
	ROW(EXEC, ENFORCED, "RuntimeDirectoryPreserve", parse_enum, unit.exec.runtime_preserve, preserve_words, "Whether those stay when it stops."),
	FOLDERS(STRICT, "StateDirectory", STATE, "Made under /var/lib, owned by the user."),
	FOLDERS(STRICT, "CacheDirectory", CACHE, "Made under /var/cache, owned by the user."),
	FOLDERS(STRICT, "LogsDirectory", LOGS, "Made under /var/log, owned by the user."),
	FOLDERS(STRICT, "ConfigurationDirectory", CONFIGURATION, "Made under /etc."),
	LIMIT(CPU, parse_limit_sec),
	LIMIT(FSIZE, parse_limit_bytes),
	LIMIT(DATA, parse_limit_bytes),
	LIMIT(STACK, parse_limit_bytes),
	LIMIT(CORE, parse_limit_bytes),
	LIMIT(RSS, parse_limit_bytes),
	LIMIT(NOFILE, parse_limit_count),
	LIMIT(AS, parse_limit_bytes),
	LIMIT(NPROC, parse_limit_count),
	LIMIT(MEMLOCK, parse_limit_bytes),
	LIMIT(LOCKS, parse_limit_count),
	LIMIT(SIGPENDING, parse_limit_count),
	LIMIT(MSGQUEUE, parse_limit_bytes),
	LIMIT(NICE, parse_limit_nice),
	LIMIT(RTPRIO, parse_limit_count),
	LIMIT(RTTIME, parse_limit_usec),
	ROW(EXEC, ENFORCED, "OOMScoreAdjust", parse_opt_number, unit.exec.oom_score_adjust, oom, "/proc/self/oom_score_adj."),
	ROW(EXEC, ENFORCED, "Nice", parse_opt_number, unit.exec.nice, niceness, "setpriority(2)."),
	NOTED(EXEC, "CPUSchedulingPolicy", SCHEDULE),
	NOTED(EXEC, "CPUSchedulingPriority", SCHEDULE),
	NOTED(EXEC, "CPUSchedulingResetOnFork", SCHEDULE),
	NOTED(EXEC, "CPUAffinity", SCHEDULE),
	NOTED(EXEC, "NUMAPolicy", SCHEDULE),
	NOTED(EXEC, "NUMAMask", SCHEDULE),
	NOTED(EXEC, "IOSchedulingClass", SCHEDULE),
	NOTED(EXEC, "IOSchedulingPriority", SCHEDULE),
	NOTED(EXEC, "TimerSlackNSec", SCHEDULE),
	NOTED(EXEC, "CoredumpFilter", "is for crash dumps"),
	NOTED(EXEC, "SyslogIdentifier", LOGGING),
	NOTED(EXEC, "SyslogFacility", LOGGING),
	NOTED(EXEC, "SyslogLevel", LOGGING),
	NOTED(EXEC, "SyslogLevelPrefix", LOGGING),
	NOTED(EXEC, "LogLevelMax", LOGGING),
	NOTED(EXEC, "LogExtraFields", LOGGING),
	NOTED(EXEC, "LogRateLimitIntervalSec", LOGGING),
	NOTED(EXEC, "LogRateLimitBurst", LOGGING),
	NOTED(EXEC, "LogNamespace", LOGGING),
	NOTED(EXEC, "TTYPath", TTY),
	NOTED(EXEC, "TTYReset", TTY),
	NOTED(EXEC, "TTYVHangup", TTY),
	NOTED(EXEC, "TTYVTDisallocate", TTY),
	NOTED(EXEC, "UtmpIdentifier", TTY),
	NOTED(EXEC, "UtmpMode", TTY),
	STRICT(EXEC, "LoadCredential", parse_load_credential, unit.exec.credentials, "A file, or each file of a folder, for this service alone."),
	REFUSED(EXEC, "LoadCredentialEncrypted", NULL, SECRETS),
	REFUSED(EXEC, "SetCredential", NULL, SECRETS),
	REFUSED(EXEC, "SetCredentialEncrypted", NULL, SECRETS),
	NOTED(EXEC, "ImportCredential", "there are no credentials of the system's here"),

	/* systemd.exec(5): the sandbox */
	REFUSED(EXEC, "RootDirectory", NULL, MOUNTS),
	REFUSED(EXEC, "RootImage", NULL, IMAGES),
	REFUSED(EXEC, "RootImageOptions", NULL, IMAGES),
	REFUSED(EXEC, "RootHash", NULL, IMAGES),
	REFUSED(EXEC, "RootVerity", NULL, IMAGES),
	REFUSED(EXEC, "MountImages", NULL, IMAGES),
	REFUSED(EXEC, "ExtensionImages", NULL, IMAGES),
	REFUSED(EXEC, "ExtensionDirectories", NULL, IMAGES),
	REFUSED(EXEC, "MountAPIVFS", parse_off, MOUNTS),
	REFUSED(EXEC, "MountFlags", NULL, MOUNTS),
	REFUSED(EXEC, "BindPaths", NULL, MOUNTS),
	REFUSED(EXEC, "BindReadOnlyPaths", NULL, MOUNTS),
	REFUSED(EXEC, "ProtectSystem", parse_off, MOUNTS),
	REFUSED(EXEC, "ProtectHome", parse_off, MOUNTS),
	REFUSED(EXEC, "ReadWritePaths", NULL, MOUNTS),
	REFUSED(EXEC, "ReadOnlyPaths", NULL, MOUNTS),
	REFUSED(EXEC, "ReadWriteDirectories", NULL, MOUNTS),
	REFUSED(EXEC, "ReadOnlyDirectories", NULL, MOUNTS),
	REFUSED(EXEC, "InaccessiblePaths", NULL, MOUNTS),
	REFUSED(EXEC, "InaccessibleDirectories", NULL, MOUNTS),
	REFUSED(EXEC, "ExecPaths", NULL, MOUNTS),
	REFUSED(EXEC, "NoExecPaths", NULL, MOUNTS),
	REFUSED(EXEC, "TemporaryFileSystem", NULL, MOUNTS),
	REFUSED(EXEC, "PrivateTmp", parse_off, MOUNTS),
	REFUSED(EXEC, "PrivateDevices", parse_off, MOUNTS),
	REFUSED(EXEC, "PrivateMounts", parse_off, MOUNTS),
	REFUSED(EXEC, "PrivateBPF", parse_off, MOUNTS),
	REFUSED(EXEC, "ProtectKernelTunables", parse_off, MOUNTS),
	REFUSED(EXEC, "ProtectKernelModules", parse_off, CALLS),
	REFUSED(EXEC, "ProtectKernelLogs", parse_off, CALLS),
	REFUSED(EXEC, "ProtectControlGroups", parse_off, MOUNTS),
	REFUSED(EXEC, "ProtectClock", parse_off, CALLS),
	REFUSED(EXEC, "ProtectHostname", parse_off, SPACES),
	REFUSED(EXEC, "ProtectProc", parse_off, MOUNTS),
	REFUSED(EXEC, "ProcSubset", NULL, MOUNTS),
	REFUSED(EXEC, "PrivateNetwork", parse_off, SPACES),
	REFUSED(EXEC, "NetworkNamespacePath", NULL, SPACES),
	REFUSED(EXEC, "PrivateIPC", parse_off, SPACES),
	REFUSED(EXEC, "IPCNamespacePath", NULL, SPACES),
	REFUSED(EXEC, "PrivatePIDs", parse_off, SPACES),
	REFUSED(EXEC, "PrivateUsers", parse_off, SPACES),
	REFUSED(EXEC, "RestrictAddressFamilies", NULL, CALLS),
	REFUSED(EXEC, "RestrictFileSystems", NULL, CALLS),
	REFUSED(EXEC, "RestrictNamespaces", parse_off, CALLS),
	REFUSED(EXEC, "RestrictRealtime", parse_off, CALLS),
	REFUSED(EXEC, "RestrictSUIDSGID", parse_off, CALLS),
	REFUSED(EXEC, "LockPersonality", parse_off, CALLS),
	REFUSED(EXEC, "MemoryDenyWriteExecute", parse_off, CALLS),
	REFUSED(EXEC, "SystemCallFilter", NULL, CALLS),
	REFUSED(EXEC, "SystemCallErrorNumber", NULL, CALLS),
	REFUSED(EXEC, "SystemCallArchitectures", NULL, CALLS),
	NOTED(EXEC, "SystemCallLog", LOGGING),
	REFUSED(EXEC, "SELinuxContext", NULL, LABELS),
	REFUSED(EXEC, "AppArmorProfile", NULL, LABELS),
	REFUSED(EXEC, "SmackProcessLabel", NULL, LABELS),

	/* systemd.kill(5) */
	ROW(EXEC, ENFORCED, "KillMode", parse_enum, unit.service.kill_mode, kill_words, "Whom the kill signals reach; what left the process group stays until the launcher ends."),
	STRICT(EXEC, "KillSignal", parse_signal, unit.service.kill_signal, "By what."),
	ENFORCED(EXEC, "RestartKillSignal", parse_signal, unit.service.restart_kill_signal, "By what, for a restart."),
	ENFORCED(EXEC, "FinalKillSignal", parse_signal, unit.service.final_kill_signal, "By what, when the time is up."),
	ENFORCED(EXEC, "WatchdogSignal", parse_signal, unit.service.watchdog_signal, "By what, when WatchdogSec= is over."),
	ENFORCED(EXEC, "SendSIGKILL", parse_bool, unit.service.send_sigkill, "Whether there is such an end."),
	ENFORCED(EXEC, "SendSIGHUP", parse_bool, unit.service.send_sighup, "SIGHUP right after the first signal."),

	/* systemd.resource-control(5) */
	NOTED(EXEC, "Slice", SHARE),
	NOTED(EXEC, "Delegate", SHARE),
	NOTED(EXEC, "DelegateSubgroup", SHARE),
	NOTED(EXEC, "CPUAccounting", SHARE),
	NOTED(EXEC, "CPUWeight", SHARE),
	NOTED(EXEC, "CPUShares", SHARE),
	NOTED(EXEC, "StartupCPUWeight", SHARE),
	NOTED(EXEC, "IOAccounting", SHARE),
	NOTED(EXEC, "IOWeight", SHARE),
	NOTED(EXEC, "BlockIOAccounting", SHARE),
	NOTED(EXEC, "BlockIOWeight", SHARE),
	NOTED(EXEC, "MemoryAccounting", SHARE),
	NOTED(EXEC, "MemoryMin", SHARE),
	NOTED(EXEC, "MemoryLow", SHARE),
	NOTED(EXEC, "TasksAccounting", SHARE),
	NOTED(EXEC, "IPAccounting", SHARE),
	NOTED(EXEC, "ManagedOOMSwap", SHARE),
	NOTED(EXEC, "ManagedOOMMemoryPressure", SHARE),
	NOTED(EXEC, "ManagedOOMPreference", SHARE),
	NOTED(EXEC, "MemoryPressureWatch", SHARE),
	REFUSED(EXEC, "CPUQuota", NULL, CGROUP),
	REFUSED(EXEC, "AllowedCPUs", NULL, CGROUP),
	REFUSED(EXEC, "MemoryHigh", parse_off, CGROUP),
	REFUSED(EXEC, "MemoryMax", parse_off, CGROUP),
	REFUSED(EXEC, "MemoryLimit", parse_off, CGROUP),
	REFUSED(EXEC, "MemorySwapMax", parse_off, CGROUP),
	REFUSED(EXEC, "TasksMax", parse_off, CGROUP),
	REFUSED(EXEC, "IPAddressAllow", NULL, CGROUP),
	REFUSED(EXEC, "IPAddressDeny", NULL, CGROUP),
	REFUSED(EXEC, "SocketBindAllow", NULL, CGROUP),
	REFUSED(EXEC, "SocketBindDeny", NULL, CGROUP),
	REFUSED(EXEC, "RestrictNetworkInterfaces", NULL, CGROUP),
	REFUSED(EXEC, "DeviceAllow", NULL, CGROUP),
	REFUSED(EXEC, "DevicePolicy", NULL, CGROUP),

	/* [Install]: systemctl enable's */
	NOTED(INSTALL, "WantedBy", SYSTEMCTL),
	NOTED(INSTALL, "RequiredBy", SYSTEMCTL),
	NOTED(INSTALL, "UpheldBy", SYSTEMCTL),
	NOTED(INSTALL, "Also", SYSTEMCTL),
	NOTED(INSTALL, "Alias", SYSTEMCTL),
	NOTED(INSTALL, "DefaultInstance", SYSTEMCTL),
};
/* clang-format on */

const size_t directive_count = ELEMENTSOF(directive_table);
