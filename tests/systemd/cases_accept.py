"""Accept=yes: one process a connection."""

from case import OUT, Case, ask, hold, no_answer, shell, talk

PROBE = "/opt/tools/probe"
INETD = "StandardInput=socket"
V4 = "ListenStream=127.0.0.1:8080\nAccept=yes"
X = "/run/CASE.sock"
# Sources' ports lie below the ephemeral ones: those another client may have had a moment ago.

CASES = [
    Case("accept_stdin", V4, INETD, client=(ask(source=("127.0.0.1", 20001)),)),
    Case("accept_stdin_stderr", V4, f"{INETD}\nStandardError=null",
         client=(ask(source=("127.0.0.1", 20002)),)),
    Case("accept_stdin_stdout", V4, f"{INETD}\nStandardOutput=null\nStandardError=null",
         steps="", client=(ask(source=("127.0.0.1", 20003)),),
         about="the answer has nowhere to go: the connection just ends"),
    Case("accept_listen_fds", V4, client=(ask(source=("127.0.0.1", 20004)),)),
    Case("accept_non_blocking", V4, "NonBlocking=yes", client=(ask(source=("127.0.0.1", 20005)),)),
    Case("accept_name", f"{V4}\nFileDescriptorName=web", client=(ask(source=("127.0.0.1", 20006)),),
         differ={"environment.LISTEN_FDNAMES": "252 ignores the name with Accept=yes, 257 honours it",
                 ".name": "252 ignores the name with Accept=yes, 257 honours it"}),
    Case("accept_options", f"{V4}\nNoDelay=yes\nKeepAlive=yes\nKeepAliveTimeSec=77\nPriority=5\n"
         "IPTOS=8\nMark=3\nReceiveBuffer=64K", INETD, client=(ask(source=("127.0.0.1", 20007)),)),
    Case("accept_v6", "ListenStream=[::1]:8080\nAccept=yes", INETD,
         client=(ask("[::1]:8080", source=("::1", 20008)),)),
    Case("accept_mapped", "ListenStream=8080\nAccept=yes", INETD,
         client=(ask(source=("127.0.0.1", 20009)),), about="v4-mapped addresses print as v4"),
    Case("accept_unix", f"ListenStream={X}\nAccept=yes", INETD, client=(ask(X),)),
    Case("accept_unix_listen_fds", f"ListenStream={X}\nAccept=yes\nPassCredentials=yes",
         client=(ask(X),)),
    Case("accept_seqpacket", f"ListenSequentialPacket={X}\nAccept=yes",
         client=(ask(X, kind="seqpacket"),)),
    Case("accept_instance_name", V4, f"{INETD}\nEnvironment=I=%i N=%n P=%p",
         client=(ask(source=("127.0.0.1", 20010)),)),
    Case("accept_twice", V4, f"{INETD}\nEnvironment=I=%i", client=(
        ask(source=("127.0.0.1", 20011)), ask(source=("127.0.0.1", 20012))), records=2),
    Case("accept_two_listeners", "ListenStream=127.0.0.1:8080\nListenStream=127.0.0.1:8081\n"
         "Accept=yes", INETD, client=(ask(source=("127.0.0.1", 20013)),
                                      ask("127.0.0.1:8081", source=("127.0.0.1", 20014))),
         records=2),
    Case("accept_max_connections", f"{V4}\nMaxConnections=2", INETD,
         client=tuple(
        hold(source=("127.0.0.1", 20020 + i)) for i in range(3)), records=2),
    Case("accept_max_per_source", f"{V4}\nMaxConnections=10\nMaxConnectionsPerSource=1", INETD,
         client=tuple(
        hold(source=("127.0.0.1", 20030 + i)) for i in range(2)), records=1),
    Case("accept_datagram_refused", "ListenDatagram=8080\nAccept=yes", INETD, records=0),
    Case("accept_service_refused", f"{V4}\nService=CASE@x.service", INETD, records=0),
    Case("accept_max_zero", f"{V4}\nMaxConnections=0", INETD, client=(
        ask(source=("127.0.0.1", 20015)),), about="not a limit; systemd refuses the unit",
         records=0),
    Case("accept_no_template", V4, units={"CASE@.service": None}, records=0,
         refused="systemd listens, and fails with the first connection"),
    Case("accept_exit_status", V4, INETD, steps="--exit 3",
         client=(no_answer(source=("127.0.0.1", 20016)),),
         about="a failed instance is no reason to stop listening"),
    Case("accept_keeps_listening", V4, INETD, steps="--greet", client=(
        shell("for i in 1 2 3; do bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; cat <&3 | wc -l'; done"
              ),), records=3, differ={"socket.peer": "an ephemeral port", "REMOTE_PORT":
                                      "an ephemeral port"}),
    Case("accept_commands", V4, INETD, client=(talk("echo a", "bytes 5", "echo b"),),
         differ={"socket.peer": "an ephemeral port", "REMOTE_PORT": "an ephemeral port"}),
    Case("accept_oneshot_lines", V4, f"{INETD}\nType=oneshot\nExecStart=/bin/echo one\n"
         "ExecStart=/bin/echo two\nExecStart=-/bin/false\nExecStart=/bin/sh -c 'read x; echo $x'",
         client=(shell("printf 'asked\\n' | python3 -c \"import socket,sys; s=socket.create_connection("
                       "('127.0.0.1',8080)); s.sendall(sys.stdin.buffer.read()); "
                       "print(b''.join(iter(lambda: s.recv(99), b'')))\""),), records=0),
    Case("accept_oneshot_fails", V4, f"{INETD}\nType=oneshot\nExecStart=/bin/echo one\n"
         "ExecStart=/bin/false\nExecStart=/bin/echo two",
         client=(shell("bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; cat <&3'"),), records=0),
    Case("accept_stderr_to_client", V4, INETD, steps="--print-error oops --serve",
         client=(ask(source=("127.0.0.1", 20017)),),
         about="the trap: standard error is inherited, so the client reads it"),
]
for case in CASES:
    case.socket = case.socket.strip()
    assert OUT and PROBE  # used by every ExecStart= made in case.py
