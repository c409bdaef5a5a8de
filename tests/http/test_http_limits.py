"""Time limits, rates, sizes and numbers; what a hostile or unlucky client costs."""
import os
import resource
import socket
import subprocess
import sys
import threading
import time

import pytest

import httpd
from httpd import Httpd, Reply, replies, request
from test_http_workers import children

BIG = b"x" * 20_000_000


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"page")
    (path / "big.bin").write_bytes(BIG)
    return path


def serve(root, text, **kwargs):
    file = root / f"limits-{abs(hash(text))}.conf"
    file.write_text(f'workers = 1\n{text}\nsite "x" {{ root = {root} }}\n')
    return Httpd("--config", file, **kwargs)


def read_until_closed(s, timeout=10):
    s.settimeout(timeout)
    got = b""
    while chunk := s.recv(65536):
        got += chunk
    return got


def test_slow_head_is_408(root):
    with serve(root, "header-timeout = 500ms") as h, h.connect() as s:
        begin = time.monotonic()
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        assert replies(read_until_closed(s))[0].status == 408
        assert 0.4 < time.monotonic() - begin < 2


def test_dripping_head_is_408_too(root):
    """A byte now and then does not renew the limit."""
    with serve(root, "header-timeout = 700ms") as h, h.connect() as s:
        s.settimeout(0.1)
        begin, got = time.monotonic(), b""
        try:
            while not got and time.monotonic() - begin < 5:
                s.sendall(b"X")
                try:
                    got = s.recv(4096)
                except TimeoutError:
                    pass
        except OSError:
            pass
        assert time.monotonic() - begin < 2
        assert b" 408 " in got


def test_silent_connection_is_closed_without_a_word(root):
    with serve(root, "header-timeout = 300ms") as h, h.connect() as s:
        assert read_until_closed(s) == b""


def test_idle_connection_is_closed(root):
    with serve(root, "idle-timeout = 300ms") as h, h.connect() as s:
        s.sendall(request("/"))
        begin = time.monotonic()
        assert replies(read_until_closed(s))[0].body == b"page"
        assert 0.2 < time.monotonic() - begin < 2


def test_slow_body_is_408(root):
    with serve(root, "body-timeout = 300ms") as h, h.connect() as s:
        s.sendall(request("/", "Content-Length: 100") + b"abc")
        assert replies(read_until_closed(s))[0].status == 408


def sockets_of(pid):
    links = (os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd"))
    return sum(link.startswith("socket:") for link in links)


def test_reader_that_takes_nothing_is_cut(root):
    with serve(root, "write-timeout = 500ms") as h, h.connect() as s:
        h.wait_ready()
        worker = children(h.pid)[0]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(request("/big.bin"))
        time.sleep(0.3)
        assert sockets_of(worker) == 2  # the listener and this one
        time.sleep(1)
        assert sockets_of(worker) == 1


def test_minimum_rate_ends_a_body_that_drips(root):
    """10 s are free; after them 200 bytes a second must come, and these are 20."""
    with serve(root, "min-rate = 200\nbody-timeout = 5s") as h, h.connect() as s:
        s.sendall(request("/", "Content-Length: 100000"))
        begin = time.monotonic()
        try:
            while time.monotonic() - begin < 20:
                s.sendall(b"ab")
                time.sleep(0.1)
        except OSError:
            pass
        assert 9 < time.monotonic() - begin < 13


def test_requests_per_connection(root):
    with serve(root, "requests-per-connection = 3") as h:
        rs = replies(h.raw(request("/") * 5))
        assert [r.get("connection") for r in rs] == [None, None, "close"]


def test_request_rate_by_address(root):
    with serve(root, "request-rate = 5\nrequest-burst = 3") as h:
        statuses = []
        for _ in range(6):
            statuses.append(replies(h.raw(request("/", "Connection: close")))[0].status)
        assert statuses[:3] == [200] * 3 and 429 in statuses
        with socket.create_connection(h.address, source_address=("127.0.0.9", 0)) as s:
            s.sendall(request("/", "Connection: close"))
            assert Reply(s.makefile("rb")).status == 200
        time.sleep(0.5)
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200


def test_connections_per_address(root):
    with serve(root, "connections-per-address = 2") as h:
        held = [h.connect(), h.connect()]
        for s in held:
            s.sendall(request("/"))
            assert Reply(s.makefile("rb")).status == 200
        assert b" 503 " in h.raw(request("/"))
        with socket.create_connection(h.address, source_address=("127.0.0.9", 0)) as s:
            s.sendall(request("/", "Connection: close"))
            assert Reply(s.makefile("rb")).status == 200
        held.pop().close()
        time.sleep(0.1)
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200


def test_full_server_lets_others_wait(root):
    with serve(root, "connections = 2") as h:
        held = [h.connect(), h.connect()]
        for s in held:
            s.sendall(request("/"))
            assert Reply(s.makefile("rb")).status == 200
        with h.connect() as third:
            third.sendall(request("/", "Connection: close"))
            third.settimeout(0.5)
            with pytest.raises(TimeoutError):
                third.recv(10)
            held[0].close()
            third.settimeout(5)
            assert third.recv(12) == b"HTTP/1.1 200"
        ticks = cpu_ticks(children(h.pid)[0])
        time.sleep(0.5)
        assert cpu_ticks(children(h.pid)[0]) - ticks < 10  # and it does not spin meanwhile


def cpu_ticks(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_out_of_descriptors_says_503_and_goes_on(root):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
        httpd.drop_all()

    with serve(root, "", drop=few) as h:
        held = []
        for _ in range(40):
            s = h.connect()
            s.sendall(request("/"))
            held.append(s)
        time.sleep(0.5)
        turned_away = 0
        for s in held:
            s.settimeout(0.2)
            try:
                turned_away += b" 503 " in s.recv(4096)
            except OSError:
                pass
        assert turned_away > 0
        for s in held:
            s.close()
        time.sleep(0.3)
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200
        assert h.stop() == 0


def test_thousands_of_idle_connections_cost_little(root):
    """As many as the descriptor limit of this test allows; no buffers while idle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(hard, 20000) - 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with serve(root, "connections = 30000\nidle-timeout = 5m") as h:
        h.wait_ready()
        worker = children(h.pid)[0]

        def private():
            text = open(f"/proc/{worker}/smaps_rollup").read()
            return sum(int(line.split()[1]) for line in text.splitlines()
                       if line.startswith("Private_")) * 1024
        held = []
        for i in range(count + 100):
            s = socket.socket()
            s.bind((f"127.0.{1 + i // 250 % 250}.{1 + i % 250}", 0))
            s.connect(h.address)
            s.sendall(request("/"))
            held.append(s)
            if i % 500 == 99:
                for x in held[-min(len(held), 500):]:
                    assert x.recv(4096).startswith(b"HTTP/1.1 200")
            if i == 99:
                before = private()
        time.sleep(0.2)
        per = (private() - before) / count
        print(f"{count} idle connections, {per:.0f} bytes each")
        assert per < 600
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200
        for s in held:
            s.close()
        assert h.stop(timeout=20) == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(httpd.sanitized(), reason="not with sanitizers: they bring memory of their own")
def test_idle_connections_over_several_workers():
    """tests/bench/http/idle.py, which does the same with all the descriptors there are."""
    out = subprocess.run([sys.executable, httpd.SOURCE / "tests/bench/http/idle.py", "--workers", "3",
                          "--each", "1500"], capture_output=True, text=True, timeout=120)
    print(out.stdout)
    assert out.returncode == 0, out.stdout + out.stderr


def test_pipeline_flood_does_not_starve_others(root):
    with serve(root, "") as h:
        stop = threading.Event()

        def flood():
            with h.connect() as s:
                s.settimeout(0.5)
                data = request("/") * 2000
                try:
                    while not stop.is_set():
                        s.sendall(data)
                        s.recv(1 << 20)
                except OSError:
                    pass

        threads = [threading.Thread(target=flood, daemon=True) for _ in range(3)]
        for t in threads:
            t.start()
        worst = 0
        for _ in range(30):
            begin = time.monotonic()
            assert replies(h.raw(request("/", "Connection: close")))[0].status == 200
            worst = max(worst, time.monotonic() - begin)
        stop.set()
        for t in threads:
            t.join(10)
        assert worst < 1


@pytest.mark.parametrize("mode", ["-H", "-B", "-X"], ids=["slowloris", "slow body", "slow read"])
def test_slowhttptest(root, mode, tmp_path):
    tool = subprocess.run(["which", "slowhttptest"], capture_output=True, text=True).stdout.strip()
    if not tool:
        pytest.skip("slowhttptest is not installed")
    with serve(root, "header-timeout = 2s\nbody-timeout = 2s\nwrite-timeout = 2s") as h:
        p = subprocess.run([tool, mode, "-c", "300", "-r", "200", "-l", "6", "-i", "1", "-p", "2",
                            "-u", f"http://127.0.0.1:{h.port}/big.bin"], capture_output=True,
                           text=True, timeout=60, cwd=tmp_path)
        assert p.returncode == 0, p.stderr
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200
        assert h.stop() == 0
