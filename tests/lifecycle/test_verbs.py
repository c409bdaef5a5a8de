"""The operator's verbs: what they print and how they exit, as systemctl does."""

import json
import os
import signal

import pytest

from support.box import LAUNCHER, PROBE, alive, wait_for
from support.ctl import ctl, show, wait_state
from support.probe import client

UNITS = {
    "web.socket": "[Unit]\nDescription=the web\n[Socket]\nListenStream=80\nListenStream=/run/w\n",
    "web.service": f"[Service]\nType=notify\nUser=svc\n"
                   f"ExecStart={PROBE} --notify READY=1|STATUS=serving --serve\n",
    "bad.service": f"[Service]\nUser=svc\nExecStart={PROBE} --exit 3\nRestart=no\n",
    "slow.service": f"[Service]\nType=notify\nUser=svc\n"
                    f"ExecStart={PROBE} --delay 700 --notify READY=1 --hang\n",
    "deaf.service": f"[Service]\nUser=svc\nTimeoutStopSec=500ms\n"
                    f"ExecStart={PROBE} --ignore 15 --hang\n",
}


@pytest.fixture
def run(box):
    with box.launcher("web.socket", "bad.service", "slow.service", "deaf.service",
                      units=UNITS) as launcher:
        wait_state(box, "slow.service", "running")
        yield launcher


def test_show_has_the_contract(box, run):
    with client(box, "127.0.0.1:80") as c:
        pid = c.ask("pid")
    service, socket = show(box, "web.service"), show(box, "web.socket")
    want = {"Id": "web.service", "LoadState": "loaded", "ActiveState": "active",
            "SubState": "running", "Result": "success", "MainPID": pid, "ExecMainPID": pid,
            "ExecMainCode": "0", "ExecMainStatus": "0", "NRestarts": "0",
            "NFileDescriptorStore": "0", "StatusText": "serving", "TriggeredBy": "web.socket"}
    assert {k: service.get(k) for k in want} == want
    want = {"Id": "web.socket", "Description": "the web", "LoadState": "loaded",
            "ActiveState": "active", "SubState": "running", "NAccepted": "0", "NConnections": "0",
            "Triggers": "web.service"}
    assert {k: socket.get(k) for k in want} == want


def test_show_options(box, run):
    assert ctl(box, "show", "-p", "Id,LoadState", "-p", "Triggers", "web.socket").stdout == \
        "Id=web.socket\nLoadState=loaded\nTriggers=web.service\n"
    assert ctl(box, "show", "--property=SubState", "--value", "web.socket").stdout == "listening\n"
    missing = ctl(box, "show", "-p", "LoadState,ActiveState", "nothing.service")
    assert missing.stdout == "LoadState=not-found\nActiveState=inactive\n"
    assert missing.returncode == 0
    everything = ctl(box, "show").stdout
    assert sorted(x for x in everything.splitlines() if x.startswith("Id=")) == \
        [f"Id={u}" for u in sorted(UNITS)]


def test_json_is_the_same(box, run):
    units = {u["Id"]: u for u in json.loads(ctl(box, "status", "--json").stdout)}
    assert sorted(units) == sorted(UNITS)
    assert units["web.socket"]["Listen"] == ["[::]:80 (Stream)", "/run/w (Stream)"]
    plain = show(box, "slow.service")
    for key, value in units["slow.service"].items():
        assert plain[key] == str(value), key
    assert isinstance(units["slow.service"]["MainPID"], int)


def test_status_and_its_exit_codes(box, run):
    table = ctl(box, "status")
    assert table.returncode == 0
    rows = {line.split()[1]: line.split() for line in table.stdout.splitlines()[1:]}
    assert rows["web.socket"][2:4] == ["active", "listening"]
    assert rows["web.service"][2:4] == ["inactive", "dead"]
    assert ctl(box, "status", "web.socket").returncode == 0
    assert ctl(box, "status", "web.service").returncode == 3
    gone = ctl(box, "status", "nothing.service")
    assert (gone.returncode, gone.stdout) == (4, "")
    assert "nothing.service" in gone.stderr
    text = ctl(box, "status", "web.socket").stdout
    assert "web.socket - the web" in text and "Active: active (listening) since" in text
    assert "/run/w (Stream)" in text


def test_is_active_and_is_failed(box, run):
    def asked(verb, *units):
        done = ctl(box, verb, *units)
        return done.returncode, done.stdout.split()

    wait_state(box, "bad.service", "failed")
    assert asked("is-active", "web.socket") == (0, ["active"])
    assert asked("is-active", "web.service") == (3, ["inactive"])
    assert asked("is-active", "web.service", "web.socket") == (0, ["inactive", "active"])
    assert asked("is-active", "-q", "web.socket") == (0, [])
    assert asked("is-active", "nothing") == (4, ["inactive"])
    assert asked("is-failed", "bad") == (0, ["failed"])
    assert asked("is-failed", "web.socket") == (1, ["active"])


def test_failure_is_told_and_forgotten(box, run):
    state = wait_state(box, "bad.service", "failed")
    assert {k: state[k] for k in ("Result", "ExecMainCode", "ExecMainStatus")} == \
        {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}
    assert ctl(box, "reset-failed", "bad.service").returncode == 0
    assert show(box, "bad.service")["ActiveState"] == "inactive"


def test_start_waits_until_it_is_up(box, run):
    assert ctl(box, "stop", "slow.service").returncode == 0
    assert show(box, "slow.service")["ActiveState"] == "inactive"
    assert ctl(box, "start", "--no-block", "slow.service").returncode == 0
    assert show(box, "slow.service")["SubState"] == "start"
    assert ctl(box, "start", "slow").returncode == 0
    assert show(box, "slow.service")["SubState"] == "running"


def test_start_that_fails_exits_1(box, run):
    box.write("/etc/systemd/system/probe-gone", "")
    wait_state(box, "bad.service", "failed")
    assert ctl(box, "start", "nothing.service").returncode == 5
    assert "nothing.service" in ctl(box, "start", "nothing.service").stderr


def test_restart_gives_a_new_process(box, run):
    before = show(box, "slow.service")["MainPID"]
    assert ctl(box, "restart", "slow.service").returncode == 0
    after = show(box, "slow.service")
    assert after["SubState"] == "running" and after["MainPID"] not in (before, "0")


def test_stop_kills_what_does_not_listen(box, run):
    pid = int(show(box, "deaf.service")["MainPID"])
    assert ctl(box, "stop", "deaf.service").returncode == 0
    state = show(box, "deaf.service")
    assert (state["ActiveState"], state["Result"]) == ("failed", "timeout")
    assert str(pid) not in [p.name for p in box.path("/proc").iterdir()]


def test_stopped_socket_does_not_start_its_service(box, run):
    assert ctl(box, "stop", "web.socket").returncode == 0
    with box.connect("/run/w") as s:  # more of it: test_stopped.py
        assert s.recv(1) == b""
    assert show(box, "web.service")["SubState"] == "dead"
    assert ctl(box, "start", "web.socket").returncode == 0
    with client(box, "/run/w") as c:
        assert c.ask("echo back") == "back"


def test_kill_signals_the_processes(box, run):
    before = show(box, "slow.service")["MainPID"]
    assert ctl(box, "kill", "-s", "SIGKILL", "slow.service").returncode == 0
    state = wait_for(lambda: (lambda s: s["MainPID"] != before and s)(show(box, "slow.service")))
    assert state["Result"] in ("signal", "success")
    assert ctl(box, "kill", "-s", "NOSUCH", "slow.service").returncode == 64
    assert ctl(box, "kill", "--kill-whom=nobody", "slow.service").returncode == 64
    assert ctl(box, "kill", "web.service").returncode == 1  # no process


def test_kill_whom(box, run):
    wait_state(box, "deaf.service", "running")
    before = show(box, "deaf.service")["MainPID"]
    none = ctl(box, "kill", "--kill-whom=control", "--signal=KILL", "deaf.service")
    assert none.returncode == 1 and show(box, "deaf.service")["MainPID"] == before
    assert ctl(box, "kill", "--kill-whom=main", "--signal=KILL", "deaf.service").returncode == 0
    wait_for(lambda: show(box, "deaf.service")["MainPID"] != before)


def test_others_may_ask_but_not_change(box, run):
    assert ctl(box, "status", user="svc").returncode == 0
    pid = show(box, "slow.service")["MainPID"]
    for verb in ("stop", "start", "restart", "kill", "reset-failed"):
        refused = ctl(box, verb, "slow.service", user="svc")
        assert refused.returncode == 1
        assert "only root" in refused.stderr
    assert show(box, "slow.service")["MainPID"] == pid


def test_without_a_launcher(box):
    done = ctl(box, "status", "--runtime-dir", "/run/nowhere")
    assert done.returncode == 69
    assert "/run/nowhere/control" in done.stderr


def test_help_and_usage(box):
    for verb in ("status", "list", "show", "is-active", "is-failed", "start", "stop", "restart",
                 "reload", "kill", "reset-failed", "audit"):
        done = ctl(box, verb, "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"Usage: sallyport {verb}"), verb
        assert ctl(box, verb, "--no-such-option").returncode == 64, verb
    assert ctl(box, "start").returncode == 64
    assert ctl(box, "list", "web.socket").returncode == 64
    assert ctl(box, "status", "--no-block").returncode == 64


def test_output_that_cannot_be_written_is_an_error(box, run):
    done = box.run(["sh", "-c", f"{LAUNCHER} status > /dev/full"], check=False)
    assert done.returncode == 74


def test_sigterm_stops_everything_in_time(box, run):
    pids = [pid for pid, _ in run.services()]
    assert pids
    os.kill(run.pid, signal.SIGTERM)
    wait_for(lambda: run.process.poll() is not None, 10, "the end")
    assert run.process.returncode == 0
    assert not [pid for pid in pids if alive(pid)]
