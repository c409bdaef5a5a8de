"""Dependencies and order among what is loaded, as systemd.unit(5) has them."""

import os
import signal

import pytest

from support.box import PROBE, wait_for
from support.ctl import ctl, show, wait_state
from support.launcher import stop_all
from support.probe import client

LOG = "/tmp/order"


def service(unit="", text="", start="--notify READY=1 --hang", kind="notify"):
    return (f"[Unit]\n{unit}\n[Service]\nType={kind}\nUser=svc\n"
            f"ExecStartPre=/bin/sh -c 'echo +%N >> {LOG}'\n"
            f"ExecStopPost=/bin/sh -c 'echo -%N >> {LOG}'\nExecStart={PROBE} {start}\n{text}")


@pytest.fixture
def run(box):
    running = []

    def start(*names, **units):
        box.write(LOG, "", mode=0o666)
        launcher = box.launcher(*names, units={f"{n}.service": t for n, t in units.items()})
        launcher.start()
        running.append(launcher)
        return launcher

    yield start
    stop_all(running)


def order(box):
    return box.read(LOG).split()


def states(box, *names):
    return [show(box, f"{n}.service")["ActiveState"] for n in names]


def test_required_is_pulled_in_and_comes_first(box, run):
    launcher = run("a.service", a=service("Requires=b.service\nAfter=b.service"),
                   b=service(start="--delay 200 --notify READY=1 --hang"))
    wait_state(box, "a.service", "running")
    assert order(box) == ["+b", "+a"]
    assert launcher.stop() == 0
    assert order(box)[2:] == ["-a", "-b"]  # and the reverse on the way down


def test_before_is_the_reverse(box, run):
    run("a.service", "b.service", a=service("After=nothing.service"),
        b=service("Before=a.service", start="--delay 200 --notify READY=1 --hang"))
    wait_state(box, "a.service", "running")
    assert order(box) == ["+b", "+a"]


def test_without_order_they_start_together(box, run):
    run("a.service", a=service("Requires=b.service"),
        b=service(start="--delay 700 --notify READY=1 --hang"))
    wait_state(box, "a.service", "running", 3)
    assert show(box, "b.service")["SubState"] == "start"


def test_required_that_fails_keeps_it_down(box, run):
    run("a.service", a=service("Requires=b.service\nAfter=b.service"), b=service(start="--exit 1"))
    wait_state(box, "b.service", "failed")
    assert states(box, "a") == ["inactive"]
    done = ctl(box, "start", "a")
    assert done.returncode == 1 and "dependency" in done.stderr
    assert "+a" not in order(box)


def test_wanted_that_fails_does_not(box, run):
    run("a.service", a=service("Wants=b.service\nAfter=b.service"), b=service(start="--exit 1"))
    wait_state(box, "a.service", "running")
    assert states(box, "b") == ["failed"]


def test_stop_goes_to_those_that_require_it(box, run):
    run("a.service", a=service("Requires=b.service\nAfter=b.service"), b=service())
    wait_state(box, "a.service", "running")
    assert ctl(box, "stop", "b").returncode == 0
    assert states(box, "a", "b") == ["inactive", "inactive"]
    assert order(box) == ["+b", "+a", "-a", "-b"]


def test_end_by_itself_stops_only_what_is_bound(box, run):
    launcher = run("a.service", "c.service", a=service("BindsTo=b.service\nAfter=b.service"),
                   b=service(), c=service("Requires=b.service\nAfter=b.service"))
    wait_state(box, "a.service", "running")
    wait_state(box, "c.service", "running")
    main = int(show(box, "b.service")["MainPID"])
    os.kill(next(p for p, _ in launcher.services() if box.inside_pid(p) == main), signal.SIGKILL)
    wait_state(box, "a.service", "dead")
    assert states(box, "b", "c") == ["failed", "active"]


def test_restart_takes_those_along(box, run):
    run("a.service", "c.service", a=service("Requires=b.service\nAfter=b.service"), b=service(),
        c=service("PartOf=b.service"))
    wait_state(box, "a.service", "running")
    wait_state(box, "c.service", "running")
    before = [show(box, f"{n}.service")["MainPID"] for n in "abc"]
    assert ctl(box, "restart", "b").returncode == 0
    for name, pid in zip("abc", before):
        wait_for(lambda n=name, p=pid: show(box, f"{n}.service")["MainPID"] not in ("0", p),
                 text=f"another {name}")
    assert [x for x in order(box) if x[1] in "ab"] == \
        ["+b", "+a", "-a", "-b", "+b", "+a"]


def test_part_of_is_stopped_but_not_started(box, run):
    run("b.service", "c.service", b=service(), c=service("PartOf=b.service"))
    wait_state(box, "c.service", "running")
    assert ctl(box, "stop", "b").returncode == 0
    wait_state(box, "c.service", "dead")
    assert ctl(box, "start", "b").returncode == 0
    assert states(box, "c") == ["inactive"]


def test_conflict(box, run):
    """Whichever is started last stops the other."""
    run("a.service", "b.service", a=service("Conflicts=b.service\nAfter=b.service"), b=service())
    wait_for(lambda: sorted(states(box, "a", "b")) == ["active", "inactive"])
    up, down = ("a", "b") if states(box, "a") == ["active"] else ("b", "a")
    assert ctl(box, "start", down).returncode == 0
    wait_state(box, f"{up}.service", "dead")
    assert states(box, down) == ["active"]


def test_requisite_must_be_there_already(box, run):
    run("a.service", "b.service", b=service(), a=service("Requisite=b.service\nAfter=b.service"))
    wait_state(box, "a.service", "running")  # b's job came first
    assert ctl(box, "stop", "b").returncode == 0
    wait_state(box, "a.service", "dead")
    assert ctl(box, "start", "a").returncode == 1
    assert states(box, "a", "b") == ["inactive", "inactive"]


def test_circle_of_after_is_no_deadlock(box, run):
    launcher = run("a.service", "b.service", a=service("After=b.service"),
                   b=service("After=a.service"))
    wait_state(box, "a.service", "running")
    wait_state(box, "b.service", "running")
    assert "circle" in launcher.log


def test_traffic_pulls_in_what_the_service_requires(box, run):
    box.write(LOG, "", mode=0o666)
    launcher = box.launcher("web.socket", units={
        "web.socket": "[Socket]\nListenStream=80\n",
        "web.service": service("Requires=db.service\nAfter=db.service",
                               start="--notify READY=1 --serve"),
        "db.service": service(start="--delay 200 --notify READY=1 --hang")})
    with launcher:
        assert states(box, "web", "db") == ["inactive", "inactive"]
        with client(box, "127.0.0.1:80") as c:
            c.ask("pid")
        assert order(box) == ["+db", "+web"]


def test_order_holds_under_the_next_manager(box, run):
    """The manager dies while one waits for the other."""
    launcher = run("a.service", a=service("Requires=b.service\nAfter=b.service"),
                   b=service(start="--delay 1000 --notify READY=1 --hang"))
    wait_state(box, "b.service", "start")
    manager = launcher.halves()["manager"]
    os.kill(manager, signal.SIGKILL)
    wait_state(box, "a.service", "running")
    assert order(box) == ["+b", "+a"]
