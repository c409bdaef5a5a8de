/*
 * plan.h - the frozen plan: all that the launcher will ever open, start and signal, as one block of
 *          memory without pointers.
 * Runs as: read by every half of the launcher; written by launcher/unit/ before the first byte of a
 *          client came in, and sealed (memfd_create(2), F_SEAL_WRITE): after that not even root's
 *          half can change it.
 * Trusts:  a plan comes from this very binary; plan_map() checks magic, version and size, and every
 *          reference is checked against the size when it is followed.
 * Owns:    nothing; a mapped plan lives until plan_unmap().
 * Tests:   tests/unit/test_plan.c
 *
 * Layout: struct plan first, then whatever the references point at. A reference is a byte offset
 * from the start of the plan; 0 is "none". Lists are chained by a `next` that is the first member
 * of each element. One form serves the parser, root and the manager: what a directive's parser
 * writes is what the child between fork and exec reads.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/why.h"

#define PLAN_MAGIC 0x504c4c53u /* "SLLP" */
#define PLAN_VERSION 1u
#define PLAN_BYTES_MAX (UINT32_C(64) << 20)
#define PLAN_UNITS_MAX 4096u
#define PLAN_LISTENS_MAX 4096u
#define PLAN_NONE UINT32_MAX /* no such index */

typedef uint8_t plan_bool; /* not bool: any value of it may be read, whoever wrote the plan */

struct ref {
	uint32_t off;
};

struct plan_list {
	struct ref head, tail;
	uint32_t n;
};

/* A list element that is a string; also used for "NAME=value" lists. */
struct plan_word {
	struct ref next;
	struct ref text;
};

/* A list element that is an index (of a unit). */
struct plan_index {
	struct ref next;
	uint32_t index;
};

enum unit_kind {
	UNIT_SOCKET,
	UNIT_SERVICE,
	UNIT_KIND_END,
};

/* Where a value was written, for messages. */
struct plan_source {
	struct ref file;
	uint32_t line;
};

/* One Exec*= line. */
enum command_flag {
	COMMAND_IGNORE_FAILURE = 1 << 0, /* "-" */
	COMMAND_ARGV0 = 1 << 1, /* "@": argv[0] is given apart from the path */
	COMMAND_NO_ENV_EXPAND = 1 << 2, /* ":" */
	COMMAND_FULL_PRIVILEGE = 1 << 3, /* "+" */
	COMMAND_NO_SETUID = 1 << 4, /* "!" */
	COMMAND_NO_AMBIENT = 1 << 5, /* "!!" */
};

struct plan_command {
	struct ref next;
	struct ref path; /* absolute, or a name to be found in PATH at exec */
	struct plan_list argv; /* struct plan_word, argv[0] first; $VAR not yet expanded */
	uint32_t flags; /* enum command_flag */
	struct plan_source source;
};

/* When a command runs; the index into plan_service.commands. */
enum command_slot {
	COMMAND_START_PRE,
	COMMAND_START,
	COMMAND_START_POST,
	COMMAND_RELOAD,
	COMMAND_STOP,
	COMMAND_STOP_POST,
	COMMAND_SLOT_END,
	COMMAND_CLEAN = COMMAND_SLOT_END, /* no line of a file: remove the runtime directories */
	COMMAND_ADOPT, /* neither: an orphan becomes the main process of a service */
	COMMAND_CHECK, /* neither: its conditions; exit code is enum conditions_outcome */
	COMMAND_SPAWN, /* neither: who forks the instances of a template, user/spawn.h */
};

/* A number that may be left alone. */
struct plan_opt {
	uint32_t set; /* 0 or 1 */
	int32_t value;
};

/* One EnvironmentFile= line; read anew before each command, by the child. */
struct plan_env_file {
	struct ref next;
	struct ref path; /* absolute; may hold a glob(7) pattern */
	plan_bool optional; /* "-" */
};

/* One LoadCredential= line. */
struct plan_credential {
	struct ref next;
	struct ref id; /* a file's name */
	struct ref path; /* absolute, of a file or a folder */
};

/* One Limit*= line; RLIM_INFINITY is UINT64_MAX. */
struct plan_limit {
	plan_bool set;
	uint64_t soft, hard;
};
#define PLAN_LIMITS 16 /* RLIM_NLIMITS: indexed by RLIMIT_* */

/* What a standard descriptor of a service becomes: systemd.exec(5), StandardOutput=. */
enum stdio_kind {
	STDIO_DEFAULT, /* input: null; output: log, or the socket when input is; error: as output */
	STDIO_NULL,
	STDIO_SOCKET,
	STDIO_INHERIT, /* output: as input; error: as output */
	STDIO_LOG, /* journal, syslog, kmsg and their "+console": the launcher's log */
	STDIO_FILE, /* file:path, read and write from its start */
	STDIO_APPEND,
	STDIO_TRUNCATE,
	STDIO_KIND_END,
};

struct plan_stdio {
	enum stdio_kind kind;
	struct ref path; /* of the three file kinds */
};

/* RuntimeDirectory= and its kin: systemd.exec(5). */
enum directory_kind {
	DIRECTORY_RUNTIME, /* /run */
	DIRECTORY_STATE, /* /var/lib */
	DIRECTORY_CACHE, /* /var/cache */
	DIRECTORY_LOGS, /* /var/log */
	DIRECTORY_CONFIGURATION, /* /etc */
	DIRECTORY_KIND_END,
};

struct plan_directories {
	struct plan_list paths; /* struct plan_word: relative, checked to stay below */
	mode_t mode; /* default 0755 */
};

enum directory_preserve {
	PRESERVE_NO, /* the runtime directories go when the service stops */
	PRESERVE_RESTART,
	PRESERVE_YES,
	PRESERVE_END,
};

/* systemd.exec(5): what the child becomes. */
struct plan_exec {
	struct ref user, group; /* as written; none when not set */
	plan_bool has_user; /* uid, gid, groups and the four names below are resolved */
	uid_t uid;
	gid_t gid;
	struct ref groups; /* array of uint32_t: supplementary groups */
	uint32_t n_groups;
	struct ref user_name, home, shell; /* for USER, LOGNAME, HOME, SHELL */
	struct plan_list environment; /* struct plan_word "NAME=value", later ones win */
	struct ref cwd; /* none: "/" */
	plan_bool cwd_optional; /* "-": a missing directory is not an error */
	plan_bool no_new_privs; /* the effective value, defaults applied */
	uint64_t cap_bounding; /* the effective set, defaults applied */
	plan_bool ignore_sigpipe; /* IgnoreSIGPIPE=, default yes */
	mode_t umask; /* UMask=, default 0022 */
	struct plan_list environment_files; /* struct plan_env_file */
	struct plan_list pass_environment; /* struct plan_word: names, of the launcher's own */
	struct plan_list unset_environment; /* struct plan_word: names or "NAME=value"; last */
	struct plan_list credentials; /* struct plan_credential */
	struct plan_limit limits[PLAN_LIMITS];
	plan_bool raises_a_limit; /* above the launcher's own */
	struct plan_stdio stdin_to, stdout_to, stderr_to;
	struct plan_directories directories[DIRECTORY_KIND_END];
	enum directory_preserve runtime_preserve;
	uint64_t cap_ambient;
	struct plan_opt oom_score_adjust, nice;
};

enum service_type {
	SERVICE_SIMPLE,
	SERVICE_EXEC,
	SERVICE_NOTIFY,
	SERVICE_ONESHOT,
	SERVICE_FORKING,
	SERVICE_TYPE_END,
};

enum service_restart {
	RESTART_NO,
	RESTART_ON_SUCCESS,
	RESTART_ON_FAILURE,
	RESTART_ON_ABNORMAL,
	RESTART_ON_ABORT,
	RESTART_ON_WATCHDOG,
	RESTART_ALWAYS,
	RESTART_END,
};

enum kill_mode {
	KILL_CONTROL_GROUP,
	KILL_PROCESS,
	KILL_MIXED,
	KILL_NONE,
	KILL_MODE_END,
};

/* Exit statuses and signals, one bit each. */
struct plan_statuses {
	uint64_t exits[4]; /* status s: bit s % 64 of word s / 64 */
	uint64_t signals; /* signal s, 1 to 64: bit s - 1 */
};

enum notify_access {
	NOTIFY_ACCESS_NONE,
	NOTIFY_ACCESS_MAIN,
	NOTIFY_ACCESS_EXEC,
	NOTIFY_ACCESS_ALL,
	NOTIFY_ACCESS_END,
};

/* systemd.service(5) */
struct plan_service {
	enum service_type type;
	enum notify_access notify_access;
	struct plan_list commands[COMMAND_SLOT_END]; /* struct plan_command */
	struct plan_list sockets; /* struct plan_index: socket units it gets, in the plan's order */
	plan_bool non_blocking;
	uint64_t restart_usec;
	uint64_t timeout_start_usec, timeout_stop_usec; /* USEC_INFINITY: none */
	uint64_t runtime_max_usec; /* USEC_INFINITY: none */
	uint64_t watchdog_usec; /* 0: none */
	enum service_restart restart;
	struct plan_statuses success, restart_prevent, restart_force;
	uint64_t start_limit_usec; /* StartLimitIntervalSec=; 0 or burst 0: none */
	uint32_t start_limit_burst;
	plan_bool remain_after_exit;
	plan_bool permissions_start_only; /* legacy: all but ExecStart= as if prefixed by "+" */
	struct ref pid_file; /* PIDFile=, absolute */
	enum kill_mode kill_mode;
	int32_t kill_signal, restart_kill_signal, final_kill_signal, watchdog_signal;
	plan_bool send_sigkill, send_sighup;
	uint32_t fd_store_max;
};

/* What one Listen*= line opens. */
enum listen_kind {
	LISTEN_STREAM,
	LISTEN_DGRAM,
	LISTEN_SEQPACKET,
	LISTEN_FIFO,
	LISTEN_SPECIAL,
	LISTEN_NETLINK,
	LISTEN_MESSAGE_QUEUE,
	LISTEN_KIND_END,
};

struct plan_listen {
	struct ref next;
	uint32_t index; /* counts through the whole plan: the listener's number everywhere */
	uint32_t unit; /* the socket unit it belongs to */
	enum listen_kind kind;
	socklen_t addr_len; /* of addr */
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} addr;
	int32_t netlink_family; /* LISTEN_NETLINK: NETLINK_*; the group is in addr */
	plan_bool any_family; /* a bare port: [::], and 0.0.0.0 where the kernel has no IPv6 */
	struct ref text; /* as the user would write it: "0.0.0.0:80", "/run/x.sock", "@name" */
	struct plan_source source;
};

/* What happens when a socket triggers more often than TriggerLimitBurst= allows. */
enum trigger_limit_action {
	TRIGGER_LIMIT_PAUSE, /* it is left alone for a while, longer each time */
	TRIGGER_LIMIT_FAIL, /* as in systemd: it fails until somebody starts it again */
	TRIGGER_LIMIT_END,
};

/* systemd.socket(5) */
struct plan_socket {
	struct plan_list listens; /* struct plan_listen */
	uint32_t service; /* the unit it starts; with Accept= the template */
	struct ref fd_name; /* FileDescriptorName=, default the unit's id */
	struct plan_list fd_names; /* struct plan_word: `sallyport exec --fdname`, in its order */
	uint32_t backlog;
	mode_t mode, directory_mode;
	struct ref user, group; /* SocketUser=, SocketGroup=, as written */
	uid_t uid; /* (uid_t)-1: leave it */
	gid_t gid; /* (gid_t)-1: leave it */
	plan_bool no_delay;
	plan_bool accept; /* Accept=yes: an instance per connection */
	plan_bool flush_pending; /* FlushPending= */
	plan_bool remove_on_stop; /* RemoveOnStop= */
	plan_bool writable; /* Writable=, of ListenSpecial= */
	int32_t protocol; /* SocketProtocol=: IPPROTO_*, 0 the kind's own */
	uint32_t max_connections; /* MaxConnections=, default 64 */
	uint32_t max_connections_per_source; /* 0: no limit */
	struct plan_list symlinks; /* struct plan_word: Symlinks= */
	struct ref bind_to_device; /* BindToDevice= */
	struct ref tcp_congestion; /* TCPCongestion= */
	uint64_t trigger_limit_usec; /* TriggerLimitIntervalSec=; 0 or burst 0: none */
	uint32_t trigger_limit_burst;
	enum trigger_limit_action trigger_limit_action; /* X-Sallyport-TriggerLimitAction= */
	uint64_t poll_limit_usec; /* PollLimitIntervalSec= */
	uint32_t poll_limit_burst;
	struct plan_opt bind_ipv6_only; /* IPV6_V6ONLY; not set: the kernel's default */
	struct plan_opt reuse_port, free_bind, transparent;
	struct plan_opt keep_alive;
	struct plan_opt keep_alive_time; /* seconds, as the next */
	struct plan_opt keep_alive_interval;
	struct plan_opt keep_alive_probes;
	struct plan_opt defer_accept; /* seconds */
	struct plan_opt priority, mark, ip_tos, ip_ttl, broadcast;
	struct plan_opt receive_buffer, send_buffer; /* bytes */
	struct plan_opt pass_credentials, pass_pidfd, pass_security, pass_packet_info;
	struct plan_opt pass_rights; /* AcceptFileDescriptors= */
	struct plan_opt timestamping; /* 1: SO_TIMESTAMP, 2: SO_TIMESTAMPNS */
	struct plan_opt pipe_size; /* bytes, of ListenFIFO= */
	struct plan_opt mq_max_messages, mq_message_size;
};

/* What a condition looks at, launcher/enter/condition.h. What cannot change is settled at load. */
enum condition_type {
	CONDITION_FALSE,
	CONDITION_TRUE,
	CONDITION_PATH_EXISTS,
	CONDITION_PATH_EXISTS_GLOB,
	CONDITION_PATH_IS_DIRECTORY,
	CONDITION_PATH_IS_SYMBOLIC_LINK,
	CONDITION_PATH_IS_READ_WRITE,
	CONDITION_DIRECTORY_NOT_EMPTY,
	CONDITION_FILE_NOT_EMPTY,
	CONDITION_FILE_IS_EXECUTABLE,
	CONDITION_TYPE_END,
};

/* One Condition*= or Assert*= line: systemd.unit(5). */
struct plan_condition {
	struct ref next;
	uint32_t type; /* enum condition_type */
	uint32_t row; /* of the table of directives: which line it was, for check */
	plan_bool trigger; /* "|": one of these suffices */
	plan_bool negate; /* "!" */
	struct ref text; /* the operand, specifiers expanded; a path where the type takes one */
};

/* How one unit may need another: systemd.unit(5). The index into plan_unit.dependencies. */
enum dependency {
	DEPENDENCY_REQUIRES, /* started with it; stopped when that one is stopped */
	DEPENDENCY_REQUISITE, /* must be active already */
	DEPENDENCY_WANTS, /* started with it, whatever comes of that */
	DEPENDENCY_BINDS_TO, /* as requires, and stopped also when that one ends by itself */
	DEPENDENCY_PART_OF, /* stopped and restarted with it */
	DEPENDENCY_CONFLICTS, /* that one is stopped first */
	DEPENDENCY_AFTER, /* where both start: that one first; where both stop: this one first */
	DEPENDENCY_BEFORE, /* the reverse; the loader has written it as AFTER there, too */
	DEPENDENCY_END,
};

struct plan_unit {
	enum unit_kind kind;
	uint32_t index;
	struct ref id; /* "web.socket" */
	struct ref description;
	struct ref path; /* of the unit file */
	struct plan_list aliases; /* struct plan_word: other names of it */
	plan_bool
	    is_template; /* "echo@.service": its texts go through specifier_expand() at start */
	struct plan_list dependencies[DEPENDENCY_END]; /* struct plan_index */
	struct plan_list conditions; /* struct plan_condition: else the start is skipped */
	struct plan_list assertions; /* struct plan_condition: else the start fails */
	plan_bool spawns; /* a template whose instances a spawner may fork: user/spawn.h */
	plan_bool wanted; /* named on the command line: a service of this kind starts at once */
	struct plan_exec exec;
	struct plan_socket socket; /* UNIT_SOCKET */
	struct plan_service service; /* UNIT_SERVICE */
};

struct plan {
	uint32_t magic, version;
	uint32_t bytes; /* of the whole plan */
	uint32_t n_units, n_listens;
	struct ref units[PLAN_UNITS_MAX]; /* struct plan_unit, in the order of the plan */
	struct ref listens[PLAN_LISTENS_MAX]; /* struct plan_listen, by index */
};

/*
 * plan_map - map a sealed plan for reading.
 * @fd:  borrowed; must carry F_SEAL_WRITE, F_SEAL_SHRINK and F_SEAL_GROW
 * Return: 0; -EBADMSG when it is not a plan of this version or not sealed; -errno.
 */
_must_check_ int plan_map(int fd, const struct plan **ret, struct why *why);
void plan_unmap(const struct plan *p);

/*
 * plan_at - follow a reference to size bytes.
 * Return: the place, or NULL for "none". A reference that leaves the plan is our own bug: abort.
 */
const void *plan_at(const struct plan *p, struct ref r, size_t size);

/* A string; NULL for "none". */
const char *plan_str(const struct plan *p, struct ref r);

/* By index; NULL when there is no such unit or listener (indices may come from a peer). */
const struct plan_unit *plan_unit(const struct plan *p, uint32_t index);
const struct plan_listen *plan_listen(const struct plan *p, uint32_t index);

/* By id, for operators' verbs; NULL when it is not loaded. */
const struct plan_unit *plan_find(const struct plan *p, const char *id);

/* The name of unit index for messages, "?" when there is none. */
const char *plan_unit_id(const struct plan *p, uint32_t index);

/* The n-th command of a slot; NULL past the end or for an index out of range. */
const struct plan_command *plan_command(
    const struct plan *p, const struct plan_unit *u, uint32_t slot, uint32_t n);

/* for (each element of type, in order): PLAN_FOREACH(p, u->socket.listens, struct plan_listen, l)
 */
#define PLAN_FOREACH(p, list, type, var) \
	for (const type *var = plan_at((p), (list).head, sizeof(type)); var; \
	     var = plan_at((p), var->next, sizeof(type)))
