"""kill -9 of the manager, at every moment: nobody outside notices."""

import os
import signal
import threading

import pytest

from support.box import PROBE, wait_for
from support.ctl import ctl, show, wait_state
from support.probe import client

UNITS = {
    "web.socket": "[Socket]\nListenStream=80\n",
    "web.service": f"[Service]\nType=notify\nUser=svc\n"
                   f"ExecStart={PROBE} --notify READY=1|STATUS=serving --greet\n",
    "slow.service": f"[Service]\nType=notify\nUser=svc\nRestart=on-failure\n"
                    f"ExecStart={PROBE} --delay 1500 --notify READY=1|STATUS=late --hang\n",
}


@pytest.fixture
def run(box):
    with box.launcher("web.socket", "slow.service", units=UNITS) as launcher:
        yield launcher


def kill_manager(run):
    """Returns the pid of the one that takes over."""
    old = wait_for(lambda: run.halves().get("manager"), text="a manager")
    os.kill(old, signal.SIGKILL)
    return wait_for(lambda: (lambda p: p != old and p)(run.halves().get("manager")), 15,
                    "another manager")


class Load:
    """Clients that connect, read a greeting, and count what goes wrong."""

    def __init__(self, box, n):
        self.box, self.done, self.failed, self.pids = box, 0, [], set()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._clients) for _ in range(n)]

    def _clients(self):
        while not self.stop.is_set():
            try:
                with self.box.connect("127.0.0.1:80", timeout=10) as s:
                    text = b""
                    while chunk := s.recv(65536):
                        text += chunk
                assert b'"pid"' in text, text[:100]
                self.done += 1
            except Exception as e:  # pylint: disable=broad-except
                self.failed.append(repr(e))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()


def test_nobody_is_refused_while_managers_die(box, run):
    with client(box, "127.0.0.1:80"):
        pass
    before = wait_state(box, "web.service", "running")
    with Load(box, 3) as load:
        for round_ in range(4):
            count = load.done
            kill_manager(run)
            wait_for(lambda: load.done > count + 20, 15, f"clients in round {round_}")
    assert load.failed == []
    after = wait_state(box, "web.service", "running")
    same = ("MainPID", "StatusText", "NRestarts", "ActiveEnterTimestampMonotonic",
            "ExecMainStartTimestampMonotonic")
    assert {k: after[k] for k in same} == {k: before[k] for k in same}
    assert after["StatusText"] == "serving"


def test_start_goes_on_under_the_next_manager(box, run):
    state = wait_state(box, "slow.service", "start")
    kill_manager(run)
    later = wait_state(box, "slow.service", "running")
    assert later["MainPID"] == state["MainPID"]
    assert later["StatusText"] == "late"


def test_first_traffic_while_there_is_no_manager(box, run):
    """The connection waits in the queue; the next manager finds it."""
    manager = run.halves()["manager"]
    os.kill(manager, signal.SIGSTOP)
    with box.connect("127.0.0.1:80", timeout=15) as s:
        os.kill(manager, signal.SIGKILL)
        assert s.recv(10)


def test_service_that_died_meanwhile_is_started_again(box, run):
    old = int(wait_state(box, "slow.service", "running")["MainPID"])
    outside = next(pid for pid, _ in run.services() if box.inside_pid(pid) == old)
    manager = run.halves()["manager"]
    os.kill(manager, signal.SIGSTOP)
    os.kill(outside, signal.SIGKILL)
    os.kill(manager, signal.SIGKILL)
    state = wait_for(lambda: (lambda s: s.get("MainPID") not in ("0", str(old)) and s)(
        show(box, "slow.service")), 10, "another process")
    assert state["ActiveState"] == "activating"
    wait_state(box, "slow.service", "running")


def test_stopped_stays_stopped(box, run):
    assert ctl(box, "stop", "slow.service").returncode == 0
    kill_manager(run)
    wait_for(lambda: ctl(box, "is-active", "-q", "web.socket").returncode == 0)
    assert show(box, "slow.service")["ActiveState"] == "inactive"


def test_operator_who_waits_hears_of_it(box, run):
    """Whoever waits for a job is told that nobody will answer; the job itself goes on."""
    wait_state(box, "slow.service", "running")
    waiting = box.popen(["/opt/sallyport/sallyport", "restart", "slow.service"])
    wait_state(box, "slow.service", "start")
    kill_manager(run)
    assert waiting.wait(10) == 1
    wait_state(box, "slow.service", "running")


def test_manager_that_dies_at_once_again_and_again_is_not_given_up(box, run):
    for _ in range(3):
        kill_manager(run)
    assert ctl(box, "is-active", "web.socket").returncode == 0
    with box.connect("127.0.0.1:80", timeout=10) as s:
        assert s.recv(10)
