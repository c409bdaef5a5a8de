"""`sallyport audit`: it says what is so, and catches servers that have or could regain privilege.

The bad servers are made by setpriv(1) and Python, not by us: the audit is what is tested.
"""

import json
import os
import re

import pytest

from support.box import PROBE, wait_for
from support.ctl import audit, ctl, wait_state
from support.probe import client

UNITS = {
    "web.socket": "[Socket]\nListenStream=80\n",
    "web.service": f"[Service]\nType=notify\nUser=svc\n"
                   f"ExecStart={PROBE} --notify READY=1 --fork --serve\n",
}
PYTHON = ["/usr/bin/python3", "-c"]
# At the end of a script: tells the test that it is so far, and stays.
STAY = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"changed", 0, 0, 0)
time.sleep(1000)
"""
DROPPED = ["setpriv", "--reuid=4001", "--regid=4001", "--clear-groups", "--no-new-privs",
           "--inh-caps=-all", "--bounding-set=-all"]


@pytest.fixture(scope="module")
def run(box):
    with box.launcher("web.socket", units=UNITS) as launcher:
        with client(box, "127.0.0.1:80") as c:
            c.ask("pid")
        wait_state(box, "web.service", "running")
        yield launcher


@pytest.fixture
def named(box):
    """Starts something, and audits just that: (exit code, process)."""
    started = []

    def start(argv, **kw):
        p = box.popen(argv, **kw)
        started.append(p)
        return p

    def judge(argv, ready=None, **kw):
        p = start(argv, **kw)
        pid = box.inside_pid(p.pid)
        comm = (ready or argv[-2 if argv[0] == "setpriv" else 0]).rsplit("/", 1)[-1][:15]
        wait_for(lambda: open(f"/proc/{p.pid}/comm", encoding="ascii").read().strip() == comm,
                 text=comm)
        code, found = audit(box, "--pid", str(pid))
        return code, found[pid]

    judge.start = start
    yield judge
    for p in started:
        p.kill()
    for p in started:  # a traced one is gone only when its tracer is
        p.wait()


def reasons(process, pattern):
    return [r for r in process["reasons"] if re.search(pattern, r)]


def test_our_own_processes_pass(box, run):
    code, found = audit(box)
    assert code == 0, [p["reasons"] for p in found.values()]
    roles = sorted(p["role"] for p in found.values())
    assert roles == ["manager", "monitor", "service", "service"]  # --fork: a child lasts
    for p in found.values():
        if p["role"] == "service":
            assert p["unit"] == "web.service"
            assert p["uid"] == p["gid"] == [4001] * 4
            assert p["groups"] == [4001, 4101, 4102]
            assert not any(p["capabilities"].values())
            assert p["no_new_privs"] and p["verdict"] == "ok"
    manager, = [p for p in found.values() if p["role"] == "manager"]
    assert manager["uid"] == [4003] * 4 and manager["seccomp"] == "filter"
    assert manager["traceable"] is False
    monitor, = [p for p in found.values() if p["role"] == "monitor"]
    assert monitor["verdict"] == "by-design" and monitor["uid"] == [0] * 4


def test_descriptors_are_told(box, run):
    _, found = audit(box)
    service = [p for p in found.values() if p["unit"] == "web.service"][0]
    assert service["descriptors_complete"]
    fds = {d["fd"]: d for d in service["descriptors"]}
    assert (fds[3]["type"], fds[3]["text"], fds[3]["listening"]) == ("tcp", "[::]:80", True)
    assert fds[0]["text"] == "/dev/null"


def test_a_client_of_an_activated_socket_does_not_speak_to_the_monitor(box):
    """SO_PEERCRED names who opened the listener: the monitor, for all of them."""
    connect = ("import socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); "
               "s.connect('/run/sign.sock'); time.sleep(1000)")
    units = {
        "sign.socket": "[Socket]\nListenSequentialPacket=/run/sign.sock\nRemoveOnStop=yes\n",
        "sign.service": f"[Service]\nUser=other\nExecStart={PROBE} --serve\n",
        "asks.service": f'[Service]\nUser=svc\nExecStart=/usr/bin/python3 -c "{connect}"\n',
    }
    second = "/run/second"
    with box.launcher("sign.socket", "asks.service", units=units, runtime_dir=second,
                      cgroup="/second"):
        def connected():
            code, found = audit(box, "--runtime-dir", second)
            asks = [f["type"] for p in found.values() if p["unit"] == "asks.service"
                    for f in p["descriptors"] or () if f["fd"] > 2]
            return (code, found) if asks == ["unix-seqpacket"] else None

        code, found = wait_for(connected, text="asks.service to be connected")
        assert code == 0, [p["reasons"] for p in found.values()]


def test_table_names_each_process_and_its_verdict(box, run):
    done = ctl(box, "audit")
    assert done.returncode == 0
    rows = {line.split()[1]: line.split() for line in done.stdout.splitlines()[1:]}
    assert rows["service"][2:5] == ["web.service", "svc", "4001"] and rows["service"][-1] == "ok"
    assert rows["manager"][-1] == "ok" and rows["monitor"][-2:] == ["by", "design"]


def test_dropped_process_is_found_good(named):
    code, p = named([*DROPPED, "sleep", "1000"])
    assert (code, p["verdict"], p["reasons"]) == (0, "ok", [])


def test_capability_is_caught(named):
    code, p = named(["setpriv", "--reuid=4001", "--regid=4001", "--clear-groups",
                     "--inh-caps=-all,+net_bind_service", "--ambient-caps=+net_bind_service",
                     "--no-new-privs", "sleep", "1000"])
    assert code == 1
    assert p["capabilities"]["permitted"] == ["cap_net_bind_service"]
    for kind in ("permitted", "effective", "inheritable", "ambient"):
        assert reasons(p, f"^{kind} capabilities: cap_net_bind_service$"), p["reasons"]


@pytest.mark.parametrize("call,reason", [
    ("os.setresgid(4001,4001,4001); os.setresuid(4001,4001,0)", "saved uid is 0"),
    ("os.setresgid(4001,4001,4001); os.setresuid(4001,4001,4002)",
     "saved uid 4002 is not the effective one"),
    ("os.setresgid(4001,4001,0); os.setresuid(4001,4001,4001)", "saved gid is 0"),
    ("os.setresgid(4001,4001,4001); os.setresuid(0,4001,4001)", "real uid is 0"),
    ("os.setgroups([0,4001]); os.setresgid(4001,4001,4001); os.setresuid(4001,4001,4001)",
     "is in group 0"),
    ("os.setgroups([6]); os.setresgid(4001,4001,4001); os.setresuid(4001,4001,4001)",
     "is in group disk: raw disks"),
])
def test_ids_that_lead_back_are_caught(named, call, reason):
    if "setgroups" not in call:
        call = "os.setgroups([]); " + call
    code, p = named(["setpriv", "--no-new-privs", *PYTHON, f"import os; {call}\n{STAY}"],
                    ready="changed")
    assert code == 1
    assert reason in p["reasons"]


def test_thread_that_kept_root_is_caught(named):
    """setresuid(2) by number changes one thread only; libc's wrapper would change all."""
    code, p = named([*PYTHON, """
import ctypes, os, threading, time
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
libc.syscall(116, 0, None)            # setgroups
libc.syscall(119, 4001, 4001, 4001)   # setresgid
libc.syscall(117, 4001, 4001, 4001)   # setresuid
""" + STAY], ready="changed")
    assert code == 1
    assert p["uid"] == [4001] * 4 and p["threads"] == 2
    assert reasons(p, r"^thread \d+: effective uid is 0$"), p["reasons"]


def test_no_new_privs_off_is_caught(named):
    code, p = named([x for x in DROPPED if x != "--no-new-privs"] + ["sleep", "1000"])
    assert code == 1
    assert reasons(p, "no_new_privs is off") and len(p["reasons"]) == 1
    code, p = named(["setpriv", "--reuid=4001", "--regid=4001", "--clear-groups", "sleep", "1000"])
    assert reasons(p, "nothing bounds its capabilities")


@pytest.mark.parametrize("opened,flags,reason", [
    ("/proc/1/mem", "O_RDWR", "memory of a process: /proc/1/mem"),
    ("/etc/shadow", "O_WRONLY", "writes to a file of root: /etc/shadow"),
    ("/dev/audit-block", "O_RDONLY", "block device"),
    ("/dev/mem", "O_PATH", "is /dev/mem"),
])
def test_descriptor_that_leads_to_privilege_is_caught(box, named, opened, flags, reason):
    if "block" in opened and not box.path(opened).exists():
        try:
            os.mknod(box.path(opened), 0o60600, os.makedev(7, 99))
        except OSError as e:
            pytest.skip(f"no device nodes here: {e}")
    if opened == "/dev/mem" and not box.path(opened).exists():
        try:
            os.mknod(box.path(opened), 0o20600, os.makedev(1, 1))
        except OSError as e:
            pytest.skip(f"no device nodes here: {e}")
    script = f"""
import os, time
try:
    fd = os.open({opened!r}, os.{flags})
except OSError:
    fd = os.open({opened!r}, os.O_PATH)
os.setgroups([]); os.setresgid(4001, 4001, 4001); os.setresuid(4001, 4001, 4001)
{STAY}"""
    code, p = named(["setpriv", "--no-new-privs", *PYTHON, script], ready="changed")
    assert code == 1
    assert reasons(p, reason), (p["reasons"], p["descriptors"])


def test_tracing_is_caught(box, named):
    """A server that traces, and one that is traced."""
    script = """
import ctypes, os
assert ctypes.CDLL(None).ptrace(0x4206, int(os.environ['VICTIM']), 0, 0) == 0
""" + STAY
    victim = named.start([*DROPPED, "sleep", "1000"])
    inside = box.inside_pid(victim.pid)
    wait_for(lambda: open(f"/proc/{victim.pid}/comm", encoding="ascii").read() == "sleep\n")
    code, tracer = named([*PYTHON, script], ready="changed",
                         env={"VICTIM": str(inside), "PATH": "/usr/bin"})
    assert code == 1 and reasons(tracer, f"^traces process {inside}$")
    code, found = audit(box, "--pid", str(inside))
    assert code == 1
    assert reasons(found[inside], f"^is traced by process {tracer['pid']}$")


def test_process_that_is_not_there_fails(box):
    code, found = audit(box, "--pid", "999999")
    assert code == 1
    assert reasons(found[999999], "cannot be read")


def test_without_a_launcher(box):
    done = ctl(box, "audit", "--runtime-dir", "/run/nowhere")
    assert done.returncode == 69 and "/run/nowhere/control" in done.stderr


def test_caller_without_rights_gets_no_false_comfort(box, run):
    """Whoever cannot look must not be told that all is well."""
    done = ctl(box, "audit", "--json", user="other")
    found = json.loads(done.stdout)["processes"]
    services = [p for p in found if p["role"] == "service"]
    assert services and done.returncode == 1
    for p in services:
        assert reasons(p, "cannot all be read")
