"""What root opens for a service in folders that are the service's: nothing that the service put there
to lead elsewhere."""

import contextlib
import socket
import struct

import pytest

from support.box import wait_for
from support.ctl import ctl, show, wait_state

SECRET = "TOKEN=of-root\n"


@pytest.fixture
def secret(box):
    box.write("/root/secret", SECRET, 0o600)
    yield
    box.remove("/root/secret")


def started(box, unit):
    ctl(box, "start", unit)
    return wait_for(lambda: (lambda s: s if s["ActiveState"] in ("inactive", "failed") else None)(
        show(box, unit)), 10, f"{unit} to end")


def test_a_log_file_that_became_a_link(box, secret):
    unit = ("[Service]\nUser=svc\nLogsDirectory=leads\n"
            "StandardOutput=append:/var/log/leads/out.log\n"
            "ExecStart=/bin/sh -c 'echo from-the-service; "
            "ln -sf /root/secret /var/log/leads/out.log'\n")
    with box.launcher("leads.service", units={"leads.service": unit}) as run:
        wait_for(lambda: show(box, "leads.service")["ActiveState"] == "inactive", text="its end")
        assert started(box, "leads.service")["ActiveState"] == "failed"
        run.wait_line("Permission denied")
    assert box.read("/root/secret") == SECRET
    box.remove("/var/log/leads")


def test_a_log_in_its_own_folder_is_made_with_its_own_rights(box):
    unit = ("[Service]\nUser=svc\nLogsDirectory=own\nStandardOutput=append:/var/log/own/out.log\n"
            "ExecStart=/bin/echo hello\n")
    with box.launcher("own.service", units={"own.service": unit}):
        wait_for(lambda: box.path("/var/log/own/out.log").exists(), text="the log")
        wait_for(lambda: box.read("/var/log/own/out.log") == "hello\n", text="its line")
        assert box.path("/var/log/own/out.log").stat().st_uid == 4001
    box.remove("/var/log/own")


@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_an_environment_file_that_became_a_link(box, secret, how):
    flag = "-s" if how == "symbolic" else ""
    box.mkdir("/var/lib/envs", 0o755, (4001, 4001))
    box.run(["/bin/sh", "-c", f"ln {flag} /root/secret /var/lib/envs/env"])
    unit = ("[Service]\nUser=svc\nEnvironmentFile=/var/lib/envs/env\n"
            "ExecStart=/bin/sh -c 'echo got=$TOKEN'\n")
    with box.launcher("envs.service", units={"envs.service": unit}) as run:
        wait_for(lambda: show(box, "envs.service")["ActiveState"] == "failed", text="its failure")
        assert not any("got=of-root" in x for x in run.lines if x)
    box.remove("/var/lib/envs")


def test_a_secret_file_of_roots_still_reaches_the_service(box, secret):
    unit = ("[Service]\nUser=svc\nEnvironmentFile=/root/secret\n"
            "ExecStart=/bin/sh -c 'echo got=$TOKEN'\n")
    with box.launcher("plain.service", units={"plain.service": unit}) as run:
        run.wait_line("got=of-root")


def lingering():
    """A connected TCP socket whose close(2) waits for an hour."""
    a = socket.socket()
    a.bind(("127.0.0.1", 0))
    a.listen()
    c = socket.create_connection(a.getsockname())
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    c.setblocking(False)
    try:
        while True:
            c.send(b"x" * 65536)  # nobody reads: some of it stays unsent
    except BlockingIOError:
        return a, c


def test_a_descriptor_that_lingers_stops_nobody(box):
    unit = "[Service]\nUser=svc\nExecStart=/bin/sleep 1000\n"
    with box.launcher("one.service", units={"one.service": unit}):
        wait_state(box, "one.service", "running")
        for _ in range(3):
            a, c = lingering()
            with box.connect("/run/sallyport/control", kind="seqpacket") as s:
                with contextlib.suppress(PermissionError):  # since Linux 6.16 it cannot be sent
                    socket.send_fds(s, [b"?"], [c.fileno()])
            assert ctl(box, "show", "one.service", timeout=5).returncode == 0
            a.close()  # what was sent is lost, so nothing lingers when c goes
            c.close()
