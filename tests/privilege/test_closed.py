"""A captured server tries to get more: every road is closed, and really was tried.

The probe makes each attempt itself (tests/activation/probe_try.c); that the same attempts succeed
for a process that may is tests/activation/test_probe.py and the last test here.
"""

import stat
import subprocess

import pytest

from support.box import PROBE
from support.probe import Client, client

UNITS = {
    "web.socket": "[Socket]\nListenStream=80\n",
    "web.service": f"[Service]\nType=notify\nUser=svc\n"
                   f"ExecStart={PROBE} --notify READY=1 --serve\n",
}
SETUID_ID = "/tmp/setuid/id"


@pytest.fixture(scope="module")
def captured(box):
    box.mkdir("/tmp/setuid")
    box.write(SETUID_ID, box.path("/usr/bin/id").read_bytes(), mode=0o4755)
    with box.launcher("web.socket", units=UNITS) as run:
        run.setuid_id = SETUID_ID
        with client(box, "127.0.0.1:80") as c:
            run.ask = c.ask
            yield run


@pytest.mark.parametrize("attempt,answers", [
    ("setuid 0", "EPERM"),
    ("setresuid 0", "EPERM"),
    ("setfsuid 0", "EPERM"),
    ("setgid 0", "EPERM"),
    ("setgroups 0", "EPERM"),
    ("securebits 0", "EPERM"),
    ("chroot /tmp", "EPERM"),
    ("mount /tmp", "EPERM"),
    ("mknod /tmp/mem", "EPERM"),
    ("bind 79", "EACCES"),
    ("nice 5", "EPERM EACCES"),
    ("open /etc/shadow r", "EACCES"),
    ("open /run/systemd/system/new w", "ENOENT EACCES"),
    ("unshare 131072", "EPERM"),  # CLONE_NEWNS
    ("unshare 1073741824", "EPERM"),  # CLONE_NEWNET
])
def test_becoming_more(captured, attempt, answers):
    assert captured.ask(f"try {attempt}") in answers.split()


def test_no_capability_can_be_raised(captured):
    assert [captured.ask(f"try capability {cap}") for cap in range(41)] == ["EPERM"] * 41


def test_setuid_root_binary_gives_nothing(captured):
    assert captured.ask(f"try run {SETUID_ID} -u") == "4001"


@pytest.mark.parametrize("half", ["monitor", "manager"])
def test_halves_are_out_of_reach(box, captured, half):
    pid = box.inside_pid(captured.halves()[half])
    for attempt, answers in ((f"ptrace {pid}", ["EPERM"]), (f"vm-read {pid}", ["EPERM"]),
                             (f"open /proc/{pid}/mem r", ["EACCES"]),
                             (f"open /proc/{pid}/mem w", ["EACCES"]),
                             (f"open /proc/{pid}/environ r", ["EACCES"]),
                             (f"open /proc/{pid}/maps r", ["EACCES"]),
                             (f"take-fd {pid} 3", ["EPERM"]), (f"kill {pid} 0", ["EPERM"]),
                             (f"kill {pid} 9", ["EPERM"])):
        assert captured.ask(f"try {attempt}") in answers, attempt
    assert set(captured.halves()) == {"monitor", "manager"}


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_manager_has_nothing(box, captured):
    pid = captured.halves()["manager"]
    s = status_of(pid)
    assert s["Uid"].split() == ["4003"] * 4 and s["Gid"].split() == ["4003"] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(s[name], 16) == 0, name
    # it took CAP_SYS_CHROOT to enter its root, and nothing can put it back under no_new_privs
    assert int(s["CapBnd"], 16) & ~(1 << 18) == 0
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    inside = box.run(["readlink", f"/proc/{box.inside_pid(pid)}/root"]).stdout.strip()
    assert inside.startswith("/run/sallyport"), inside


def test_monitor_keeps_only_what_the_plan_needs(captured):
    s = status_of(captured.halves()["monitor"])
    setgid, setuid, kill, setpcap, low_ports, chroot = (1 << n for n in (6, 7, 5, 8, 10, 18))
    allowed = setgid | setuid | kill | setpcap | low_ports | chroot
    permitted = int(s["CapPrm"], 16)
    assert permitted & ~allowed == 0, f"{permitted:x}"
    assert permitted & setuid  # or it could not start anybody
    assert int(s["CapBnd"], 16) & ~allowed == 0 and int(s["CapAmb"], 16) == 0
    assert s["Seccomp"] == "2"


def test_only_the_control_socket_listens_and_it_takes_no_orders(box, captured):
    """Anybody may ask; that nobody but root may change is tests/lifecycle's."""
    mode = box.path("/run/sallyport/control").stat().st_mode
    assert stat.S_ISSOCK(mode)
    for path in box.path("/run/sallyport").rglob("*"):
        if path.name == "lock":
            assert path.stat().st_mode & 0o777 == 0o600  # nobody else may hold it
            continue
        if not path.is_socket() and not path.is_dir():
            raise AssertionError(f"{path} is neither a socket nor a folder")
        if path.is_socket() and path.name != "control":
            st = path.stat()
            assert (st.st_uid, st.st_mode & 0o777) == (4001, 0o600), path


def test_the_attempts_work_where_they_may(box, captured):
    """The same probe, same user, but without no_new_privs: the setuid binary is a real one."""
    ours, theirs = __import__("socket").socketpair()
    p = box.popen(["setpriv", "--reuid", "4001", "--regid", "4001", "--clear-groups", PROBE,
                   "--serve"], stdin=theirs, stdout=subprocess.DEVNULL)
    theirs.close()
    with Client(ours) as c:
        assert c.ask("try setuid 0") == "EPERM"
        assert c.ask(f"try run {SETUID_ID} -u") == "0"
    assert p.wait(5) == 0
