"""Options that the other tests leave at their defaults: each is set, and what it does is seen."""
import gzip
import os
import re
import signal
import socket
import time

import pytest

import httpd
from httpd import Httpd, Reply, replies, request
from test_http_config import help_options
from test_http_limits import sockets_of
from test_http_workers import children

TEXT = b"all work and no play makes jack a dull boy\n" * 100
PATIENCE = 5  # seconds, for what is to happen within one


@pytest.fixture
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"page")
    (path / "big.bin").write_bytes(b"x" * 20_000_000)
    return path


def serve(root, options="", route="", **kwargs):
    file = root / "httpd.conf"
    file.write_text(f'workers = 1\n{options}\nsite "x" {{ root = {root} {route} }}\n')
    return Httpd("--config", file, **kwargs)


def get(server, target, *lines):
    return replies(server.raw(request(target, *lines, "Connection: close")))[0]


def test_every_option_is_set_by_some_test():
    here = httpd.SOURCE / "tests"
    text = "".join(p.read_text() for name in ("http", "tls") for p in (here / name).glob("*.py"))
    given_on_the_command_line = {"signer"}
    unset = {name for name in help_options()[1] if name not in given_on_the_command_line
             and not re.search(rf"(?:(?<![\w-])|\\n){name} \+?= ", text)}
    assert unset == set()


@pytest.mark.parametrize("option,within,beyond,status", [
    ("request-line = 64", request("/"), request("/?" + "a" * 64), 414),
    ("header-bytes = 256", request("/", "X: " + "a" * 100), request("/", "X: " + "a" * 256), 431),
    ("header-fields = 3", request("/", "A: 1", "B: 2"), request("/", "A: 1", "B: 2", "C: 3"), 431),
    ("body-bytes = 4", request("/", "Content-Length: 4") + b"1234",
     request("/", "Content-Length: 5") + b"12345", 413),
])
def test_sizes(root, option, within, beyond, status):
    with serve(root, option) as h:
        assert [r.status for r in replies(h.raw(within + beyond))] == [200, status]


@pytest.mark.parametrize("value,there", [("yes", True), ("no", False)])
def test_server_field(root, value, there):
    with serve(root, f"server-field = {value}") as h:
        for r in (get(h, "/"), get(h, "/nothing"), replies(h.raw(b"nonsense\r\n\r\n"))[0]):
            assert (r.get("server") is not None) == there, r.status


def test_mime_types(root):
    (root / "a.odd").write_bytes(b"x")
    (root / "types").write_text("# comment\ntext/x-even even\ntext/x-odd odd\n")
    with serve(root, f"mime-types = {root}/types") as h:
        assert get(h, "/a.odd").get("content-type") == "text/x-odd; charset=utf-8"
        assert get(h, "/index.html").get("content-type") == "text/html; charset=utf-8"


def test_without_a_cache_a_change_is_seen_at_once(root):
    """With one, not before the next second: five changes cannot each fall on its beginning."""
    with serve(root, "cache-files = 0") as h:
        for i in range(5):
            (root / "new").write_text(f"version {i}")
            os.replace(root / "new", root / "page.html")
            assert get(h, "/page.html").body == f"version {i}".encode()


@pytest.mark.parametrize("route,coding,body", [
    ("", "gzip", b"neighbour"),
    ("precompressed = no", "gzip", TEXT),
    ("precompressed = no compress = no", None, TEXT),
])
def test_codings_off(root, route, coding, body):
    (root / "page.txt").write_bytes(TEXT)
    (root / "page.txt.gz").write_bytes(gzip.compress(b"neighbour"))
    with serve(root, route=route) as h:
        for _ in range(3):  # a file is compressed once it is kept
            r = get(h, "/page.txt", "Accept-Encoding: gzip")
        assert r.get("content-encoding") == coding
        assert (gzip.decompress(r.body) if coding else r.body) == body


@pytest.mark.parametrize("level,told", [("warning", False), ("debug", True)])
def test_log_level(root, level, told):
    with serve(root, f"log-level = {level}") as h, h.connect() as s:
        h.wait_ready()
        s.sendall(request("/"))
        assert Reply(s.makefile("rb")).status == 200
        assert h.stop() == 0
        assert ("draining, connections left: 1" in h.stderr()) == told, h.stderr()


def test_linger_timeout(root):
    """A client that was refused and does not close has so long, not the five seconds of the default."""
    with serve(root, "linger-timeout = 500ms") as h, h.connect() as s:
        h.wait_ready()
        worker = children(h.pid)[0]
        s.sendall(b"nonsense\r\n\r\n")
        assert Reply(s.makefile("rb")).status == 400
        assert sockets_of(worker) == 2  # the listener and this one
        time.sleep(1.5)
        assert sockets_of(worker) == 1


def test_drain_idle(root):
    """An idle connection may still ask, later than the second of the default."""
    with serve(root, "drain-idle = 4s") as h, h.connect() as s:
        f = s.makefile("rb")
        s.sendall(request("/"))
        assert Reply(f).status == 200
        os.kill(h.pid, signal.SIGTERM)
        time.sleep(2)
        s.sendall(request("/"))
        r = Reply(f)
        assert (r.status, r.get("connection"), f.read()) == (200, "close", b"")
        assert h.wait(PATIENCE) == 0


def test_drain_timeout(root):
    """What is not finished by then is cut, and said."""
    with serve(root, "drain-timeout = 500ms") as h, h.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(request("/big.bin"))
        assert s.recv(100)
        begin = time.monotonic()
        os.kill(h.pid, signal.SIGTERM)
        h.wait(PATIENCE)
        assert 0.4 < time.monotonic() - begin < PATIENCE
        assert "cut, for they did not end in time: 1" in h.stderr()
