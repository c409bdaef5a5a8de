"""The language itself: syntax, drop-ins, templates, aliases, conditions, and units that need each
other."""

from case import OUT, Case, ask, no_answer, shell

PROBE = "/opt/tools/probe"
SERVE = f"ExecStart={PROBE} --out {OUT}/CASE --serve"
SOCKET = "[Socket]\nListenStream=8080\n"
SERVICE = f"[Service]\nUser=svc\n{SERVE}\n"

CASES = [
    # -- syntax --
    Case("syntax_blanks", units={"CASE.socket": "\n\n  # c\n; c\n[Socket]\n\n   ListenStream = 8080  \n"
                                                "\t FileDescriptorName\t=\tx \n",
                                 "CASE.service": "[Unit]\n\n[Service]\n  User = svc\n "
                                                 f"{SERVE}\n[Install]\n"}, client=(ask(),)),
    Case("syntax_section_twice", units={"CASE.service": f"[Service]\n{SERVE}\n[Unit]\n"
                                                        "Description=x\n[Service]\nUser=svc\n"},
         client=(ask(),)),
    Case("syntax_crlf", units={"CASE.socket": "[Socket]\r\nListenStream=8080\r\n"},
         client=(ask(),)),
    Case("syntax_no_last_newline", units={"CASE.socket": "[Socket]\nListenStream=8080"},
         client=(ask(),)),
    Case("syntax_unknown_x_section", units={"CASE.socket": f"{SOCKET}[X-Mine]\nAnything=goes\n"},
         client=(ask(),)),
    Case("syntax_x_key", units={"CASE.socket": f"{SOCKET}X-Mine=1\n"}, client=(ask(),)),
    Case("syntax_later_wins", "ListenStream=8080\nFileDescriptorName=a\nFileDescriptorName=b",
         client=(ask(),)),
    Case("syntax_boolean_words", "ListenStream=8080\nNoDelay=on", "NonBlocking=1", client=(ask(),)),
    Case("syntax_boolean_bad", "ListenStream=8080\nNoDelay=perhaps", client=(ask(),)),
    Case("syntax_utf8", "ListenStream=8080", "Environment=\"A=größe ✓\"", client=(ask(),)),
    Case("syntax_comment_after_value", "ListenStream=8080", "Environment=A=1 # B=2",
         client=(ask(),), about="there are no comments behind a value"),
    Case("syntax_long_line", service="Environment=A=" + "x" * 20000, client=(ask(),)),
    # -- drop-ins --
    Case("dropin", units={"CASE.service.d/10.conf": "[Service]\nEnvironment=A=1\n"},
         client=(ask(),)),
    Case("dropin_order", units={"CASE.service.d/20.conf": "[Service]\nEnvironment=A=20 B=20\n",
                                "CASE.service.d/10.conf": "[Service]\nEnvironment=A=10 C=10\n"},
         client=(ask(),)),
    Case("dropin_resets", units={"CASE.socket.d/x.conf": "[Socket]\nListenStream=\n"
                                                         "ListenStream=8081\n"},
         client=(ask("127.0.0.1:8081"), ask())),
    Case("dropin_appends", units={"CASE.socket.d/x.conf": "[Socket]\nListenStream=8081\n"},
         client=(ask("127.0.0.1:8081"), ask())),
    Case("dropin_exec", units={"CASE.service.d/x.conf":
                               f"[Service]\nExecStart=\nExecStart={PROBE} --out {OUT}/CASE --serve "
                               "-- dropin\n"}, client=(ask(),)),
    Case("dropin_not_conf", units={"CASE.service.d/x.txt": "[Service]\nEnvironment=A=1\n"},
         client=(ask(),)),
    Case("dropin_hidden", units={"CASE.service.d/.x.conf": "[Service]\nEnvironment=A=1\n"},
         client=(ask(),)),
    Case("dropin_etc_over_run", units={"CASE.service.d/x.conf": "[Service]\nEnvironment=A=run\n"},
         files={"/etc/systemd/system/CASE.service.d/x.conf": "[Service]\nEnvironment=A=etc\n"},
         client=(ask(),)),
    Case("dropin_prefix", units={
        "CASE-long-name.socket": SOCKET, "CASE.socket": None, "CASE.service": None,
        "CASE-long-name.service": SERVICE,
        "CASE-.service.d/a.conf": "[Service]\nEnvironment=A=short B=short\n",
        "CASE-long-.service.d/b.conf": "[Service]\nEnvironment=B=longer\n"},
         start=("CASE-long-name.socket",), client=(ask(),)),
    # -- templates --
    Case("template", units={"CASE@.socket": SOCKET, "CASE.socket": None, "CASE.service": None,
                            "CASE@.service": f"[Service]\nUser=svc\nEnvironment=I=%i U=%I N=%n "
                                             f"P=%p J=%j F=%f\n{SERVE}\n"},
         start=("CASE@one.socket",), client=(ask(),)),
    Case("template_escaped", units={"CASE@.socket": SOCKET, "CASE.socket": None,
                                    "CASE.service": None,
                                    "CASE@.service": "[Service]\nUser=svc\nEnvironment=\"I=%i\" "
                                                     f"\"U=%I\" \"F=%f\"\n{SERVE}\n"},
         start=("CASE@a-b\\x2dc.socket",), client=(ask(),)),
    Case("template_address", units={"CASE@.socket": "[Socket]\nListenStream=/run/CASE-%i.sock\n",
                                    "CASE.socket": None, "CASE.service": None,
                                    "CASE@.service": SERVICE}, start=("CASE@two.socket",),
         client=(ask("/run/CASE-two.sock"),), paths=("/run/CASE-two.sock",)),
    Case("template_instance_dropin", units={
        "CASE@.socket": SOCKET, "CASE.socket": None, "CASE.service": None,
        "CASE@.service": SERVICE,
        "CASE@.service.d/a.conf": "[Service]\nEnvironment=A=all B=all\n",
        "CASE@x.service.d/b.conf": "[Service]\nEnvironment=B=one\n"},
         start=("CASE@x.socket",), client=(ask(),)),
    # -- conditions --
    Case("condition_path_true", units={"CASE.socket": "[Unit]\nConditionPathExists=/etc/passwd\n"
                                       + SOCKET}, client=(ask(),)),
    Case("condition_path_false", units={"CASE.socket": "[Unit]\nConditionPathExists=/nowhere\n"
                                        + SOCKET}, client=(ask(),), records=0),
    Case("condition_socket_unix", units={"CASE.socket": "[Unit]\nConditionPathExists=/nowhere\n"
                                         "[Socket]\nListenStream=/run/CASE.sock\n"},
         client=(ask("/run/CASE.sock"),), records=0, paths=("/run/CASE.sock",)),
    Case("condition_one_of_two_sockets", units={
        "CASE.socket": SOCKET,
        "CASE-b.socket": "[Unit]\nConditionPathExists=!/etc\n[Socket]\nListenStream=8081\n"
                         "Service=CASE.service\n"}, start=("CASE-b.socket", "CASE.socket"),
         client=(ask("127.0.0.1:8081"), ask()), about="the other is opened, and passed alone"),
    Case("condition_negated", units={"CASE.service": "[Unit]\nConditionPathExists=!/nowhere\n"
                                     + SERVICE}, client=(ask(),)),
    Case("condition_or", units={"CASE.service": "[Unit]\nConditionPathExists=|/nowhere\n"
                                "ConditionPathIsDirectory=|/etc\n" + SERVICE}, client=(ask(),)),
    Case("condition_family", units={"CASE.service": "[Unit]\nConditionPathIsReadWrite=/run\n"
                                    "ConditionFileIsExecutable=/bin/sh\n"
                                    "ConditionDirectoryNotEmpty=/etc\n"
                                    "ConditionFileNotEmpty=/etc/passwd\n"
                                    "ConditionPathExistsGlob=/etc/pass*\n" + SERVICE},
         client=(ask(),)),
    Case("condition_mount_point", units={"CASE.service": "[Unit]\nConditionPathIsMountPoint=/proc\n"
                                         + SERVICE}, client=(ask(),), refused="not looked at here"),
    Case("condition_service_false", units={"CASE.service": "[Unit]\nConditionPathExists=/nowhere\n"
                                           + SERVICE}, client=(no_answer(),), records=0),
    Case("assert_false", units={"CASE.socket": "[Unit]\nAssertPathExists=/nowhere\n" + SOCKET},
         records=0, client=(), differ={
             "started": "the launcher is ready when the sockets that can be opened are; the unit's "
                        "own start has failed in both"}),
    # -- other units --
    Case("requires_started_first", units={
        "CASE.service": "[Unit]\nRequires=CASE-dep.service\nAfter=CASE-dep.service\n" + SERVICE,
        "CASE-dep.service": "[Service]\nUser=svc\nType=oneshot\nRemainAfterExit=yes\n"
                            f"ExecStart={PROBE} --out {OUT}/CASE.0dep\n"},
         client=(ask(), shell("ls /tmp/out")), records=2),
    Case("wants_may_fail", units={
        "CASE.service": "[Unit]\nWants=CASE-dep.service\nAfter=CASE-dep.service\n" + SERVICE,
        "CASE-dep.service": "[Service]\nUser=svc\nType=oneshot\nExecStart=/bin/false\n"},
         client=(ask(),)),
    Case("requires_missing_optional", units={
        "CASE.service": "[Unit]\nWants=nosuch-CASE.service\nAfter=nosuch-CASE.service\n" + SERVICE},
         client=(ask(),)),
    Case("alias_link", units={"CASE-real.service": SERVICE, "CASE.service": None,
                              "CASE.socket": "[Socket]\nListenStream=8080\n"
                                             "Service=CASE-real.service\n"}, client=(ask(),)),
]
