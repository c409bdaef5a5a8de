"""Sockets that are not listening: stopped, failed, or never opened because of a condition."""

import os
import signal

import pytest

from support.box import PROBE, wait_for
from support.ctl import ctl, show, wait_state
from support.probe import client, records

WEB = f"[Service]\nUser=svc\nExecStart={PROBE} --out /tmp/web --serve\n"
HERE = "127.0.0.1:80"


@pytest.fixture(autouse=True)
def no_records(box):
    box.remove("/tmp/web")


def ask(box, address=HERE):
    with client(box, address, timeout=3) as c:
        return c.ask("echo served")


def refused(box, address=HERE):
    with pytest.raises(ConnectionRefusedError):
        ask(box, address)
    return True


def web(listen, service=WEB, unit=""):
    return {"web.socket": f"[Unit]\n{unit}\n[Socket]\n{listen}\n", "web.service": service}


@pytest.mark.parametrize("listen", ["ListenStream=80", "ListenStream=127.0.0.1:80",
                                    "ListenStream=127.0.0.1:80\nSocketProtocol=mptcp"])
def test_tcp_is_refused_while_stopped(box, listen):
    with box.launcher("web.socket", units=web(listen)):
        for _ in range(2):
            assert ctl(box, "stop", "web.socket").returncode == 0
            refused(box)
            assert ctl(box, "start", "web.socket").returncode == 0
            assert ask(box) == "served"
            ctl(box, "stop", "web.service", check=True)


def test_who_waits_is_sent_away(box):
    """A connection in the backlog when the socket stops is not left hanging."""
    units = web("ListenStream=80", WEB + "ExecStartPre=/bin/sleep 60\n")
    with box.launcher("web.socket", units=units):
        with client(box, HERE) as c:
            wait_state(box, "web.service", "start-pre")
            ctl(box, "stop", "web.socket", check=True)
            ctl(box, "stop", "web.service", check=True)
            with pytest.raises((EOFError, ConnectionResetError)):
                c.ask("echo never")


@pytest.mark.parametrize("listen, kind", [("ListenStream", "stream"),
                                          ("ListenSequentialPacket", "seqpacket")])
def test_unix_clients_are_turned_away(box, listen, kind):
    """A unix socket cannot be shut for a while: who connects is not left hanging either."""
    with box.launcher("web.socket", units=web(f"{listen}=/run/w")):
        ctl(box, "stop", "web.socket", check=True)
        for _ in range(3):
            with box.connect("/run/w", kind) as s:
                assert s.recv(1) == b""
        ctl(box, "start", "web.socket", check=True)
        with client(box, "/run/w", kind) as c:
            assert c.ask("echo served") == "served"


def test_successor_knows(box):
    with box.launcher("web.socket", units=web("ListenStream=80\nListenStream=/run/w")) as run:
        ctl(box, "stop", "web.socket", check=True)
        for how in ("stop", "start"):
            ctl(box, how, "web.socket", check=True)
            old = run.halves()["manager"]
            os.kill(old, signal.SIGKILL)
            wait_for(lambda: run.halves().get("manager", old) != old, text="another manager")
            run.wait_line("another one takes over")
            wait_for(lambda: ctl(box, "is-active", "web.socket").returncode in (0, 3))
            if how == "stop":
                refused(box)
                with box.connect("/run/w") as s:
                    assert s.recv(1) == b""
        assert ask(box) == "served"


def test_restart_of_a_socket_loses_nothing(box):
    """Nobody is refused in between: what waits, waits."""
    units = web("ListenStream=80", "[Unit]\nStartLimitBurst=0\n" + WEB)
    with box.launcher("web.socket", units=units):
        for _ in range(10):
            assert ctl(box, "restart", "web.socket").returncode == 0
            assert ask(box) == "served"
            ctl(box, "stop", "web.service", check=True)


def test_passed_from_above_is_given_back(box):
    """Whoever passed us the socket has it listening again when we leave."""
    python = ("import os,socket,subprocess,sys\n"
              "s=socket.socket(); s.setsockopt(1,2,1); s.bind(('127.0.0.1',80)); s.listen(5)\n"
              "os.dup2(s.fileno(),3)\n"
              "os.environ.update(LISTEN_FDS='1')\n"
              "p=subprocess.Popen(['/bin/sh','-c','LISTEN_PID=$$ exec \"$@\"','sh',*sys.argv[1:]],"
              "pass_fds=[3])\n"
              "p.wait()\n"
              "c=socket.create_connection(('127.0.0.1',80)); s.accept()[0].send(b'x')\n"
              "print('got', c.recv(1), file=sys.stderr)\n")
    run = box.launcher("web.socket", units=web("ListenStream=127.0.0.1:80"),
                       wrapper=("/usr/bin/python3", "-c", python))
    run.start()
    ctl(box, "stop", "web.socket", check=True)
    refused(box)
    os.kill(run.halves()["monitor"], signal.SIGTERM)
    run.wait_line("got b'x'")
    run.process.wait(10)
    run.stop()


def test_limit_that_fails(box):
    units = web("ListenStream=80\nTriggerLimitBurst=2\nTriggerLimitIntervalSec=60\n"
                "X-Sallyport-TriggerLimitAction=fail", WEB.replace("--serve", "--exit 0"))
    with box.launcher("web.socket", units=units) as run:
        with client(box, HERE):  # never accepted: it starts the service again and again
            wait_state(box, "web.socket", "failed")
        seen = show(box, "web.socket")
        assert (seen["ActiveState"], seen["Result"]) == ("failed", "trigger-limit-hit")
        refused(box)
        assert len(records(box, "/tmp/web")) == 2
        assert sum("trigger-limit-hit" in x for x in run.lines) == 1
        assert ctl(box, "is-failed", "web.socket").returncode == 0
        assert ctl(box, "start", "web.socket").returncode == 0
        assert show(box, "web.socket")["Result"] == "success"
        with client(box, HERE):
            wait_state(box, "web.socket", "failed")
        assert ctl(box, "reset-failed", "web.socket").returncode == 0
        assert show(box, "web.socket")["ActiveState"] == "inactive"
        refused(box)


def test_start_limit_that_fails(box):
    units = web("ListenStream=80\nX-Sallyport-TriggerLimitAction=fail",
                "[Unit]\nStartLimitBurst=2\n" + WEB.replace("--serve", "--exit 1"))
    with box.launcher("web.socket", units=units):
        with client(box, HERE):
            wait_state(box, "web.socket", "failed")
        assert show(box, "web.socket")["Result"] == "service-start-limit-hit"
        refused(box)


def test_condition_keeps_it_closed(box):
    units = web("ListenStream=127.0.0.1:80\nListenStream=/run/w\nRemoveOnStop=yes",
                unit="ConditionPathExists=/run/wanted")
    units["other.socket"] = "[Socket]\nListenStream=127.0.0.1:81\nService=web.service\n"
    box.remove("/run/wanted")
    box.write("/run/w", "not ours")
    with box.launcher("web.socket", "other.socket", units=units) as run:
        run.wait_line("web.socket: not listening on 127.0.0.1:80: a condition is not met")
        refused(box)
        assert ask(box, "127.0.0.1:81") == "served"
        assert records(box, "/tmp/web")[-1].names == ["other.socket"]
        seen = show(box, "web.socket")
        assert (seen["ActiveState"], seen["Result"], seen["ConditionResult"],
                seen["AssertResult"]) == ("inactive", "success", "no", "yes")
        assert "a condition was not met" in ctl(box, "status", "web.socket").stdout
        box.write("/run/wanted", "")  # too late: sockets are opened once
        assert ctl(box, "start", "web.socket").returncode == 0
        refused(box)
        os.kill(run.halves()["manager"], signal.SIGKILL)
        run.wait_line("another one takes over")
        wait_for(lambda: ctl(box, "show", "web.socket").returncode == 0)
        assert show(box, "web.socket")["ConditionResult"] == "no"
        assert run.stop() == 0
    assert box.read("/run/w") == "not ours"
    box.remove("/run/w")
    with box.launcher("web.socket", "other.socket", units=units):
        assert ask(box) == "served"
        assert show(box, "web.socket")["ConditionResult"] == "yes"
    box.remove("/run/wanted")


def test_assertion_fails_the_start(box):
    units = web("ListenStream=80", unit="AssertPathExists=/nowhere")
    units["needs.service"] = ("[Unit]\nRequires=web.socket\nAfter=web.socket\n[Service]\nUser=svc\n"
                              f"ExecStart={PROBE} --hang\n")
    units["other.socket"] = "[Socket]\nListenStream=81\nService=web.service\n"
    with box.launcher("web.socket", "other.socket", "needs.service", units=units) as run:
        run.wait_line("an assertion is not met")
        refused(box)
        assert ask(box, "127.0.0.1:81") == "served"
        done = ctl(box, "start", "web.socket")
        assert done.returncode == 1 and "assert" in done.stderr
        seen = show(box, "web.socket")
        assert (seen["ActiveState"], seen["AssertResult"]) == ("inactive", "no")
        assert show(box, "needs.service")["ActiveState"] == "inactive"
        assert not [x for x in run.lines if "needs.service: started" in x]
