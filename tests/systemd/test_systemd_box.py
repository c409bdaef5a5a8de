"""The harness: systemd really is PID 1 in there, and never touches the machine outside."""

import os
import pathlib
import time

from support.box import alive, open_or_skip, wait_for
from support.probe import client
from support.systemd import SystemdBox


def test_boots_quickly_and_is_pid_1(systemd_box):
    assert systemd_box.boot_seconds < 5
    assert systemd_box.read("/proc/1/comm") == "systemd\n"
    state = systemd_box.systemctl("is-system-running", check=False).stdout.strip()
    assert state in ("running", "degraded"), state


def test_machine_outside_is_untouched(systemd_box):
    """No /dev/log of ours, no cgroup but the box's, no unit of the machine started."""
    systemd_box.systemctl("start", "systemd-journald.socket", "systemd-journald-dev-log.socket")
    assert systemd_box.path("/dev/log").is_socket() or systemd_box.path("/dev/log").is_symlink()
    machine_log = pathlib.Path("/dev/log")
    if machine_log.exists():
        assert machine_log.stat().st_ino != systemd_box.path("/dev/log").stat().st_ino
    running = systemd_box.systemctl("list-units", "--plain", "--no-legend", "--type=service",
                                    "--state=running").stdout.split("\n")
    names = {line.split()[0] for line in running if line.strip()}
    assert names <= {"systemd-journald.service"}, names


def test_activates_a_service(systemd_box):
    systemd_box.install({
        "t.socket": "[Socket]\nListenStream=80\n",
        "t.service": "[Service]\nUser=svc\nExecStart=/opt/tools/probe --serve\n"})
    systemd_box.systemctl("start", "t.socket")
    with client(systemd_box, "127.0.0.1:80") as c:
        record = c.record()
    assert record.names == ["t.socket"] and record["ids"]["suid"] == 4001
    assert systemd_box.show("t.service", "ActiveState")["ActiveState"] == "active"
    systemd_box.stop("t.socket", "t.service")
    systemd_box.uninstall(["t.socket", "t.service"])


def test_goes_at_once_with_everything_in_it():
    with open_or_skip(SystemdBox) as box:
        box.install({"hang.service": "[Service]\nKillMode=none\nTimeoutStopSec=infinity\n"
                                     "ExecStart=/opt/tools/probe --ignore 15 --hang\n"})
        box.systemctl("start", "hang.service")
        pid, = [p for p, line in box.processes("/system.slice/hang.service")]
        init, began = box.pid, time.monotonic()
    assert time.monotonic() - began < 5
    wait_for(lambda: not alive(init) and not alive(pid), text="all of it to be gone")
    assert not os.path.exists(f"/proc/{init}")
