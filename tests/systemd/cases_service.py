"""[Service] and systemd.exec: what the child becomes, finds in its environment, and how it counts."""

from case import HERE, OUT, Case, ask, datagram, leave, no_answer, shell

PROBE = "/opt/tools/probe"
OUTFILE = f"{OUT}/CASE"
ROOT = ("--allow-root-services",)
CAPS = ("--allow-capabilities",)

CASES = [
    # -- identity --
    Case("user", client=(ask(),)),
    Case("user_numeric", user="User=4001", client=(ask(),)),
    Case("user_without_login", user="User=other", client=(ask(),)),
    Case("user_group", user="User=svc\nGroup=lonely", client=(ask(),)),
    Case("user_group_numeric", user="User=4001\nGroup=4103", client=(ask(),)),
    Case("user_supplementary", user="User=other\nSupplementaryGroups=svcextra lonely",
         client=(ask(),)),
    Case("user_supplementary_twice", user="User=svc\nSupplementaryGroups=svcextra\n"
         "SupplementaryGroups=lonely", client=(ask(),)),
    Case("user_supplementary_reset", user="User=other\nSupplementaryGroups=svcextra\n"
         "SupplementaryGroups=", client=(ask(),)),
    Case("user_unknown", user="User=nosuchuser", records=0, client=(no_answer(),),
         refused="names are looked up when units are loaded, not when traffic comes"),
    Case("root", user="", args=ROOT, client=(ask(),)),
    Case("root_explicit", user="User=root", args=ROOT, client=(ask(),)),
    Case("root_with_group", user="User=root\nGroup=lonely", args=ROOT, client=(ask(),)),
    Case("group_only", user="Group=lonely", args=ROOT, client=(ask(),)),
    # -- privileges, set explicitly so that both must do the same --
    Case("no_new_privs", service="NoNewPrivileges=yes", client=(ask(),)),
    Case("no_new_privs_off", service="NoNewPrivileges=no", client=(ask(),)),
    Case("bounding_none", service="CapabilityBoundingSet=", client=(ask(),)),
    Case("bounding_some", service="CapabilityBoundingSet=CAP_NET_RAW CAP_CHOWN", client=(ask(),)),
    Case("bounding_inverted", service="CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_PTRACE",
         client=(ask(),)),
    Case("bounding_root", user="", args=ROOT, service="CapabilityBoundingSet=CAP_NET_RAW",
         client=(ask(),)),
    Case("ambient", service="AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
         "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", client=(ask(),), args=CAPS),
    Case("ambient_alone", service="AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW",
         client=(ask(),), args=CAPS),
    Case("ambient_reset", service="AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
         "AmbientCapabilities=\nAmbientCapabilities=CAP_KILL", client=(ask(),), args=CAPS),
    Case("ambient_beyond_bounding", service="AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
         "CapabilityBoundingSet=CAP_KILL", client=(no_answer(),), args=CAPS, records=0),
    Case("securebits", service="SecureBits=noroot", client=(ask(),),
         refused="not done: noroot and its lock are always set for a service that is not root's"),
    # -- environment --
    Case("env_one", service="Environment=A=1", client=(ask(),)),
    Case("env_quotes", service="Environment=\"A=a b\" 'B=c  d' C=\"half\"quoted D=\\x41\\t",
         client=(ask(),)),
    Case("env_later_wins", service="Environment=A=1 B=2\nEnvironment=A=3", client=(ask(),)),
    Case("env_reset", service="Environment=A=1\nEnvironment=\nEnvironment=B=2", client=(ask(),)),
    Case("env_empty_value", service="Environment=A= B=", client=(ask(),)),
    Case("env_bad_names", service="Environment=1A=x A-B=y =z GOOD=1", client=(ask(),),
         about="bad assignments are dropped, the good one stays"),
    Case("env_overrides_identity", service="Environment=HOME=/x USER=y PATH=/z SHELL=/s",
         client=(ask(),)),
    Case("env_specifiers", service="Environment=N=%n P=%p I=%i H=%H U=%U T=%t PC=100%%",
         client=(ask(),)),
    Case("env_dollar_kept", service="Environment=\"A=$HOME ${HOME}\"", client=(ask(),)),
    Case("env_equals_in_value", service="Environment=A=b=c", client=(ask(),)),
    Case("env_file", service="EnvironmentFile=/run/CASE.env", files={"/run/CASE.env":
         "A=1\n# comment\n; comment\nB=\"two words\"\nC='$A'\n  D = x \nE=a\\\nb\nF=\"x\\\"y\"\n\n"
         "export G=1\nH=tail # not a comment\nI=\n"}, client=(ask(),)),
    Case("env_file_wins", service="Environment=A=unit B=unit\nEnvironmentFile=/run/CASE.env",
         files={"/run/CASE.env": "A=file\n"}, client=(ask(),)),
    Case("env_file_optional", service="EnvironmentFile=-/run/CASE.missing", client=(ask(),)),
    Case("env_file_missing", service="EnvironmentFile=/run/CASE.missing", client=(no_answer(),),
         records=0),
    Case("env_file_secret", service="EnvironmentFile=/run/CASE.env",
         files={"/run/CASE.env": ("A=secret\n", 0o600, (0, 0))}, client=(ask(),),
         about="read with root's rights, though the service could not"),
    Case("env_pass", service="PassEnvironment=NOSUCH PATH", client=(ask(),)),
    Case("env_unset", service="Environment=A=1 B=2 C=3\nUnsetEnvironment=A B=2 C=9 HOME",
         client=(ask(),)),
    # -- the command --
    Case("exec_quotes", service=f"ExecStart={PROBE} --out {OUTFILE} --serve -- \"a b\" 'c d' e\\x20f"
         " \"\" \"q\\\"q\" \\\\ g\"h", client=(ask(),)),
    Case("exec_quotes_ok", service=f"ExecStart={PROBE} --out {OUTFILE} --serve -- \"a b\" 'c d' "
         "e\\x20f \"\" \"q\\\"q\" \\\\ \\u00fc", client=(ask(),)),
    Case("exec_variables", service="Environment=\"A=one two\" \"B=x  y\" E=\n"
         f"ExecStart={PROBE} --out {OUTFILE} --serve -- $A ${{A}} x$A ${{B}}z $E ${{E}} $NONE "
         "${NONE} $$A '$A' \"$A\" ${A}${B}", client=(ask(),)),
    Case("exec_variable_alone", service="Environment=\"OPTS=--out /tmp/out/CASE --serve\"\n"
         f"ExecStart={PROBE} $OPTS", client=(ask(),)),
    Case("exec_no_expansion", service=f"ExecStart=:{PROBE} --out {OUTFILE} --serve -- $HOME ${{HOME}}",
         client=(ask(),)),
    Case("exec_argv0", service=f"ExecStart=@{PROBE} renamed --out {OUTFILE} --serve",
         client=(ask(),)),
    Case("exec_specifiers", service=f"ExecStart={PROBE} --out {OUTFILE} --serve -- %n %N %p %i %I "
         "%j %f %H %l %t %S %C %L %E %T %V %h %u %U %g %G %s %% %a %o", client=(ask(),),
         differ={"argv[[]26]": "%s: root's shell is built in, and Debian's systemd has bash there"}),
    Case("exec_specifier_machine", service=f"ExecStart={PROBE} --out {OUTFILE} --serve -- %m %b %v",
         client=(ask(),)),
    Case("exec_continuation", service=f"ExecStart={PROBE} --out {OUTFILE} \\\n  --serve \\\n"
         "# a comment in between\n  -- last", client=(ask(),)),
    Case("exec_name_in_path", service=f"ExecStart=env {PROBE} --out {OUTFILE} --serve",
         client=(ask(),)),
    Case("exec_missing", service="ExecStart=/nowhere/at/all", client=(no_answer(),), records=0),
    Case("exec_not_executable", service="ExecStart=/etc/passwd", client=(no_answer(),), records=0),
    Case("exec_two_simple", service=f"ExecStart={PROBE} --serve\nExecStart={PROBE} --serve",
         records=0, about="only Type=oneshot may have two"),
    Case("exec_reset", service=f"ExecStart=/bin/false\nExecStart=\nExecStart={PROBE} --out {OUTFILE} "
         "--serve", client=(ask(),)),
    Case("exec_ignore_prefix", service=f"ExecStart=-{PROBE} --out {OUTFILE} --serve",
         client=(ask(),)),
    Case("exec_semicolon_oneshot", service="Type=oneshot\nRemainAfterExit=yes\n"
         f"ExecStart={PROBE} --out {OUTFILE} -- 1 ; {PROBE} --out {OUTFILE} -- 2 \\; 3",
         start=("CASE.service",), records=2, differ={
             ".LISTEN_": "a service that is named brings the socket of its own name along",
             ".fds": "the same"}),
    # -- place --
    Case("cwd", service="WorkingDirectory=/usr/share", client=(ask(),)),
    Case("cwd_home", service="WorkingDirectory=~", client=(ask(),)),
    Case("cwd_missing", service="WorkingDirectory=/nowhere", client=(no_answer(),), records=0),
    Case("cwd_optional", service="WorkingDirectory=-/nowhere", client=(ask(),)),
    Case("cwd_specifier", service="WorkingDirectory=%t", client=(ask(),)),
    Case("umask", service="UMask=0077", client=(ask(),)),
    Case("umask_short", service="UMask=27", client=(ask(),)),
    Case("runtime_directory", service="RuntimeDirectory=CASE CASE-b/deep\nRuntimeDirectoryMode=0750",
         client=(ask(),), paths=("/run/CASE", "/run/CASE-b", "/run/CASE-b/deep")),
    Case("runtime_directory_up", service="RuntimeDirectory=CASE\nRuntimeDirectoryPreserve=yes",
         client=(ask(), shell("stat -c '%U %G %a' /run/CASE")), paths=()),
    Case("state_directory", service="StateDirectory=CASE\nStateDirectoryMode=0700",
         client=(ask(), shell("stat -c '%U %G %a' /var/lib/CASE"))),
    Case("all_directories", service="StateDirectory=CASE\nCacheDirectory=CASE\nLogsDirectory=CASE\n"
         "ConfigurationDirectory=CASE\nRuntimeDirectory=CASE",
         client=(ask(), shell("cd /; stat -c '%n %U %G %a' var/lib/CASE var/cache/CASE var/log/CASE "
                              "etc/CASE run/CASE"))),
    # -- limits and scheduling --
    Case("limit_nofile", service="LimitNOFILE=512", client=(ask(),)),
    Case("limit_nofile_pair", service="LimitNOFILE=256:1024", client=(ask(),)),
    Case("limit_core_infinity", service="LimitCORE=infinity", client=(ask(),)),
    Case("limit_suffixes", service="LimitMEMLOCK=4M\nLimitFSIZE=1G\nLimitSTACK=2M:4M",
         client=(ask(),)),
    Case("limit_time", service="LimitCPU=1min 30s\nLimitRTTIME=2s", client=(ask(),)),
    Case("limit_nice", service="LimitNPROC=77\nLimitSIGPENDING=99\nLimitMSGQUEUE=8192",
         client=(ask(),)),
    Case("nice", service="Nice=5", client=(ask(),)),
    Case("oom_score", service="OOMScoreAdjust=321", client=(ask(),)),
    Case("scheduling_policy", service="CPUSchedulingPolicy=batch", client=(ask(),),
         differ={"scheduling.policy": "noted, not done: harmless"}),
    Case("io_scheduling", service="IOSchedulingClass=best-effort\nIOSchedulingPriority=6",
         client=(ask(),), differ={"scheduling.ioprio": "noted, not done: harmless"}),
    Case("timer_slack", service="TimerSlackNSec=123456", client=(ask(),),
         differ={"scheduling.timerslack_nsec": "noted, not done: harmless"}),
    Case("cpu_affinity", service="CPUAffinity=0", client=(ask(),),
         differ={"scheduling.affinity": "noted, not done: harmless"}),
    Case("personality", service="LockPersonality=no\nPersonality=x86-64", client=(ask(),),
         refused="not done"),
    Case("ignore_sigpipe_no", service="IgnoreSIGPIPE=no", client=(ask(),)),
    # -- standard descriptors --
    Case("stdout_null", service="StandardOutput=null\nStandardError=null", client=(ask(),)),
    Case("stdout_inherit", service="StandardInput=null\nStandardOutput=inherit", client=(ask(),)),
    Case("stdout_file", service=f"StandardOutput=file:{OUT}/CASE.log\nStandardError=inherit",
         steps="--print hello --serve", client=(ask(), shell("cat /tmp/out/CASE.log"))),
    Case("stdout_append", service=f"StandardOutput=append:{OUT}/CASE.log",
         steps="--print hello --serve", client=(ask(), shell("cat /tmp/out/CASE.log"))),
    Case("stdout_truncate", service=f"StandardOutput=truncate:{OUT}/CASE.log",
         files={f"{OUT}/CASE.log": ("old text\n", 0o666, (0, 0))},
         steps="--print hello --serve", client=(ask(), shell("cat /tmp/out/CASE.log"))),
    Case("stdin_file", service="StandardInput=file:/etc/hostname", client=(ask(),)),
    Case("stdin_data", service="StandardInput=data\nStandardInputText=one\nStandardInputText=two",
         client=(ask(),), refused="not done"),
    Case("stdin_socket_wait", "ListenStream=127.0.0.1:8080", "StandardInput=socket",
         client=(ask(),), about="inetd's wait: the listening socket is 0, 1 and 2, and no LISTEN_*"),
    Case("stdin_socket_wait_error", "ListenStream=127.0.0.1:8080",
         "StandardInput=socket\nStandardError=null", client=(ask(),)),
    Case("stdin_socket_dgram", "ListenDatagram=127.0.0.1:8080",
         "StandardInput=socket\nStandardOutput=null\nStandardError=null", records=1,
         client=(datagram(),)),
    Case("stdin_socket_two", f"ListenStream=127.0.0.1:8080\nListenStream=@CASE",
         "StandardInput=socket", client=(ask(),), records=0,
         refused="it needs exactly one, and that is known at load"),
    # -- passed sockets --
    Case("blocking", client=(ask(),)),
    Case("non_blocking", service="NonBlocking=yes", client=(ask(),)),
    Case("non_blocking_all", "ListenStream=8080\nListenDatagram=8080\nListenStream=@CASE",
         "NonBlocking=true", client=(ask(),)),
    # -- kinds of service --
    Case("type_exec", service="Type=exec", client=(ask(),)),
    Case("type_notify", service="Type=notify", steps="--notify READY=1|STATUS=up --serve",
         client=(ask(),)),
    Case("type_notify_later", service="Type=notify", steps="--delay 200 --notify READY=1 --serve",
         client=(ask(),)),
    Case("type_notify_started_by_name", service="Type=notify",
         steps="--delay 100 --notify READY=1 --serve", start=("CASE.socket", "CASE.service"),
         client=(ask(),)),
    Case("type_idle", service="Type=idle", client=(ask(),)),
    Case("type_oneshot", service="Type=oneshot\nRemainAfterExit=yes", steps="",
         start=("CASE.service",), units={"CASE.socket": None}),
    Case("type_oneshot_failure", service="Type=oneshot", steps="--exit 3", start=("CASE.service",),
         units={"CASE.socket": None},
         differ={"started": "the launcher is ready when its sockets are; systemctl waits"}),
    Case("type_forking", service=f"Type=forking\nPIDFile=/run/CASE/pid\nRuntimeDirectory=CASE",
         steps="--daemonize --pidfile /run/CASE/pid --hang", client=(no_answer(),),
         about="LISTEN_PID names the parent: the probe sees no descriptors then"),
    Case("notify_access_all", service="NotifyAccess=all", client=(ask(line="notify STATUS=x"),)),
    Case("notify_access_none", service="NotifyAccess=none", client=(ask(line="notify STATUS=x"),)),
    Case("watchdog", service="Type=notify\nWatchdogSec=30", steps="--notify READY=1 --serve",
         client=(ask(),)),
    Case("pre_and_post", service=f"ExecStartPre={PROBE} --out {OUTFILE}.1pre -- pre\n"
         f"ExecStartPost={PROBE} --out {OUTFILE}.2post -- post", client=(ask(),), records=3),
    Case("pre_fails", service="ExecStartPre=/bin/false", client=(no_answer(),), records=0),
    Case("pre_fails_ignored", service="ExecStartPre=-/bin/false", client=(ask(),)),
    Case("pre_full_privilege", service=f"ExecStartPre=+{PROBE} --out {OUTFILE}.1pre", client=(ask(),),
         records=2, args=ROOT, differ={
             "1pre[[]0].groups": "a command of full privilege gets none of the user's groups",
             "1pre[[]0].rlimits.NOFILE": "PID 1's own limit there, the caller's here"}),
    Case("pre_writes_env_file", service=f"EnvironmentFile=-/run/CASE/env\nRuntimeDirectory=CASE\n"
         "ExecStartPre=/bin/sh -c 'echo WRITTEN=before > /run/CASE/env'", client=(ask(),),
         about="files are read again before every command"),
    Case("started_directly", units={"CASE.socket": None}, start=("CASE.service",), steps="--hang"),
    Case("restart_always", service="Restart=always\nRestartSec=50ms", client=(
        ask(), leave(HERE, 3), ask()), records=2),
    Case("restart_by_traffic", service="", client=(ask(), leave(HERE, 0), ask()), records=2,
         about="after a clean exit new traffic starts it again"),
    Case("restart_prevented", service="Restart=on-failure\nRestartPreventExitStatus=7\n"
         "RestartSec=50ms", client=(leave(HERE, 7), shell("sleep 0.3; ls /tmp/out | wc -l"))),
    Case("default_dependencies_no", units={
        "CASE.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=8080\n"},
         client=(ask(),)),
]
