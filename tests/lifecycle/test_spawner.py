"""Accept=yes by a spawner: nobody but the service's user forks for a connection, and whoever stops
or kills the spawner takes no connection with him."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

from support.box import PROBE, wait_for
from support.ctl import audit, show
from support.launcher import stop_all
from support.probe import client

SERVICE = (f"[Service]\nUser=svc\nStandardInput=socket\nStandardError=null\nEnvironment=A=%i\n"
           f"LimitNOFILE=500\nUMask=0027\nWorkingDirectory=/tmp\nExecStart={PROBE} --serve\n")
PLAIN = SERVICE + "EnvironmentFile=-/nothing\n"  # read by root, anew for each


@pytest.fixture
def echo(box):
    """echo.socket and echo@.service with these lines, running."""
    running = []

    def start(service=SERVICE, socket=""):
        launcher = box.launcher("echo.socket", units={
            "echo.socket": f"[Socket]\nAccept=yes\nListenStream=7\nTriggerLimitIntervalSec=0\n"
                           f"PollLimitIntervalSec=0\nMaxConnections=1000\n{socket}",
            "echo@.service": service})
        launcher.start()
        running.append(launcher)
        return launcher

    yield start
    stop_all(running)
    for launcher in running:
        assert "killed what had not stopped" not in launcher.log


def spawners(run):
    return [p for p, line in run.box.processes(run.cgroup) if line == "sallyport: spawner"]


def spawner(run):
    return wait_for(lambda: spawners(run), text="a spawner")[0]


def talk(box):
    with client(box, "127.0.0.1:7") as c:
        return c.ask("pid")


def faults(pid):
    """Minor page faults: a process that forks has some after each, for what it writes to."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[7])


def cost(box, run, n=40):
    talk(box)
    before = faults(run.pid)
    for _ in range(n):
        talk(box)
    return (faults(run.pid) - before) / n


def test_root_does_not_fork_for_a_connection(box, echo):
    run = echo()
    spent = cost(box, run)
    with client(box, "127.0.0.1:7") as c:
        assert c.record()["ppid"] == box.inside_pid(run.pid)  # the monitor's child all the same
    assert len(spawners(run)) == 1
    run.stop()
    plain = echo(PLAIN)
    assert cost(box, plain) > 2 and spent < 1
    assert spawners(plain) == []


def test_record_is_the_same_by_both_roads(box, echo):
    found = []
    for service in (SERVICE, PLAIN):
        run = echo(service)
        talk(box)  # the second in its spawner's memory
        with client(box, "127.0.0.1:7", source=("127.0.0.1", 7777)) as c:
            record = c.record()
        env = record.env
        assert env.pop("INVOCATION_ID") and "LISTEN_PID" not in env
        for key in ("pid", "ppid", "pgrp", "session"):
            record.pop(key)
        record["environment"] = env
        for fd in record["fds"]:
            for key in ("inode", "ino", "path"):
                fd.pop(key, None)
        found.append(record)
        run.stop()
    spawned, plain = found
    assert spawned["environment"]["A"].startswith("1-127.0.0.1:7-127.0.0.1:7777")
    assert spawned == plain


def test_spawner_is_the_user_and_cannot_be_traced(box, echo):
    run = echo()
    talk(box)
    inside = box.inside_pid(spawner(run))
    code, found = audit(box)
    row = found[inside]
    assert code == 0 and row["verdict"] == "ok", row["reasons"]
    assert row["role"] == "spawner" and row["uid"] == [4001] * 4
    assert row["traceable"] is False and row["no_new_privs"]
    assert not any(f["listening"] for f in row["descriptors"])
    tried = box.run(["setpriv", "--reuid=svc", "--regid=svc", "--init-groups", "/usr/bin/python3",
                     "-c", f"open('/proc/{inside}/mem', 'rb')"], check=False)
    assert "PermissionError" in tried.stderr


def test_killed_it_takes_no_waiting_connection_along(box, echo):
    run = echo()
    talk(box)
    lost = kills = 0
    for i in range(120):
        if i % 30 == 10:
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(spawners(run)[0], signal.SIGKILL)
                kills += 1
            time.sleep(0.02)
        try:
            talk(box)
        except (EOFError, ConnectionError):
            lost += 1
    assert kills > 0 and lost == 0
    wait_for(lambda: int(show(box, "echo.socket")["NConnections"]) == 0, text="no connections")


def test_stopped_it_is_replaced(box, echo):
    run = echo()
    talk(box)
    first = spawner(run)
    os.kill(first, signal.SIGSTOP)
    clients = [client(box, "127.0.0.1:7", timeout=20) for _ in range(25)]
    pids = {c.ask("pid") for c in clients}
    assert len(pids) == 25
    run.wait_line("does not answer")
    for c in clients:
        c.close()
    time.sleep(1)
    talk(box)
    assert wait_for(lambda: spawners(run), text="another spawner") != [first]


def test_stopped_at_the_end_it_holds_up_nothing(box, echo):
    run = echo()
    talk(box)
    os.kill(spawner(run), signal.SIGSTOP)
    began = time.monotonic()
    assert run.stop() == 0
    assert time.monotonic() - began < 5


def test_manager_killed_under_load(box, echo):
    run = echo()
    with client(box, "127.0.0.1:7") as c:
        before = c.ask("pid")
        os.kill(run.halves()["manager"], signal.SIGKILL)
        run.wait_line("another one takes over")
        assert c.ask("pid") == before
        assert talk(box) != before
        wait_for(lambda: int(show(box, "echo.socket")["NConnections"]) == 1, text="the first")
    wait_for(lambda: int(show(box, "echo.socket")["NConnections"]) == 0, text="no connections")
    time.sleep(1.1)  # a new one at most so often
    talk(box)
    wait_for(lambda: len(spawners(run)) == 1, text="one spawner")


def test_what_cannot_be_executed_says_why(box, echo):
    run = echo(SERVICE.replace(PROBE, "/nothing"))
    with client(box, "127.0.0.1:7") as c, pytest.raises((EOFError, ConnectionError)):
        c.ask("pid")
    run.wait_line("/nothing: execute: No such file or directory")
    wait_for(lambda: int(show(box, "echo.socket")["NConnections"]) == 0, text="no connections")


@pytest.mark.parametrize("lines", [
    "RuntimeDirectory=echo\n", "StandardError=append:/tmp/echo.log\n", "NoNewPrivileges=no\n",
    "LimitNPROC=400\n"])
def test_what_must_be_done_for_each_is_done_by_root(box, echo, lines):
    run = echo(SERVICE + lines)
    talk(box)
    talk(box)
    assert spawners(run) == []


def test_socket_options_that_need_rights(box, echo):
    run = echo(socket="Mark=7\n")
    talk(box)
    assert spawners(run) == []
