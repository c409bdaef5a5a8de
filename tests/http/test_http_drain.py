"""SIGTERM: nothing that was asked is left unanswered, and the exit is clean."""
import signal
import threading
import time

import pytest

import httpd
from httpd import Httpd, Reply, request

BIG = b"x" * 30_000_000


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"page")
    (path / "big.bin").write_bytes(BIG)
    return path


def test_no_connections_exits_at_once(root):
    with Httpd("--root", root) as h:
        h.wait_ready()
        begin = time.monotonic()
        assert h.stop() == 0
        assert time.monotonic() - begin < 0.9


def test_says_stopping(root):
    with Httpd("--root", root) as h:
        h.wait_ready()
        import os
        with h.connect():
            time.sleep(0.1)
            os.kill(h.pid, signal.SIGTERM)
            assert b"STOPPING=1" in h.notify.recv(4096)
        assert h.wait() == 0


def test_idle_connection_is_closed_soon(root):
    import os
    with Httpd("--root", root) as h, h.connect() as s:
        f = s.makefile("rb")
        s.sendall(request("/"))
        assert Reply(f).status == 200
        os.kill(h.pid, signal.SIGTERM)
        assert f.read() == b""
        assert h.wait(5) == 0


def test_answer_under_way_is_finished(root):
    import os
    with Httpd("--root", root) as h, h.connect() as s:
        f = s.makefile("rb")
        s.sendall(request("/big.bin"))
        assert f.read(1000)
        os.kill(h.pid, signal.SIGTERM)
        time.sleep(0.3)
        got = len(f.read())
        assert got + 1000 > len(BIG)
        assert h.wait(5) == 0


def test_request_cut_by_the_signal_is_answered(root):
    import os
    with Httpd("--root", root) as h, h.connect() as s:
        h.wait_ready()
        f = s.makefile("rb")
        data = request("/")
        s.sendall(data[:10])
        time.sleep(0.1)
        os.kill(h.pid, signal.SIGTERM)
        time.sleep(0.2)
        s.sendall(data[10:])
        r = Reply(f)
        assert (r.status, r.get("connection")) == (200, "close")
        assert h.wait(5) == 0


def test_drain_under_load_loses_nothing(root):
    """Clients send as fast as they can; the server is replaced on the same socket, twice."""
    listener = httpd.listen_tcp()
    errors, done, stop = [], [0], threading.Event()

    def client():
        import socket
        while not stop.is_set():
            s = socket.create_connection(listener.getsockname(), timeout=10)
            f = s.makefile("rb")
            try:
                while not stop.is_set():
                    s.sendall(request("/"))
                    r = Reply(f)
                    assert (r.status, r.body) == (200, b"page")
                    done[0] += 1
                    if r.get("connection") == "close":
                        break
            except Exception as e:  # noqa: BLE001 - every kind of loss is a finding
                errors.append(repr(e))
            finally:
                f.close()
                s.close()

    threads = [threading.Thread(target=client, daemon=True) for _ in range(8)]
    servers = [Httpd("--root", root, sockets=[("http", listener)])]
    for t in threads:
        t.start()
    try:
        for _ in range(2):
            time.sleep(0.5)
            old = servers[-1]
            servers.append(Httpd("--root", root, sockets=[("http", listener)]))
            servers[-1].wait_ready()
            assert old.stop() == 0, old.stderr()
        time.sleep(0.3)
    finally:
        stop.set()
        for t in threads:
            t.join(15)
    assert servers[-1].stop() == 0
    assert errors == []
    assert done[0] > 100
