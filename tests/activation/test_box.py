"""The box itself: separate from the machine, gone afterwards."""

import os
import pathlib
import signal
import socket
import subprocess

import pytest

from support.box import Box, alive, wait_for


def test_is_another_machine(box):
    assert box.run(["hostname"]).stdout == "box\n"
    for kind in ("pid", "mnt", "net", "ipc", "uts", "cgroup"):
        inside = box.run(["readlink", f"/proc/self/ns/{kind}"]).stdout.strip()
        assert inside != os.readlink(f"/proc/self/ns/{kind}"), kind


def test_writes_stay_inside(box):
    box.run(["sh", "-c", "echo x > /etc/sallyport-box-test; echo y > /usr/bin/sallyport-box-test"])
    assert box.read("/etc/sallyport-box-test") == "x\n"
    for name in ("/etc/sallyport-box-test", "/usr/bin/sallyport-box-test"):
        assert not pathlib.Path(name).exists()


def test_kernel_settings_are_out_of_reach_but_its_own_network(box):
    assert box.run(["sh", "-c", "echo 0 > /proc/sys/kernel/panic"], check=False).returncode != 0
    assert box.run(["sh", "-c", "echo 1 > /sys/kernel/profiling"], check=False).returncode != 0
    box.run(["sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"])
    assert pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text() != "0\n"
    box.run(["sh", "-c", "echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start"])


def test_old_root_is_gone(box):
    mounts = box.read(f"/proc/{1}/mounts")
    assert "/mnt" not in [line.split()[1] for line in mounts.splitlines()]
    assert not any("ext4" in line or "/dev/vd" in line for line in mounts.splitlines()
                   if line.split()[1] not in ("/opt/sallyport", "/opt/tools"))


def test_network_reaches_only_inside(box):
    with box.network():
        listener = socket.create_server(("127.0.0.1", 80))
    with listener, box.connect("127.0.0.1:80"):
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 80), 0.2) as outside:
            outside.getpeername()


@pytest.mark.parametrize("line", [
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x0",
    "launcher/manager/job.c:7:3: runtime error: signed integer overflow"])
def test_a_sanitizer_fails_the_test(box, line):
    """Whatever died of it may be up again: the log tells, at the latest when the launcher stops."""
    units = {"bad.service": f"[Service]\nUser=svc\nExecStart=/bin/sh -c 'echo \"{line}\" >&2'\n"}
    run = box.launcher("bad.service", units=units).start()
    run.wait_line(line)
    with pytest.raises(AssertionError, match="Sanitizer|runtime error"):
        run.stop()
    with pytest.raises(AssertionError, match="Sanitizer|runtime error"):
        box.run(["/bin/sh", "-c", f"echo '{line}' >&2"], check=False)


def test_dies_with_its_owner():
    """kill -9 of what made it: PID 1, its children and the cgroup go."""
    made = Box()
    made.open()
    sleeper = made.popen(["sleep", "1000"])
    init, helper = made.pid, made._helper.pid
    cgroup = pathlib.Path(f"/proc/{sleeper.pid}/cgroup").read_text()
    assert f"sallyport-box-{helper}/test" in cgroup
    os.kill(helper, signal.SIGKILL)
    wait_for(lambda: sleeper.poll() is not None and not alive(init), text="the box to die")
    made.close()


def test_leaves_no_cgroup(tmp_path):
    made = Box()
    with made:
        helper = made._helper.pid
        made.run(["mkdir", "-p", "/sys/fs/cgroup/a/b"])
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", tmp_path], check=True)
    try:
        assert not (tmp_path / f"sallyport-box-{helper}").exists()
        # test_dies_with_its_owner() killed its helper: sweep what that left
        for left in tmp_path.glob("sallyport-box-*"):
            if not alive(int(left.name.rsplit("-", 1)[1])):
                for d in sorted(left.rglob("*"), reverse=True):
                    if d.is_dir():
                        d.rmdir()
                left.rmdir()
    finally:
        subprocess.run(["umount", tmp_path], check=True)
