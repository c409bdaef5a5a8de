"""A service's life as its unit file orders it: types, commands, ends, restarts, limits, kills."""

import time

import pytest

from support.box import PROBE, wait_for
from support.ctl import ctl, show, wait_state
from support.launcher import stop_all
from support.probe import client, records

SERVICE = "[Service]\nUser=svc\n"


@pytest.fixture
def one(box):
    """Runs one service, described by its [Service] lines; gives its launcher."""
    running = []

    def start(text, unit="", name="one.service", wait=None):
        box.mkdir("/tmp/out", 0o777)
        for f in box.path("/tmp/out").iterdir():
            f.unlink()
        launcher = box.launcher(name, units={name: f"[Unit]\n{unit}\n{SERVICE}{text}"})
        launcher.start()
        running.append(launcher)
        return wait_state(box, name, wait) if wait else launcher

    start.running = running
    yield start
    stop_all(running, timeout=30)


def lines(box, path="/tmp/out/log"):
    return box.read(path).split() if box.path(path).exists() else []


def echo(word):
    return f"/bin/sh -c 'echo {word} >> /tmp/out/log'"


def test_commands_run_in_order_each_once(box, one):
    one(f"""
ExecStartPre={echo('pre1')}
ExecStartPre=-/bin/false
ExecStartPre={echo('pre2')}
ExecStart={PROBE} --hang
ExecStartPost={echo('post')}
ExecReload={echo('reload-$MAINPID')}
ExecStop={echo('stop-$MAINPID')}
ExecStopPost={echo('stop-post')}
""", wait="running")
    pid = show(box, "one.service")["MainPID"]
    assert lines(box) == ["pre1", "pre2", "post"]
    assert ctl(box, "reload", "one").returncode == 0
    assert ctl(box, "stop", "one").returncode == 0
    assert lines(box) == ["pre1", "pre2", "post", f"reload-{pid}", f"stop-{pid}", "stop-post"]
    assert show(box, "one.service")["Result"] == "success"


def test_failed_command_before_the_start_ends_it(box, one):
    state = one(f"ExecStartPre=/bin/false\nExecStart={PROBE} --hang\n"
                f"ExecStopPost={echo('stop-post')}\n", wait="failed")
    assert state["Result"] == "exit-code" and state["ExecMainPID"] == "0"
    assert lines(box) == ["stop-post"]


def test_oneshot_runs_each_line_and_remains(box, one):
    state = one(f"Type=oneshot\nRemainAfterExit=yes\nExecStart={echo('a')}\nExecStart={echo('b')}\n"
                f"ExecStop={echo('c')}\n", wait="exited")
    assert state["ActiveState"] == "active" and state["MainPID"] == "0"
    assert lines(box) == ["a", "b"]
    assert ctl(box, "stop", "one").returncode == 0
    assert lines(box) == ["a", "b", "c"]


def test_oneshot_that_does_not_remain_is_dead_and_good(box, one):
    one(f"Type=oneshot\nExecStart={echo('a')}\n")
    wait_for(lambda: lines(box) == ["a"])
    wait_state(box, "one.service", "dead")
    assert ctl(box, "start", "one").returncode == 0
    assert lines(box) == ["a", "a"]


def test_oneshot_stops_at_the_first_failure(box, one):
    state = one(f"Type=oneshot\nExecStart={echo('a')}\nExecStart=/bin/sh -c 'exit 7'\n"
                f"ExecStart={echo('b')}\n", wait="failed")
    assert (state["Result"], state["ExecMainStatus"]) == ("exit-code", "7")
    assert lines(box) == ["a"]


@pytest.mark.parametrize("restart,end,again", [
    ("no", "--exit 1", False),
    ("on-failure", "--exit 1", True),
    ("on-failure", "--exit 0", False),
    ("on-failure\nSuccessExitStatus=1", "--exit 1", False),
    ("on-failure\nRestartPreventExitStatus=1", "--exit 1", False),
    ("no\nRestartForceExitStatus=1", "--exit 1", True),
    ("on-success", "--exit 0", True),
    ("on-success", "--kill 15", True),
    ("on-abnormal", "--exit 1", False),
    ("on-abnormal", "--kill 9", True),
    ("on-abort", "--kill 9", True),
    ("always", "--exit 0", True),
])
def test_restart(box, one, restart, end, again):
    one(f"Restart={restart}\nRestartSec=50ms\nExecStart={PROBE} --out /tmp/out/log --delay 50 {end}\n",
        unit="StartLimitIntervalSec=0")
    if again:
        wait_for(lambda: box.path("/tmp/out/log").exists() and
                 box.read("/tmp/out/log").count("\n") >= 3, text="three starts")
        assert int(show(box, "one.service")["NRestarts"]) >= 2
        assert ctl(box, "stop", "one").returncode == 0
        n = box.read("/tmp/out/log").count("\n")
        time.sleep(0.3)
        assert box.read("/tmp/out/log").count("\n") == n  # stopped is stopped
    else:
        wait_for(lambda: show(box, "one.service")["ActiveState"] in ("failed", "inactive") and
                 box.path("/tmp/out/log").exists())
        time.sleep(0.3)
        assert box.read("/tmp/out/log").count("\n") == 1


def test_start_limit_ends_a_restart_loop(box, one):
    state = one(f"Restart=always\nRestartSec=10ms\nExecStart={PROBE} --out /tmp/out/log --exit 1\n",
                unit="StartLimitIntervalSec=30s\nStartLimitBurst=3", wait="failed")
    assert state["Result"] == "start-limit-hit"
    assert box.read("/tmp/out/log").count("\n") == 3
    assert ctl(box, "start", "one").returncode == 1
    assert ctl(box, "reset-failed", "one").returncode == 0
    ctl(box, "start", "one")
    wait_for(lambda: box.read("/tmp/out/log").count("\n") > 3)


def test_start_timeout(box, one):
    state = one(f"Type=notify\nTimeoutStartSec=300ms\nExecStart={PROBE} --hang\n", wait="failed")
    assert state["Result"] == "timeout"


def test_runtime_max(box, one):
    state = one(f"RuntimeMaxSec=400ms\nExecStart={PROBE} --hang\n", wait="failed")
    assert state["Result"] == "timeout"


def test_stop_timeout_kills(box, one):
    one(f"TimeoutStopSec=300ms\nExecStart={PROBE} --ignore 15 --hang\n", wait="running")
    assert ctl(box, "stop", "one").returncode == 0
    state = show(box, "one.service")
    assert (state["Result"], state["ExecMainCode"], state["ExecMainStatus"]) == ("timeout", "2", "9")


def test_kill_signal(box, one):
    one(f"KillSignal=SIGUSR1\nExecStart={PROBE} --ignore 15 --leave 10 --hang\n", wait="running")
    assert ctl(box, "stop", "one").returncode == 0
    assert show(box, "one.service")["Result"] == "success"


def test_kill_mode(box, one):
    """mixed: the first signal to the main process alone; process: its children stay."""
    launcher = one(f"KillMode=process\nExecStart={PROBE} --fork --hang\n")
    wait_state(box, "one.service", "running")
    wait_for(lambda: len(launcher.services()) == 2, text="the child")
    assert ctl(box, "stop", "one").returncode == 0
    assert len(launcher.services()) == 1


@pytest.mark.parametrize("pid_file", [True, False])
def test_forking(box, one, pid_file):
    text = f"Type=forking\nExecStart={PROBE} --daemonize"
    text += " --delay 300 --pidfile /tmp/out/pid" if pid_file else ""
    text += " --hang\n" + ("PIDFile=/tmp/out/pid\n" if pid_file else "")
    state = one(text, wait="running")
    assert state["MainPID"] not in ("0", "")
    if pid_file:
        assert state["MainPID"] == box.read("/tmp/out/pid").strip()
    assert ctl(box, "stop", "one").returncode == 0
    assert show(box, "one.service")["Result"] == "success"
    assert not one.running[0].services()


def test_forking_that_leaves_nobody_is_a_failure(box, one):
    state = one("Type=forking\nExecStart=/bin/true\n", wait="failed")
    assert state["Result"] == "protocol"


def test_main_pid_passes_to_a_child(box, one):
    """A server that replaces itself: its child says MAINPID= and READY=1, and the parent ends."""
    script = """
import os, socket, sys, time
def say(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"]); s.send(text.encode())
say("READY=1")
pid = os.fork()
if pid:
    say("MAINPID=%d" % pid)
    time.sleep(0.2); os._exit(0)
time.sleep(1000)
"""
    box.write("/opt/successor.py", script)
    first = one("Type=notify\nExecStart=/usr/bin/python3 /opt/successor.py\n", wait="running")
    state = wait_for(lambda: (lambda s: s["MainPID"] != first["MainPID"] and s)(
        show(box, "one.service")), text="the successor")
    assert state["SubState"] == "running" and state["NRestarts"] == "0"
    assert ctl(box, "stop", "one").returncode == 0
    assert not one.running[0].services()


def test_runtime_directory_goes_with_the_service(box, one):
    one(f"RuntimeDirectory=one\nExecStart={PROBE} --hang\n", wait="running")
    assert box.path("/run/one").stat().st_uid == 4001
    assert ctl(box, "stop", "one").returncode == 0
    assert not box.path("/run/one").exists()


def test_runtime_directory_preserved(box, one):
    one(f"RuntimeDirectory=one\nRuntimeDirectoryPreserve=restart\nExecStart={PROBE} --hang\n",
        wait="running")
    box.write("/run/one/kept", "x")
    assert ctl(box, "restart", "one").returncode == 0
    assert box.path("/run/one/kept").exists()
    assert ctl(box, "stop", "one").returncode == 0
    assert not box.path("/run/one").exists()


def test_condition_skips_and_assertion_fails(box, one):
    one(f"ExecStart={PROBE} --hang\n", unit="ConditionPathExists=/tmp/out/go")
    wait_for(lambda: show(box, "one.service")["ConditionResult"] == "no")
    assert ctl(box, "start", "one").returncode == 0  # as systemctl: skipped, not failed
    assert show(box, "one.service")["ActiveState"] == "inactive"
    box.write("/tmp/out/go", "")
    assert ctl(box, "start", "one").returncode == 0
    assert show(box, "one.service")["ActiveState"] == "active"


def test_assertion(box, one):
    one(f"ExecStart={PROBE} --hang\n", unit="AssertPathExists=/tmp/out/go")
    wait_for(lambda: show(box, "one.service")["AssertResult"] == "no")
    assert ctl(box, "start", "one").returncode == 1
    assert show(box, "one.service")["ActiveState"] == "inactive"


def test_status_and_errno_of_the_last_words(box, one):
    state = one(f"Type=notify\nExecStart={PROBE} --notify 'STATUS=disk full|ERRNO=28' --exit 1\n",
                wait="failed")
    assert (state["StatusText"], state["StatusErrno"]) == ("disk full", "28")


def test_stopping_counts_as_a_stop(box, one):
    """STOPPING=1: TimeoutStopSec= runs from then on."""
    state = one(f"Type=notify\nTimeoutStopSec=400ms\n"
                f"ExecStart={PROBE} --notify READY=1 --delay 200 --notify STOPPING=1 --hang\n",
                wait="failed")
    assert state["Result"] == "timeout"


def test_notify_access_none_of_a_child(box, one):
    """NotifyAccess=main: what a child says does not count."""
    launcher = one(f"Type=notify\nTimeoutStartSec=600ms\n"
                   f"ExecStart=/bin/sh -c '{PROBE} --notify READY=1; exec {PROBE} --hang'\n")
    state = wait_state(box, "one.service", "failed")
    assert state["Result"] == "timeout"
    assert launcher.process.poll() is None


def test_notify_access_all(box, one):
    one(f"Type=notify\nNotifyAccess=all\nTimeoutStartSec=5s\n"
        f"ExecStart=/bin/sh -c '{PROBE} --notify READY=1; exec {PROBE} --hang'\n", wait="running")


def test_socket_starts_again_what_failed(box):
    """No Restart=: the next traffic does."""
    units = {"web.socket": "[Socket]\nListenStream=80\n",
             "web.service": f"{SERVICE}ExecStart={PROBE} --serve\n"}
    with box.launcher("web.socket", units=units):
        with client(box, "127.0.0.1:80") as c:
            first = c.ask("pid")
            c.say("exit 1")
        wait_state(box, "web.service", "failed")
        with client(box, "127.0.0.1:80") as c:
            assert c.ask("pid") != first


def test_restart_keeps_the_traffic(box):
    """A server that dies with clients waiting: they are answered by the next one."""
    units = {"web.socket": "[Socket]\nListenStream=80\n",
             "web.service": f"{SERVICE}Restart=always\nRestartSec=100ms\n"
                            f"ExecStart={PROBE} --out /tmp/out/r --serve\n"}
    box.mkdir("/tmp/out", 0o777)
    with box.launcher("web.socket", units=units):
        with client(box, "127.0.0.1:80") as c:
            c.ask("pid")
            c.say("exit 1")
        for _ in range(5):
            with client(box, "127.0.0.1:80") as c:
                assert c.ask("echo x") == "x"
    assert len(records(box, "/tmp/out/r")) == 2


def test_watchdog(box, one):
    state = one(f"Type=notify\nWatchdogSec=300ms\nExecStart={PROBE} --notify READY=1 --hang\n",
                wait="failed")
    assert (state["Result"], state["ExecMainStatus"]) == ("watchdog", "6")


def test_watchdog_of_a_hanging_process_that_ignores_it(box, one):
    state = one(f"Type=notify\nWatchdogSec=300ms\nTimeoutStopSec=300ms\n"
                f"ExecStart={PROBE} --ignore 6 --notify READY=1 --hang\n", wait="failed")
    assert (state["Result"], state["ExecMainStatus"]) == ("watchdog", "9")


def test_sign_of_life_keeps_it_running(box, one):
    box.write("/opt/alive.py", """
import os, socket, time
assert os.environ["WATCHDOG_USEC"] == "500000" and os.environ["WATCHDOG_PID"] == str(os.getpid())
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"]); s.send(b"READY=1")
for _ in range(8):
    time.sleep(0.2); s.send(b"WATCHDOG=1")
s.send(b"WATCHDOG=trigger"); time.sleep(1000)
""")
    one("Type=notify\nWatchdogSec=500ms\nExecStart=/usr/bin/python3 /opt/alive.py\n", wait="running")
    time.sleep(1.2)
    assert show(box, "one.service")["SubState"] == "running"
    assert wait_state(box, "one.service", "failed")["Result"] == "watchdog"
