"""How services start, end and depend on each other: order, conditions, stop commands, signals,
limits in time, restarts."""

from case import HERE, OUT, Case, ask, leave, no_answer, runs, shell, verb, wait

PROBE = "/opt/tools/probe"
SERVE = f"ExecStart={PROBE} --out {OUT}/CASE --serve"
SOCKET = "[Socket]\nListenStream=8080\n"
SERVICE = f"[Service]\nUser=svc\n{SERVE}\n"
ROOT = ("--allow-root-services",)
OTHER = "127.0.0.1:8081"
LOG = "/tmp/out/CASE.log"  # lines in the order in which things happened


RESULT = f"/bin/sh -c 'echo =$SERVICE_RESULT=$EXIT_CODE=$EXIT_STATUS= >> {LOG}'"


def says(word):
    """A oneshot command that adds a word to the log."""
    return f"/bin/sh -c 'echo {word} >> {LOG}'"


def helper(word, *more):
    return (f"[Service]\nUser=svc\nType=oneshot\nRemainAfterExit=yes\nExecStart={says(word)}\n"
            f"ExecStop={says('stop-' + word)}\n" + "".join(f"{m}\n" for m in more))


def main(unit, *more):
    """A service that says when it starts and stops; unit is its [Unit] section."""
    return (f"[Unit]\n{unit}\n[Service]\nUser=svc\nExecStartPre={says('main')}\n{SERVE}\n"
            f"ExecStopPost={says('stop-main')}\n" + "".join(f"{m}\n" for m in more))


THE_LOG = shell(f"cat {LOG}")


def condition(name, value, **kw):
    """The service runs or does not; a client sees which."""
    return Case(name, units={"CASE.service": f"[Unit]\n{value}\n{SERVICE}"}, client=(no_answer(),),
                records=0, **kw)


def trap(*signals):
    """A service that writes down the signals it gets, and leaves on any but SIGHUP."""
    traps = "".join(f"trap \"echo {s} >> {LOG}; {'' if s == 'HUP' else 'exit 0'}\" {s}; "
                    for s in signals)
    return f"ExecStart=/bin/sh -c '{traps}echo up >> {LOG}; while :; do sleep 0.05; done'"


CASES = [
    # -- order and dependencies --
    Case("needs_requires_after", units={
        "CASE.service": main("Requires=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": helper("a")}, client=(ask(),), afterwards=(THE_LOG,)),
    Case("needs_wants_after", units={
        "CASE.service": main("Wants=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": helper("a")}, client=(ask(),), afterwards=(THE_LOG,)),
    Case("needs_before", units={
        "CASE.service": main("Requires=CASE-a.service"),
        "CASE-a.service": "[Unit]\nBefore=CASE.service\n" + helper("a")},
         client=(ask(),), afterwards=(THE_LOG,)),
    Case("needs_chain", units={
        "CASE.service": main("Requires=CASE-b.service\nAfter=CASE-b.service"),
        "CASE-b.service": "[Unit]\nRequires=CASE-a.service\nAfter=CASE-a.service\n" + helper("b"),
        "CASE-a.service": helper("a")}, client=(ask(),), afterwards=(THE_LOG,)),
    Case("needs_requires_fails", units={
        "CASE.service": main("Requires=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": "[Service]\nUser=svc\nType=oneshot\nExecStart=/bin/false\n"},
         client=(no_answer(),), records=0),
    Case("needs_wants_fails", units={
        "CASE.service": main("Wants=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": "[Service]\nUser=svc\nType=oneshot\nExecStart=/bin/false\n"},
         client=(ask(),)),
    Case("needs_after_alone", units={
        "CASE.service": main("After=CASE-a.service"), "CASE-a.service": helper("a")},
         client=(ask(),), afterwards=(THE_LOG,), about="an order pulls nothing in"),
    Case("needs_binds_to", units={
        "CASE.service": main("BindsTo=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": "[Service]\nUser=svc\n" + trap("TERM")}, client=(ask(),),
         afterwards=(shell(f"sort {LOG}"),)),
    Case("needs_missing_required", units={
        "CASE.service": main("Requires=nosuch-CASE.service\nAfter=nosuch-CASE.service")},
         client=(no_answer(),), records=0,
         refused="a missing unit is found at load, not when traffic comes"),
    Case("needs_socket_of_its_own", units={
        "CASE.service": main("Requires=CASE.socket")}, client=(ask(),), afterwards=(THE_LOG,)),
    # -- as real units combine them --
    Case("real_libvirtd", units={
        "CASE.socket": "[Socket]\nListenStream=127.0.0.1:8080\n",
        "CASE-ro.socket": "[Unit]\nBindsTo=CASE.socket\nAfter=CASE.socket\n[Socket]\n"
                          "ListenStream=127.0.0.1:8081\nService=CASE.service\n"},
         start=("CASE-ro.socket",), unordered=True, client=(
             ask(OTHER), ask(), verb("stop", "CASE.service"), verb("stop", "CASE.socket"),
             wait(0.2), ask(OTHER), ask(), verb("start", "CASE-ro.socket"), ask()), records=2,
         about="libvirt: a second socket is bound to the first, and brings it up"),
    Case("real_docker", units={
        "CASE.service": main("Requires=CASE.socket\nAfter=CASE.socket CASE-a.service\n"
                             "Wants=CASE-a.service"),
        "CASE-a.service": helper("a")}, start=("CASE.service",), client=(
            ask(), verb("stop", "CASE.socket"), wait(0.3), ask(), shell(f"cat {LOG}")),
         about="docker: a service that requires its socket goes with it"),
    Case("real_cups", units={
        "CASE.socket": "[Unit]\nPartOf=CASE.service\n[Socket]\nListenStream=127.0.0.1:8080\n"},
         client=(ask(), verb("stop", "CASE.service"), wait(0.2), ask(),
                 verb("start", "CASE.socket"), ask()), records=2,
         about="cups: the socket is a part of the service, and is stopped with it"),
    Case("real_ssh_conflict", units={
        "CASE.service": main("Conflicts=CASE-old.service\nAfter=CASE-old.service"),
        "CASE-old.service": helper("old")}, start=("CASE-old.service", "CASE.socket"),
         client=(wait(0.3), ask(), wait(0.2), shell(f"cat {LOG}"), verb("start", "CASE-old.service"),
                 wait(0.3), shell(f"cat {LOG}")),
         about="two servers of one port, of which either stops the other"),
    Case("real_journald", units={
        "CASE.service": "[Unit]\nRequires=CASE.socket CASE-b.socket\nAfter=CASE.socket "
                        f"CASE-b.socket\n[Service]\nUser=svc\nSockets=CASE.socket CASE-b.socket\n{SERVE}\n",
        "CASE.socket": "[Unit]\nBefore=CASE.service\n[Socket]\nListenStream=127.0.0.1:8080\n",
        "CASE-b.socket": "[Unit]\nBefore=CASE.service\n[Socket]\nListenStream=127.0.0.1:8081\n"
                         "Service=CASE.service\n"},
         start=("CASE.service",), unordered=True, client=(
             ask(), ask(OTHER), verb("stop", "CASE.service"), ask(OTHER)), records=2,
         about="a service that requires several sockets; they outlive it"),
    Case("real_requires_skipped", units={
        "CASE.service": main("Requires=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": "[Unit]\nConditionPathExists=/nowhere\n" + helper("a")},
         client=(ask(),), afterwards=(THE_LOG,), about="what is skipped has not failed"),
    Case("real_requires_asserted", units={
        "CASE.service": main("Requires=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": "[Unit]\nAssertPathExists=/nowhere\n" + helper("a")},
         client=(no_answer(),), records=0),
    Case("real_requires_together", units={
        "CASE.service": main("Requires=CASE-a.service"),
        "CASE-a.service": "[Service]\nUser=svc\nType=oneshot\nExecStart=/bin/sh -c "
                          "'sleep 0.3; exit 1'\n"},
         client=(ask(), wait(0.5), ask()),
         about="without an order a required unit that fails later takes nothing along"),
    Case("real_requisite", units={
        "CASE.service": main("Requisite=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": helper("a")}, start=("CASE-a.service", "CASE.socket"), client=(
             wait(0.3), ask(), verb("stop", "CASE-a.service"), wait(0.2), shell(f"cat {LOG}"),
             no_answer()), about="systemd gives the socket up then, ours waits"),
    Case("real_part_of_restart", units={
        "CASE.service": main("PartOf=CASE-a.service\nAfter=CASE-a.service"),
        "CASE-a.service": helper("a")}, start=("CASE-a.service", "CASE.socket"), client=(
            ask(), verb("restart", "CASE-a.service"), wait(0.3), shell(f"cat {LOG}"), ask()),
         records=2),
    Case("real_binds_to_socket", units={
        "CASE.service": main("BindsTo=CASE.socket\nAfter=CASE.socket")}, client=(
            ask(), verb("stop", "CASE.socket"), wait(0.2), ask(), shell(f"cat {LOG}"))),
    Case("real_wants_socket", units={
        "CASE.service": main("Wants=CASE-b.socket\nAfter=CASE-b.socket"),
        "CASE-b.service": f"[Service]\nUser=svc\nExecStart={PROBE} --out {OUT}/CASE.b --serve\n",
        "CASE-b.socket": "[Socket]\nListenStream=127.0.0.1:8081\n"},
         client=(wait(0.2), ask(OTHER), ask(), ask(OTHER)), records=2,
         about="a service brings up the socket of another, to ask it something"),
    Case("real_sockets_wanted", units={
        "CASE.service": "[Service]\nUser=svc\nSockets=CASE.socket CASE-b.socket\n" + SERVE,
        "CASE-b.socket": "[Socket]\nListenStream=127.0.0.1:8081\nService=CASE.service\n"},
         unordered=True, client=(
             wait(0.2), ask(OTHER), ask(), ask(OTHER), verb("stop", "CASE.service"),
             verb("stop", "CASE-b.socket"), ask(OTHER), ask(), ask(OTHER)), records=2,
         about="Sockets= wants them: they come up with the service"),
    # -- conditions: the service runs, or is left alone --
    condition("if_path_glob", "ConditionPathExistsGlob=/etc/no*such*"),
    condition("if_directory", "ConditionPathIsDirectory=/etc"),
    condition("if_directory_not", "ConditionPathIsDirectory=/etc/passwd"),
    condition("if_symlink", "ConditionPathIsSymbolicLink=/bin"),
    condition("if_symlink_not", "ConditionPathIsSymbolicLink=/etc"),
    condition("if_not_empty", "ConditionDirectoryNotEmpty=/run/nothing"),
    condition("if_executable", "ConditionFileIsExecutable=/etc/passwd"),
    condition("if_several_all", "ConditionPathExists=/etc\nConditionPathExists=/nowhere"),
    condition("if_several_one", "ConditionPathExists=|/etc\nConditionPathExists=|/nowhere"),
    condition("if_trigger_and_plain", "ConditionPathExists=|/nowhere\nConditionPathExists=|/none\n"
              "ConditionPathExists=/etc"),
    condition("if_reset", "ConditionPathExists=/nowhere\nConditionPathExists="),
    condition("if_user_root", "ConditionUser=root"),
    condition("if_user_other", "ConditionUser=svc"),
    condition("if_group_root", "ConditionGroup=root"),
    condition("if_group_other", "ConditionGroup=svc"),
    condition("if_capability", "ConditionCapability=CAP_SYS_ADMIN"),
    condition("if_not_virtual", "ConditionVirtualization=!container"),
    condition("if_container", "ConditionVirtualization=container"),
    condition("if_kernel_word", "ConditionKernelCommandLine=no-such-word"),
    condition("if_security", "ConditionSecurity=selinux"),
    condition("if_architecture", "ConditionArchitecture=x86-64", refused="not looked at here"),
    condition("if_host", "ConditionHost=box"),
    condition("assert_read_write", "AssertPathIsReadWrite=/tmp"),
    condition("assert_not_there", "AssertPathExists=/nowhere"),
    condition("assert_glob", "AssertPathExistsGlob=/etc/pass*"),
    condition("assert_directory", "AssertPathIsDirectory=/etc/passwd"),
    condition("assert_symlink", "AssertPathIsSymbolicLink=/bin"),
    condition("assert_directory_not_empty", "AssertDirectoryNotEmpty=/run/nothing"),
    condition("assert_file_not_empty", "AssertFileNotEmpty=/etc/passwd"),
    condition("assert_executable", "AssertFileIsExecutable=/etc/passwd"),
    condition("assert_user", "AssertUser=svc"),
    condition("assert_group", "AssertGroup=root"),
    condition("assert_capability", "AssertCapability=!CAP_SYS_ADMIN"),
    condition("assert_virtualization", "AssertVirtualization=container"),
    condition("assert_kernel_word", "AssertKernelCommandLine=no-such-word"),
    condition("assert_security", "AssertSecurity=!selinux"),
    condition("assert_host", "AssertHost=!box"),
    # -- commands around the main one --
    Case("stop_commands", units={"CASE.service": main("", f"ExecStop={says('stop')}")},
         client=(ask(),), afterwards=(THE_LOG,)),
    Case("stop_sees_mainpid", service=f"ExecStop={PROBE} --out {OUT}/CASE.stop -- $MAINPID",
         client=(ask(),), records=1, differ={"stop[[]0].argv": "a pid"}),
    Case("stop_post_result", service="ExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE "
         f"$EXIT_STATUS >> {LOG}'", client=(ask(), leave(HERE, 3), wait(0.2)),
         afterwards=(shell(f"head -1 {LOG}"),)),
    Case("stop_result_of_a_signal", service=f"ExecStopPost={RESULT}\nRestart=no",
         client=(ask(), shell("pkill -KILL -x -f '/opt/tools/probe --out /tmp/out/CASE --serve'"),
                 wait(0.3)), afterwards=(shell(f"head -1 {LOG}"),)),
    Case("stop_result_of_a_stop", service=f"ExecStop={RESULT}\nExecStopPost={RESULT}",
         client=(ask(),), afterwards=(shell(f"cat {LOG}"),)),
    Case("stop_result_of_no_start", service=f"ExecStartPre=/bin/false\nExecStopPost={RESULT}\n"
         "StartLimitBurst=1", client=(no_answer(),), records=0,
         afterwards=(shell(f"head -1 {LOG}"),)),
    Case("stop_post_after_failed_pre", service=f"ExecStartPre=/bin/false\nExecStopPost={says('post')}"
         "\nStartLimitBurst=1", client=(no_answer(),), records=0,
         afterwards=(shell(f"head -1 {LOG}"),)),
    Case("start_pre_order", service=f"ExecStartPre={says('1')}\nExecStartPre={says('2')}\n"
         f"ExecStartPost={says('3')}\nExecStartPost={says('4')}", client=(ask(), wait(0.2)),
         afterwards=(THE_LOG,)),
    Case("oneshot_several", service=f"Type=oneshot\nExecStart={says('1')}\nExecStart=-/bin/false\n"
         f"ExecStart={says('2')}", start=("CASE.service",), units={"CASE.socket": None}, records=0,
         client=(wait(0.3),), afterwards=(THE_LOG,)),
    Case("permissions_start_only", service=f"PermissionsStartOnly=yes\nExecStartPre={PROBE} --out "
         f"{OUT}/CASE.1pre", client=(ask(),), records=2, args=ROOT, differ={
             "1pre[[]0].groups": "a command of full privilege gets none of the user's groups",
             "1pre[[]0].rlimits.NOFILE": "PID 1's own limit there, the caller's here"}),
    # -- the end --
    Case("kill_signal", service=f"{trap('INT', 'TERM')}\nKillSignal=SIGINT", start=("CASE.service",),
         units={"CASE.socket": None}, records=0, client=(wait(0.3),), afterwards=(THE_LOG,)),
    Case("kill_sighup_too", service=f"{trap('HUP', 'TERM')}\nSendSIGHUP=yes",
         start=("CASE.service",), units={"CASE.socket": None}, records=0, client=(wait(0.3),),
         afterwards=(shell(f"sort {LOG}"),)),
    Case("kill_after_timeout", service="TimeoutStopSec=300ms",
         steps="--ignore 15 --serve", client=(ask(),), afterwards=(
             shell("pgrep -c -f 'out/[k]ill_after_timeout' || :"),)),
    Case("kill_final_signal", service=f"{trap('QUIT')}\nKillSignal=SIGCONT\nFinalKillSignal=SIGQUIT\n"
         "TimeoutStopSec=300ms", start=("CASE.service",), units={"CASE.socket": None}, records=0,
         client=(wait(0.3),), afterwards=(THE_LOG,)),
    Case("kill_not_at_last", service="ExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 0.05; "
         "done # CASE'\nTimeoutStopSec=300ms\nSendSIGKILL=no", start=("CASE.service",),
         units={"CASE.socket": None}, records=0, client=(
             wait(0.3), verb("stop", "CASE.service"), shell("pgrep -c -f '[k]ill_not_at_last'")),
         afterwards=(shell("pkill -KILL -f '[k]ill_not_at_last' || :"),),
         about="left behind by a stop; the end of the launcher leaves nobody"),
    Case("kill_after_timeout_of_both", service="TimeoutSec=300ms",
         steps="--ignore 15 --serve", client=(ask(),), afterwards=(
             shell("pgrep -c -f 'out/[k]ill_after_timeout_of_both' || :"),)),
    Case("kill_for_a_restart", service=f"{trap('INT', 'TERM')}\nRestartKillSignal=SIGINT",
         start=("CASE.service",), units={"CASE.socket": None}, records=0,
         client=(wait(0.3), verb("restart", "CASE.service"), wait(0.3)), afterwards=(THE_LOG,)),
    Case("kill_for_the_watchdog", service=f"{trap('INT', 'ABRT', 'TERM')}\nWatchdogSec=300ms\n"
         "WatchdogSignal=SIGINT", start=("CASE.service",), units={"CASE.socket": None}, records=0,
         client=(wait(0.8),), afterwards=(THE_LOG,)),
    Case("reload_command", service=f"{trap('HUP', 'TERM')}\nExecReload=/bin/kill -HUP $MAINPID",
         start=("CASE.service",), units={"CASE.socket": None}, records=0,
         client=(wait(0.3), verb("reload", "CASE.service"), wait(0.3)), afterwards=(THE_LOG,)),
    Case("kill_control_group", steps="--fork --serve", client=(ask(),), afterwards=(
        shell("pgrep -c -f 'out/[k]ill_control_group' || :"),),
         about="the default: children go too"),
    Case("kill_mixed", service="KillMode=mixed", steps="--fork --serve", client=(ask(),),
         afterwards=(shell("pgrep -c -f 'out/[k]ill_mixed' || :"),)),
    # -- restarts and limits in time --
    Case("restart_on_failure", service="Restart=on-failure\nRestartSec=50ms",
         client=(leave(HERE, 3), runs(2)), records=2),
    Case("restart_on_failure_clean", service="Restart=on-failure\nRestartSec=50ms",
         client=(leave(HERE, 0), wait(0.3), shell("wc -l < /tmp/out/CASE"))),
    Case("restart_on_success", service="Restart=on-success\nRestartSec=50ms",
         client=(leave(HERE, 0), runs(2)), records=2),
    Case("restart_success_status", service="Restart=on-failure\nRestartSec=50ms\n"
         "SuccessExitStatus=7 SIGUSR1", client=(leave(HERE, 7), wait(0.3),
                                                shell("wc -l < /tmp/out/CASE"))),
    Case("restart_forced", service="RestartForceExitStatus=9\nRestartSec=50ms",
         client=(leave(HERE, 9), runs(2)), records=2),
    Case("restart_on_abort", service="Restart=on-abort\nRestartSec=50ms",
         client=(leave(HERE, 9), wait(0.3), shell("wc -l < /tmp/out/CASE"))),
    Case("start_limit", service="Restart=always\nRestartSec=10ms\nStartLimitBurst=3\n"
         "StartLimitInterval=10s", steps="--exit 1", start=("CASE.service",),
         units={"CASE.socket": None}, client=(wait(0.2), runs(3)), records=3),
    Case("start_limit_in_unit", units={
        "CASE.socket": None, "CASE.service": "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=10\n"
        f"[Service]\nUser=svc\nRestart=always\nRestartSec=10ms\nExecStart={PROBE} --out {OUT}/CASE "
        "--exit 1\n"}, start=("CASE.service",),
         client=(wait(0.2), runs(2)), records=2),
    Case("runtime_max", service="RuntimeMaxSec=300ms", client=(
        ask(), wait(0.6), ask(), runs(2)), records=2),
    Case("start_timeout", service="Type=notify\nTimeoutStartSec=300ms\nStartLimitBurst=1",
         client=(no_answer(),), steps="--delay 5000 --notify READY=1 --serve",
         afterwards=(shell("wc -l < /tmp/out/CASE"),)),
    Case("start_timeout_of_both", service="Type=notify\nTimeoutSec=300ms\nStartLimitBurst=1",
         client=(no_answer(),), steps="--delay 5000 --notify READY=1 --serve",
         afterwards=(shell("wc -l < /tmp/out/CASE"),)),
    # -- directories and limits that no case elsewhere has --
    Case("directory_modes", service="CacheDirectory=CASE\nCacheDirectoryMode=0700\nLogsDirectory=CASE\n"
         "LogsDirectoryMode=0750\nConfigurationDirectory=CASE\nConfigurationDirectoryMode=0711",
         client=(ask(), shell("stat -c '%U %G %a' /var/cache/CASE /var/log/CASE /etc/CASE"))),
    Case("directory_again", service="StateDirectory=CASE\nStateDirectoryMode=0700",
         client=(ask(), leave(HERE), ask(), shell("stat -c '%U %a' /var/lib/CASE")), records=2,
         about="the second start finds it its user's, closed to everybody else"),
    Case("limits_rest", service="LimitDATA=512M\nLimitRSS=1G\nLimitAS=8G\nLimitLOCKS=11\n"
         "LimitRTPRIO=0", client=(ask(),)),
    Case("limit_nice_as_a_priority", service="LimitNICE=+5", client=(ask(),)),
    Case("limit_nice_as_it_is", service="LimitNICE=12:15", client=(ask(),)),
    Case("limit_nice_too_large", service="LimitNICE=41", client=(ask(),),
         refused="systemd ignores what is no limit, and starts the service without one"),
    Case("limits_above_our_own", service="LimitMSGQUEUE=1G\nLimitRTPRIO=7:9\nLimitMEMLOCK=infinity",
         client=(ask(),), about="as many as the machine gives: in a container, none"),
    Case("limit_above_the_kernels", service="LimitNOFILE=infinity", client=(ask(),),
         about="fs.nr_open binds root too"),
    Case("oom_score_lower", service="OOMScoreAdjust=-17", client=(ask(),),
         about="not in every container"),
    Case("credential", service="LoadCredential=key:/run/CASE.key", files={
        "/run/CASE.key": ("secret\n", 0o600, (0, 0))}, client=(
            ask(), shell("cat /run/credentials/CASE.service/key; "
                         "stat -c '%a' /run/credentials/CASE.service/key")),
         differ={"answers": "not below /run/credentials",
                 "environment.CREDENTIALS_DIRECTORY": "a directory of the launcher's"}),
    Case("pass_pidfd", "ListenStream=/run/CASE.sock\nPassPIDFD=yes", client=(ask("/run/CASE.sock"),),
         differ={"SO_PASSPIDFD": "252 does not know it yet, 258 does"}),
    Case("no_descriptors_wanted", "ListenStream=/run/CASE.sock\nAcceptFileDescriptors=no",
         client=(ask("/run/CASE.sock"),),
         differ={"SO_PASSRIGHTS": "252 does not know it yet, 258 does"}),
    Case("poll_limit", "ListenStream=8080\nPollLimitIntervalSec=5\nPollLimitBurst=3",
         client=(ask(),), about="unknown to 252, which ignores it"),
    Case("trigger_limit", "ListenStream=8080\nTriggerLimitIntervalSec=5\nTriggerLimitBurst=7",
         client=(ask(), leave(HERE), ask()), records=2),
]
