"""Accept=yes: an instance for each connection, and its limits."""

import os
import signal
import time

import pytest

from support.box import PROBE, wait_for
from support.ctl import ctl, show, wait_state
from support.launcher import stop_all
from support.probe import Record, client

SERVICE = f"[Service]\nUser=svc\nStandardInput=socket\nStandardError=null\nExecStart={PROBE} --serve\n"


@pytest.fixture
def echo(box):
    """echo.socket with these [Socket] lines and echo@.service with these [Service] lines."""
    running = []

    def start(socket="", service=SERVICE):
        launcher = box.launcher("echo.socket", units={
            "echo.socket": f"[Socket]\nAccept=yes\nListenStream=7\nListenStream=/run/e\n{socket}",
            "echo@.service": service})
        launcher.start()
        running.append(launcher)
        return launcher

    yield start
    stop_all(running)


def count(box, key="NConnections"):
    return int(show(box, "echo.socket")[key])


def gone(sock):
    """True if the other end has hung up."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def test_each_connection_has_its_process(box, echo):
    echo()
    with client(box, "127.0.0.1:7") as a, client(box, "127.0.0.1:7") as b, \
            client(box, "/run/e") as c:
        pids = {x.ask("pid") for x in (a, b, c)}
        assert len(pids) == 3
        assert count(box) == 3 and count(box, "NAccepted") == 3
        assert show(box, "echo.socket")["SubState"] == "listening"
    wait_for(lambda: count(box) == 0, text="no connections")
    assert count(box, "NAccepted") == 3


def test_names_are_systemds(box, echo):
    echo()
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        port = a.sock.getsockname()[1]
        name = f"echo@0-127.0.0.1:7-127.0.0.1:{port}.service"
        assert show(box, name)["SubState"] == "running"
        assert name in ctl(box, "list").stdout
        assert "echo@.service" not in ctl(box, "list").stdout
        assert show(box, "echo@.service")["LoadState"] == "not-found"
        record = Record(a.ask("json"))
        assert record.env["REMOTE_ADDR"] == "127.0.0.1" and record.env["REMOTE_PORT"] == str(port)
    with client(box, "/run/e") as c:
        c.ask("pid")
        assert f"echo@1-{os.getpid()}-0" in ctl(box, "list").stdout or \
            "echo@1-" in ctl(box, "list").stdout


def test_instance_can_be_stopped_by_name(box, echo):
    echo()
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        name = next(w for w in ctl(box, "list").stdout.split() if w.startswith("echo@0"))
        assert ctl(box, "restart", name).returncode == 1
        assert ctl(box, "stop", name).returncode == 0
        assert gone(a.sock)
        assert show(box, name)["LoadState"] == "not-found"


def test_max_connections_turns_away(box, echo):
    echo("MaxConnections=2\n")
    with client(box, "127.0.0.1:7") as a, client(box, "127.0.0.1:7") as b:
        a.ask("pid"), b.ask("pid")
        with box.connect("127.0.0.1:7") as c:
            assert gone(c)
        assert a.ask("echo still") == "still"
    wait_for(lambda: count(box) == 0)
    with client(box, "127.0.0.1:7") as d:
        assert d.ask("echo x") == "x"


def test_max_connections_per_source(box, echo):
    launcher = echo("MaxConnectionsPerSource=1\n")
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        with box.connect("127.0.0.1:7") as again:
            assert gone(again)
        with client(box, "127.0.0.1:7", source=("127.0.0.2", 0)) as other:
            assert other.ask("echo x") == "x"
        with client(box, "/run/e") as local:
            assert local.ask("echo x") == "x"
            with box.connect("/run/e") as again:
                assert gone(again)
    launcher.wait_line("MaxConnectionsPerSource=1")


def test_failed_instance_does_not_count(box, echo):
    launcher = echo("MaxConnections=1\n")
    for _ in range(3):
        with client(box, "127.0.0.1:7") as a:
            a.ask("pid")
            a.say("exit 3")
            assert gone(a.sock)
        wait_for(lambda: count(box) == 0)
    launcher.wait_line("exited with status 3")


def test_poll_limit_slows_and_comes_back(box, echo):
    echo("PollLimitIntervalSec=1s\nPollLimitBurst=3\n")
    begun = time.monotonic()
    for _ in range(5):  # the fourth has to wait for the next second
        with client(box, "127.0.0.1:7") as a:
            assert a.ask("echo x") == "x"
    assert 0.5 < time.monotonic() - begun < 4


def test_trigger_limit_pauses_and_comes_back(box, echo):
    """systemd fails the socket here until somebody starts it again."""
    launcher = echo("PollLimitBurst=0\nTriggerLimitIntervalSec=10s\nTriggerLimitBurst=2\n")
    for _ in range(2):
        with client(box, "127.0.0.1:7") as a:
            assert a.ask("echo x") == "x"
    with client(box, "127.0.0.1:7", timeout=10) as a:
        launcher.wait_line("TriggerLimitBurst= is reached")
        assert "paused" in show(box, "echo.socket")["StatusText"]
        assert a.ask("echo late") == "late"
    assert show(box, "echo.socket")["ActiveState"] == "active"


def test_stopping_the_socket_leaves_its_instances(box, echo):
    echo()
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        assert ctl(box, "stop", "echo.socket").returncode == 0
        assert a.ask("echo x") == "x"


def test_end_stops_instances(box, echo):
    launcher = echo()
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        assert launcher.stop() == 0
        assert gone(a.sock)


def test_manager_that_dies_loses_no_connection(box, echo):
    launcher = echo()
    with client(box, "127.0.0.1:7") as a, client(box, "127.0.0.1:7") as b:
        pids = a.ask("pid"), b.ask("pid")
        names = sorted(w for w in ctl(box, "list").stdout.split() if w.startswith("echo@"))
        manager = launcher.halves()["manager"]
        os.kill(manager, signal.SIGKILL)
        wait_for(lambda: launcher.halves().get("manager") not in (None, manager), 10)
        assert count(box) == 2 and count(box, "NAccepted") == 2
        assert (a.ask("pid"), b.ask("pid")) == pids
        assert sorted(w for w in ctl(box, "list").stdout.split() if w.startswith("echo@")) == names
        with client(box, "127.0.0.1:7") as c:
            c.ask("pid")
            assert "echo@2-" in ctl(box, "list").stdout
    wait_for(lambda: count(box) == 0)


def test_many_connections_at_once(box, echo):
    echo("MaxConnections=300\nPollLimitBurst=0\nTriggerLimitBurst=0\nBacklog=512\n")
    clients = [client(box, "127.0.0.1:7", timeout=30) for _ in range(150)]
    try:
        assert len({c.ask("pid") for c in clients}) == 150
        assert count(box) == 150
    finally:
        for c in clients:
            c.close()
    wait_for(lambda: count(box) == 0, 10)


def test_notify_of_an_instance(box, echo):
    echo(service=f"[Service]\nUser=svc\nType=notify\nStandardInput=socket\nStandardError=null\n"
                 f"ExecStart={PROBE} --notify READY=1|STATUS=mine --serve\n")
    with client(box, "127.0.0.1:7") as a:
        a.ask("pid")
        name = next(w for w in ctl(box, "list").stdout.split() if w.startswith("echo@0"))
        assert wait_state(box, name, "running")["StatusText"] == "mine"


@pytest.mark.parametrize("flush", [True, False])
def test_flush_pending(box, flush):
    """A server that ends without taking what woke it: it is started once more, or not."""
    box.mkdir("/tmp/out", 0o777)
    box.remove("/tmp/out/r")
    units = {"web.socket": f"[Socket]\nListenStream=/run/f\nListenDatagram=/run/fd\n"
                           f"FlushPending={'yes' if flush else 'no'}\n",
             "web.service": f"[Service]\nUser=svc\nExecStart={PROBE} --out /tmp/out/r --exit 0\n"}
    with box.launcher("web.socket", units=units) as launcher:
        with box.connect("/run/f") as stream, box.connect("/run/fd", "dgram") as datagram:
            datagram.send(b"x")
            wait_for(lambda: box.path("/tmp/out/r").exists())
            if flush:
                time.sleep(0.3)
                # The two may have come to two starts, each of which flushed.
                assert box.read("/tmp/out/r").count("\n") <= 2
                assert gone(stream)
            else:
                launcher.wait_line("its service was started too often: not polled")
                assert box.read("/tmp/out/r").count("\n") == 5  # StartLimitBurst=


def test_connection_outlives_a_lack_of_processes(box):
    """No process can be forked for a while: nobody is turned away, all are served later."""
    home = box.mkdir("/home/svc/units", 0o755, (4001, 4001))
    for name, text in {"echo.socket": "[Socket]\nListenStream=7007\nAccept=yes\n",
                       "echo@.service": f"[Service]\nStandardInput=socket\nExecStart={PROBE} "
                                        "--serve\n"}.items():
        box.write(f"{home}/{name}", text, owner=(4001, 4001))
    box.mkdir("/home/svc/runtime", 0o700, (4001, 4001))
    as_svc = ["setpriv", "--reuid", "4001", "--regid", "4001", "--init-groups"]
    with box.launcher(f"{home}/echo.socket", runtime_dir="/home/svc/runtime",
                      wrapper=as_svc) as run:
        limit = [*as_svc, "prlimit", "--pid", str(box.inside_pid(run.halves()["monitor"]))]
        hard = box.run([*limit, "--nproc", "-o", "HARD", "--noheadings"]).stdout.strip()
        box.run([*limit, "--nproc=1:"])
        with client(box, "127.0.0.1:7007") as a, client(box, "127.0.0.1:7007") as b:
            run.wait_line("Resource temporarily unavailable: not polled")
            box.run([*limit, f"--nproc={hard}:"])
            assert [a.ask("echo 1"), b.ask("echo 2")] == ["1", "2"]
            manager = run.halves()["manager"]
            wait_for(lambda: not accepted(box, manager), text="connections closed in the manager")
        assert sum("not polled" in x for x in run.lines) < 4


def accepted(box, pid):
    """Sockets of connections that a process has."""
    port = f":{7007:04X}"
    open_ones = {line.split()[9] for name in ("tcp", "tcp6")
                 for line in box.path(f"/proc/{box.inside_pid(pid)}/net/{name}").read_text()
                 .splitlines()[1:] if line.split()[1].endswith(port) and line.split()[3] == "01"}
    held = {os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
    return {f"socket:[{inode}]" for inode in open_ones} & held


def test_start_limit_is_waited_for(box):
    """A service at its start limit is not started over and over: one line, and a pause."""
    units = {"web.socket": "[Socket]\nListenStream=80\n",
             "web.service": "[Unit]\nStartLimitIntervalSec=4\nStartLimitBurst=2\n[Service]\n"
                            f"User=svc\nExecStart={PROBE} --exit 3\n"}
    with box.launcher("web.socket", units=units) as run, box.connect("127.0.0.1:80"):
        run.wait_line("its service was started too often: not polled")
        time.sleep(2.5)
        assert sum("started too often, at most" in x for x in run.lines) == 1
        assert sum("traffic on" in x for x in run.lines) == 3
        wait_for(lambda: sum("web.service: started, pid" in x for x in run.lines) > 2, 10,
                 "another start when the window is over")
