"""Several processes: who holds what, what a death costs, and reload."""
import os
import signal
import threading
import time

import pytest

import httpd
from httpd import Httpd, Reply, replies, request


@pytest.fixture
def top():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"one")
    (path / "two").mkdir()
    (path / "two" / "index.html").write_bytes(b"two")
    return path


def conf(top, root, workers=2, extra=""):
    file = top / "httpd.conf"
    file.write_text(f'workers = {workers}\n{extra}\nsite "x" {{ root = {root} }}\n')
    return file


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def wait_for(what, timeout=5):
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_number_of_workers_is_what_was_asked(top):
    with Httpd("--config", conf(top, top, workers=3)) as h:
        h.wait_ready()
        assert len(children(h.pid)) == 3
        workers = children(h.pid)
        assert h.stop() == 0
        assert not any(os.path.exists(f"/proc/{p}") for p in workers)


def test_the_first_process_holds_no_connection(top):
    with Httpd("--config", conf(top, top)) as h, h.connect() as s:
        h.wait_ready()
        s.sendall(request("/"))
        assert Reply(s.makefile("rb")).body == b"one"
        sockets = [n for n in os.listdir(f"/proc/{h.pid}/fd")
                   if os.readlink(f"/proc/{h.pid}/fd/{n}").startswith("socket:")]
        assert len(sockets) == 1


def test_a_dead_worker_is_replaced_and_nothing_queued_is_lost(top):
    with Httpd("--config", conf(top, top)) as h:
        h.wait_ready()
        before = children(h.pid)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(20):
            assert replies(h.raw(request("/", "Connection: close")))[0].body == b"one"
        wait_for(lambda: len(children(h.pid)) == 2 and before[0] not in children(h.pid))
        assert "died of signal 9" in h.stderr()
        assert h.stop() == 0


def test_workers_drain_when_the_first_process_is_killed(top):
    with Httpd("--config", conf(top, top)) as h:
        h.wait_ready()
        workers = children(h.pid)
        h.stop(signal.SIGKILL)

        def gone():
            return not any(os.path.exists(f"/proc/{p}") and
                           open(f"/proc/{p}/stat").read().split()[2] != "Z" for p in workers)
        wait_for(gone)


def status_of(h):
    return replies(h.raw(request("/", "Connection: close")))[0].status


def test_limits_of_an_address_hold_over_all_workers(top):
    """As many connections as the file says, whichever workers have them, and when one dies too."""
    with Httpd("--config", conf(top, top, workers=4, extra="connections-per-address = 8")) as h:
        h.wait_ready()

        def fill():
            """Connections until one is turned away."""
            held = []
            while len(held) < 20:
                s = h.connect()
                s.sendall(request("/"))
                if not s.recv(4096).startswith(b"HTTP/1.1 200"):
                    s.close()
                    return held
                held.append(s)
            return held
        held = fill()
        assert len(held) == 8
        before = children(h.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(children(h.pid)) == 4 and not set(before) & set(children(h.pid)))
        for s in held:
            s.close()
        assert len(fill()) == 8  # the dead ones' are not counted any more


def test_request_rate_holds_over_all_workers(top):
    extra = "request-rate = 1\nrequest-burst = 8"
    with Httpd("--config", conf(top, top, workers=4, extra=extra)) as h:
        h.wait_ready()
        began = time.monotonic()
        good = sum(status_of(h) == 200 for _ in range(30))
        assert 8 <= good <= 8 + 1 + int(time.monotonic() - began)


def test_reload_serves_the_new_and_loses_nothing(top):
    file = conf(top, top)
    with Httpd("--config", file) as h:
        h.wait_ready()
        errors, stop, seen = [], threading.Event(), set()

        def client():
            while not stop.is_set():
                try:
                    with h.connect() as s:
                        f = s.makefile("rb")
                        while not stop.is_set():
                            s.sendall(request("/"))
                            r = Reply(f)
                            assert r.status == 200
                            seen.add(r.body)
                            if r.get("connection") == "close":
                                break
                except Exception as e:  # noqa: BLE001
                    errors.append(repr(e))

        threads = [threading.Thread(target=client, daemon=True) for _ in range(6)]
        for t in threads:
            t.start()
        for root in (top / "two", top, top / "two"):
            time.sleep(0.3)
            old = children(h.pid)
            conf(top, root)
            os.kill(h.pid, signal.SIGHUP)
            wait_for(lambda: not set(old) & set(children(h.pid)))
        time.sleep(0.2)
        stop.set()
        for t in threads:
            t.join(10)
        assert errors == []
        assert seen == {b"one", b"two"}
        assert replies(h.raw(request("/", "Connection: close")))[0].body == b"two"
        assert h.stop() == 0


def test_a_bad_file_keeps_the_old(top):
    file = conf(top, top)
    with Httpd("--config", file) as h:
        h.wait_ready()
        old = children(h.pid)
        file.write_text("rubbish")
        os.kill(h.pid, signal.SIGHUP)
        wait_for(lambda: "the old configuration stays" in h.stderr())
        assert f"{file}:1: " in h.stderr()
        assert children(h.pid) == old
        assert replies(h.raw(request("/", "Connection: close")))[0].body == b"one"
        conf(top, top / "two")
        os.kill(h.pid, signal.SIGHUP)
        wait_for(lambda: not set(old) & set(children(h.pid)))
        assert replies(h.raw(request("/", "Connection: close")))[0].body == b"two"
        assert h.stop() == 0


def test_a_worker_that_cannot_start_stops_all(top):
    """No restart loop before the service ever was ready: the launcher must see it."""
    missing = top / "missing.pem"
    with Httpd("--root", top, "--cert", missing) as h:
        assert h.wait() == 78


def test_no_worker_outlives_a_first_process_killed_while_it_starts_them(top):
    """Killed at any moment of its first milliseconds."""
    for i in range(40):
        with Httpd("--root", top, "--workers", "4") as h:
            time.sleep(i * 0.0005)
            h.stop(signal.SIGKILL)

    def left():
        out = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as f:
                    out += [pid] if f"--root\0{top}\0" in f.read() else []
            except OSError:
                pass
        return out
    wait_for(lambda: not left())
