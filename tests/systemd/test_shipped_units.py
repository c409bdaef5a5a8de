"""One set of unit files, with systemd and without: what `cmake --install` puts there, started by
both, serves the same pages from a process that never had root."""

import re

import pytest

from support import box as box_module, stage
from support.box import LAUNCHER, alive, wait_for
from support.paths import SOURCE
from support.systemd import SystemdBox

UNITS = ("sallyport-httpd.socket", "sallyport-keyd.socket")
# A network namespace of its own is the signer's; not built yet, and accepted by name until then.
ACCEPTED = ("--unenforced", "PrivateNetwork")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A systemd box in which the project is installed as a package would do it."""
    binds = stage.binds(tmp_path_factory.mktemp("stage"))
    with box_module.open_or_skip(lambda: SystemdBox(binds=binds)) as box:
        stage.install(box)
        box.run(["systemd-sysusers"])
        box.mkdir("/etc/sallyport/private", 0o700)
        box.systemctl("daemon-reload")
        yield box


def get(box, path="/"):
    """Status line, headers but the date, and body."""
    with box.connect("127.0.0.1:80") as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    lines = [x for x in head.decode().split("\r\n") if not x.lower().startswith("date:")]
    return lines, body


def server_status(box, cgroup):
    """/proc/PID/status of the one server in a cgroup."""
    pid = next(p for p, line in box.processes(cgroup) if "sallyport-httpd" in line)
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return pid, dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


PAGES = ("/", "/style.css", "/gate.svg", "/nothing", "/../etc/passwd")


@pytest.fixture(scope="module")
def under_systemd(installed):
    box = installed
    box.systemctl("start", *UNITS)
    try:
        pages = {p: get(box, p) for p in PAGES}
        pid, status = server_status(box, "/system.slice/sallyport-httpd.service")
        state = box.show("sallyport-httpd.service", "ActiveState", "SubState")
    finally:
        box.stop(*UNITS)
        box.stop("sallyport-httpd.service", "sallyport-keyd.service")
    return pages, status, state, pid


def test_systemd_takes_them_without_a_word(installed):
    r = installed.run(["systemd-analyze", "verify", "--man=no", *UNITS, "sallyport-httpd-tls.socket"],
                      check=False)
    ours = [x for x in r.stderr.splitlines() if "sallyport" in x]
    assert not ours, ours


def test_serves_under_systemd(under_systemd):
    pages, status, state, _ = under_systemd
    assert pages["/"][0][0] == "HTTP/1.1 200 OK" and b"<html" in pages["/"][1]
    assert state == {"ActiveState": "active", "SubState": "running"}
    assert "0" not in status["Uid"].split() and int(status["CapPrm"], 16) == 0


def test_same_pages_under_sallyport_run(installed, under_systemd):
    box, (pages, status, _, _) = installed, under_systemd
    with box.launcher(*UNITS, args=ACCEPTED, cgroup="/launcher") as run:
        assert {p: get(box, p) for p in PAGES} == pages
        pid, mine = server_status(box, "/launcher")
        assert mine["Uid"] == status["Uid"] and mine["Gid"] == status["Gid"]
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(mine[name], 16) == 0, name
        assert mine["NoNewPrivs"] == "1"
    assert not alive(pid) and run.log.count("error") == 0, run.log


def test_as_in_the_container(installed, under_systemd):
    """With no more of root than the Containerfile asks of the runtime, and its unit alone."""
    text = (SOURCE / "packaging/container/Containerfile").read_text()
    asked = re.findall(r"--cap-add=(\w+)", text)
    unit = re.search(r'^CMD \["(.*)"\]', text, re.M).group(1)
    assert len(asked) == 7
    with installed.launcher(unit, wrapper=("/usr/bin/setpriv", "--bounding-set",
                                           ",".join(["-all", *(f"+{c}" for c in asked)]))):
        assert get(installed, "/") == under_systemd[0]["/"]


def test_check_finds_nothing_refused(installed):
    r = installed.run([LAUNCHER, "check", *ACCEPTED, *UNITS, "sallyport-httpd-tls.socket"])
    assert "refused" not in r.stdout.replace("PrivateNetwork", ""), r.stdout


def test_launcher_under_systemd(installed):
    """The launcher is a service itself: Type=notify, sockets handed down, stopped by SIGTERM."""
    box = installed
    box.install({
        "outer.socket": "[Socket]\nListenStream=80\nFileDescriptorName=http\n",
        "outer.service": f"[Service]\nType=notify\nExecStart={LAUNCHER} run --runtime-dir "
                         "/run/outer sallyport-httpd.socket\n"})
    box.systemctl("start", "outer.socket")
    lines, body = get(box)
    assert lines[0] == "HTTP/1.1 200 OK" and b"<html" in body
    wait_for(lambda: box.show("outer.service", "SubState")["SubState"] == "running",
             text="READY=1 of the launcher")
    box.stop("outer.socket")
    box.systemctl("stop", "outer.service")
    shown = box.show("outer.service", "Result", "ExecMainStatus")
    log = box.journal("outer.service")
    assert shown == {"Result": "success", "ExecMainStatus": "0"}, log
    assert not box.processes("/system.slice/outer.service")
    box.uninstall(["outer.socket", "outer.service"])
