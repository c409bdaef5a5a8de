"""`sallyport run`: what a service finds, however dirty the world is in which the launcher starts."""

import contextlib
import json
import os
import resource
import signal

import pytest

from support.box import LAUNCHER, PROBE, alive, default_environment, wait_for
from support.probe import ask_datagram, client, records

SERVICE = f"[Service]\nUser=svc\nExecStart={PROBE} --out /tmp/run/%N --serve\n"
THREE = ("[Socket]\nListenStream=127.0.0.1:80\nListenStream=/run/web.sock\nListenStream=@web\n"
         "ListenDatagram=127.0.0.1:80\nFileDescriptorName=web\n")
ADMIN = "[Socket]\nListenStream=81\nService=web.service\nFileDescriptorName=admin\n"
STALE = {
    "LISTEN_FDS": "17", "LISTEN_FDNAMES": "stale", "LISTEN_PID": "1", "LISTEN_PIDFDID": "4711",
    "NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "FDSTORE": "9",
    "MAINPID": "1", "MANAGERPID": "1", "INVOCATION_ID": "0" * 32, "SYSTEMD_EXEC_PID": "1",
    "JOURNAL_STREAM": "1:2", "MEMORY_PRESSURE_WATCH": "/x", "CREDENTIALS_DIRECTORY": "/x",
    "RUNTIME_DIRECTORY": "/x", "REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1", "SO_COOKIE": "1",
    "LD_LIBRARY_PATH": "/x", "SECRET": "of the caller", "HOME": "/caller", "USER": "caller",
    "LANG": "de_DE", "TERM": "odd",
}


@pytest.fixture(autouse=True)
def out(box):
    box.remove("/tmp/run")
    box.mkdir("/tmp/run", 0o777)


def test_names_order_and_number(box):
    units = {"web.socket": THREE, "admin.socket": ADMIN, "web.service": SERVICE}
    with box.launcher("web.socket", "admin.socket", units=units):
        with client(box, "/run/web.sock") as c:
            record = c.record()
    assert record.names == ["web", "web", "web", "web", "admin"]
    assert [f["number"] for f in record["fds"]] == list(range(8))
    assert [f["socket"]["address"] for f in record.passed] == \
        ["127.0.0.1:80", "/run/web.sock", "@web", "127.0.0.1:80", "[::]:81"]
    assert [f["socket"]["listening"] for f in record.passed] == [True, True, True, False, True]
    assert record.env["LISTEN_FDS"] == "5" and record.env["LISTEN_PID"] == str(record["pid"])
    assert record.env["LISTEN_FDNAMES"] == "web:web:web:web:admin"
    assert not any(f["cloexec"] or "NONBLOCK" in f["flags"] for f in record.passed)


def test_log_as_json(box):
    """Every line is an object; those about a unit name it."""
    units = {"web.socket": THREE, "web.service": SERVICE}
    with box.launcher("web.socket", units=units, args=("--log-format=json",), ready=False) as run:
        run.wait_line('"message":"ready')
        with client(box, "/run/web.sock") as c:
            pid = c.ask("pid")
        run.wait_line("web.service")
        assert run.stop() == 0
    lines = [json.loads(line) for line in run.log.splitlines()]
    assert all({"time", "level", "program", "message"} <= set(line) for line in lines)
    assert {line["level"] for line in lines} <= {"error", "warning", "notice", "info"}
    assert any(pid in line["message"] for line in lines if line.get("unit") == "web.service")


def test_limits_of_a_container(box):
    """Without CAP_SYS_RESOURCE nothing can be raised: the service starts with what there is."""
    units = {"web.socket": THREE, "web.service": SERVICE + "LimitRTPRIO=2:7\nOOMScoreAdjust=-5\n"}
    with box.launcher("web.socket", units=units,
                      wrapper=("/usr/bin/setpriv", "--bounding-set", "-sys_resource")) as run:
        with client(box, "/run/web.sock") as c:
            assert c.record()["rlimits"]["RTPRIO"] == [0, 0]
    line = next(x for x in run.log.splitlines() if "LimitRTPRIO" in x)
    assert "warning" in line and "web.service:4" in line and "it will be 0" in line


def test_another_user_may_be_the_manager(box):
    units = {"web.socket": THREE, "web.service": SERVICE}
    with box.launcher("web.socket", units=units, args=("--manager-user", "other")) as run:
        with client(box, "/run/web.sock") as c:
            assert c.ask("echo hello") == "hello"
        with open(f"/proc/{run.halves()['manager']}/status", encoding="ascii") as f:
            uids = next(line for line in f if line.startswith("Uid:")).split()[1:]
        assert uids == ["4002"] * 4
    with box.launcher("web.socket", units=units, args=("--manager-user", "nosuch"),
                      ready=False) as run:
        assert not run.wait_ready()
        assert "nosuch" in run.log
        assert run.process.wait(5) != 0


@pytest.mark.parametrize("address,kind", [("127.0.0.1:80", "stream"), ("/run/web.sock", "stream"),
                                          ("@web", "stream"), ("127.0.0.1:80", "dgram")])
def test_traffic_on_any_socket_starts_it(box, address, kind):
    with box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE}) as run:
        assert run.services() == []
        if kind == "dgram":
            assert ask_datagram(box, address, "echo hello") == "hello"
        else:
            with client(box, address) as c:
                assert c.ask("echo hello") == "hello"
        assert len(run.services()) == 1


def test_first_request_is_not_lost(box):
    """What was sent before the service existed is answered by it."""
    with box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE}):
        waiting = [box.connect("127.0.0.1:80") for _ in range(20)]
        for s in waiting:
            s.sendall(b"pid\n")
        pids = {s.recv(100) for s in waiting}
        for s in waiting:
            s.close()
    assert len(pids) == 1


def dirty():
    """A parent that cleaned nothing up."""
    os.umask(0o077)
    for signo in (signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1, 64):
        signal.signal(signo, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR2, 50])
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 2048))
    os.nice(1)


OPENER = ["/bin/bash", "-c", 'for n in {3..20}; do eval "exec $n</etc/passwd"; done; exec "$@"',
          "bash"]


@pytest.fixture
def dirty_record(box):
    with box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE},
                      env={**default_environment(), **STALE}, before=dirty, wrapper=OPENER,
                      cwd="/usr/share"):
        with client(box, "127.0.0.1:80") as c:
            yield c.record()


def test_nothing_of_a_dirty_parent_reaches_the_service(dirty_record):
    r = dirty_record
    assert [f["number"] for f in r["fds"]] == list(range(7)), "only 0, 1, 2 and ours"
    assert r["fds"][0]["target"] == "/dev/null"
    assert r["signals"] == {"blocked": [], "caught": [], "ignored": [signal.SIGPIPE]}
    assert (r["umask"], r["cwd"]) == ("0022", "/")
    assert r["rlimits"]["NOFILE"] == [512, 2048]  # what we raise for ourselves is ours alone
    assert r["session"] == r["pgrp"] == r["pid"] and r["tty"] == 0
    assert r["parent_death_signal"] == 0 and not r["child_subreaper"] and r["dumpable"] == 1


def test_environment_is_made_new(dirty_record):
    env = dirty_record.env
    assert {k: v for k, v in env.items() if k not in ("INVOCATION_ID", "LISTEN_PID")} == {
        "HOME": "/home/svc", "LOGNAME": "svc", "USER": "svc", "SHELL": "/bin/sh",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LISTEN_FDS": "4", "LISTEN_FDNAMES": "web:web:web:web"}
    assert env["INVOCATION_ID"] != STALE["INVOCATION_ID"] and len(env["INVOCATION_ID"]) == 32
    assert env["LISTEN_PID"] == str(dirty_record["pid"])


def test_halves_of_a_dirty_parent_are_clean(box):
    """The launcher itself must work and hold nothing that is not its own."""
    with box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE},
                      env={**default_environment(), **STALE}, before=dirty, wrapper=OPENER) as run:
        with client(box, "127.0.0.1:80") as c:
            c.ask("pid")
        for half, pid in run.halves().items():
            for n in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(FileNotFoundError):  # it may come and go
                    assert os.readlink(f"/proc/{pid}/fd/{n}") != "/etc/passwd", half


def test_modes_and_owners_from_the_first_moment(box):
    """However odd the umask: the mode is set by bind, not afterwards."""
    socket = ("[Socket]\nListenStream=/run/d/e/x.sock\nSocketMode=0660\nSocketUser=other\n"
              "SocketGroup=lonely\nDirectoryMode=0711\nListenFIFO=/run/d/fifo\n")
    with box.launcher("web.socket", units={"web.socket": socket, "web.service": SERVICE},
                      before=lambda: os.umask(0o777)):
        st = box.path("/run/d/e/x.sock").stat()
        assert (st.st_mode & 0o7777, st.st_uid, st.st_gid) == (0o660, 4002, 4103)
        st = box.path("/run/d/fifo").stat()
        assert (st.st_mode & 0o7777, st.st_uid, st.st_gid) == (0o660, 4002, 4103)
        for folder in ("/run/d", "/run/d/e"):
            st = box.path(folder).stat()
            assert (st.st_mode & 0o7777, st.st_uid) == (0o711, 0)
    box.remove("/run/d")


def test_two_launchers_side_by_side(box):
    units = {"web.socket": THREE, "web.service": SERVICE, "admin.socket": ADMIN}
    with box.launcher("web.socket", units=units):
        second = box.launcher("admin.socket", runtime_dir="/run/second", cgroup="/second")
        with second, client(box, "127.0.0.1:81") as a, client(box, "127.0.0.1:80") as b:
            assert a.ask("pid") != b.ask("pid")


def test_address_in_use_is_said_and_nothing_stays(box):
    with box.network():
        import socket as s
        taken = s.create_server(("127.0.0.1", 80))
    with taken:
        run = box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE},
                           ready=False)
        run.start()
        assert run.wait_ready() is False
        assert run.process.wait(5) not in (0, None)
        assert "web.socket" in run.log and "127.0.0.1:80" in run.log and "in use" in run.log
        assert box.processes("/launcher") == []
        for name in run.units:
            box.remove(f"/etc/systemd/system/{name}")


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_stop_leaves_nothing(box, signo):
    """Launcher.stop() has the assertions: no process, no socket, no file."""
    run = box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE}).start()
    with client(box, "127.0.0.1:80") as c:
        c.ask("fork")
        pid = run.services()[0][0]
    assert run.stop(signo) == 0
    assert not alive(pid)
    assert not box.path("/run/web.sock").exists() or box.path("/run/web.sock").is_socket()


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_stop_that_reaches_both_halves(box, signo):
    """^C at a terminal, or a service manager that signals the whole group: still in good order."""
    units = {"web.socket": THREE, "web.service": SERVICE.replace(
        "--serve", "--leave 15 --serve")}
    run = box.launcher("web.socket", units=units).start()
    with client(box, "127.0.0.1:80") as c:
        c.ask("pid")
    for pid in run.halves().values():
        with contextlib.suppress(ProcessLookupError):  # the first may have been enough
            os.kill(pid, signo)
    assert run.process.wait(5) == 0, run.log
    assert "killed" not in run.log, run.log
    run.stop()


def test_monitor_killed_takes_everything_along(box):
    """kill -9 of the root half: its services are orphans, its manager must not live on."""
    run = box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE}).start()
    halves = run.halves()
    os.kill(halves["monitor"], signal.SIGKILL)
    run.process.wait(5)
    wait_for(lambda: not alive(halves["manager"]), 5, "the manager to notice")
    run.kill()
    for name in run.units:
        box.remove(f"/etc/systemd/system/{name}")
    box.remove("/run/sallyport")


@pytest.mark.parametrize("label,arrange,word", [
    ("file writable by others", lambda b: b.path("/etc/systemd/system/web.socket").chmod(0o666),
     "/etc/systemd/system/web.socket"),
    ("file of another user", lambda b: os.chown(b.path("/etc/systemd/system/web.service"), 4001, 0),
     "/etc/systemd/system/web.service"),
    ("folder writable by others", lambda b: b.path("/etc/systemd/system").chmod(0o777),
     "/etc/systemd/system"),
    ("drop-in of another user", lambda b: os.chown(b.path(b.write(
        "/etc/systemd/system/web.service.d/x.conf", "[Service]\nUser=root\n")), 4001, 4001),
     "x.conf"),
])
def test_unit_files_that_others_can_write_are_refused(box, label, arrange, word):
    run = box.launcher("web.socket", units={"web.socket": THREE, "web.service": SERVICE},
                       ready=False)
    for name, text in run.units.items():
        box.write(f"/etc/systemd/system/{name}", text)
    try:
        arrange(box)
        r = box.run([LAUNCHER, "run", "web.socket"], check=False, cgroup="/launcher")
        assert r.returncode != 0 and word in r.stderr, r.stderr
    finally:
        box.path("/etc/systemd/system").chmod(0o755)
        box.remove("/etc/systemd/system/web.service.d")
        for name in run.units:
            box.remove(f"/etc/systemd/system/{name}")


@pytest.mark.parametrize("line,code", [
    ("run", 64), ("run --no-such-option x.socket", 64), ("frobnicate", 64), ("exec", 64),
])
def test_usage_errors(box, line, code):
    r = box.run([LAUNCHER, *line.split()], check=False)
    assert r.returncode == code and r.stderr, r


def test_unknown_directive_is_refused_by_file_and_line(box):
    box.write("/etc/systemd/system/odd.socket", "[Socket]\nListenStream=80\nListenStraem=81\n")
    box.write("/etc/systemd/system/odd.service", SERVICE)
    for verb in ("run", "check"):
        r = box.run([LAUNCHER, verb, "odd.socket"], check=False)
        assert r.returncode != 0
        assert "/etc/systemd/system/odd.socket:3" in r.stdout + r.stderr, r
        assert "ListenStraem" in r.stdout + r.stderr
    for name in ("odd.socket", "odd.service"):
        box.remove(f"/etc/systemd/system/{name}")


def test_takes_over_the_sockets_it_was_activated_with(box):
    """Under another activator: what is open already is not bound again."""
    units = {"web.socket": "[Socket]\nListenStream=127.0.0.1:80\nListenStream=127.0.0.1:82\n",
             "web.service": SERVICE}
    run = box.launcher("web.socket", units=units, ready=False, wrapper=[
        "/usr/bin/systemd-socket-activate", "-l", "127.0.0.1:80",
        *(f"--setenv={k}" for k in default_environment() if k != "PATH")])
    run.start()
    wait_for(lambda: box.sockets() - run._before, text="the outer socket")
    box.connect("127.0.0.1:80").close()  # systemd-socket-activate waits for this
    assert run.wait_ready(), run.log
    with client(box, "127.0.0.1:80") as c:
        record = c.record()
    assert [f["socket"]["address"] for f in record.passed] == ["127.0.0.1:80", "127.0.0.1:82"]
    assert record.env["LISTEN_FDS"] == "2" and record.env["LISTEN_PID"] == str(record["pid"])
    assert run.stop() == 0


def test_plain_user_runs_its_own_units(box):
    """No root at all: own files, high ports, everything the same user."""
    home = box.mkdir("/home/svc/units", 0o755, (4001, 4001))
    for name, text in {"own.socket": "[Socket]\nListenStream=8080\nListenStream=/home/svc/x.sock\n",
                       "own.service": f"[Service]\nExecStart={PROBE} --serve\n"}.items():
        box.write(f"{home}/{name}", text, owner=(4001, 4001))
    box.mkdir("/home/svc/runtime", 0o700, (4001, 4001))
    run = box.launcher(f"{home}/own.socket", runtime_dir="/home/svc/runtime", wrapper=[
        "setpriv", "--reuid", "4001", "--regid", "4001", "--init-groups"])
    with run:
        with client(box, "127.0.0.1:8080") as c:
            record = c.record()
        assert set(record["ids"].values()) == {4001} and len(record.passed) == 2
        assert record["no_new_privs"] is True
        for pid in run.halves().values():
            assert os.stat(f"/proc/{pid}").st_uid in (0, 4001)  # 0: it is not dumpable


def test_record_file_of_a_service_that_was_started_by_name(box):
    with box.launcher("solo.service", units={
            "solo.service": f"[Service]\nUser=svc\nExecStart={PROBE} --out /tmp/run/solo --hang\n"}):
        record, = records(box, "/tmp/run/solo")
        assert record.passed == [] and "LISTEN_FDS" not in record.env


def test_help_and_version(box):
    for line in (["--help"], ["run", "--help"], ["exec", "--help"], ["check", "--help"]):
        r = box.run([LAUNCHER, *line])
        assert "sage" in r.stdout and r.stderr == ""
    assert box.run([LAUNCHER, "--version"]).stdout.startswith("sallyport ")


