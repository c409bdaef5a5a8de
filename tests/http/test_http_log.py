"""The access log: every target and format, and requests that try to break a line."""
import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import httpd
from httpd import Httpd, replies, request
from test_http_workers import wait_for


@pytest.fixture
def top():
    path = httpd.world_readable_dir()
    (path / "site").mkdir()
    (path / "site" / "index.html").write_bytes(b"page")
    (path / "site" / "big.bin").write_bytes(b"x" * 20_000_000)
    (path / "log").mkdir()
    (path / "log").chmod(0o777)
    return path


def serve(top, target, fmt="combined", **kwargs):
    file = top / "httpd.conf"
    file.write_text(f'workers = 1\naccess-log = "{target}"\naccess-format = "{fmt}"\n'
                    f'site "x" {{ root = {top}/site }}\n')
    return Httpd("--config", file, **kwargs)


def lines_of(path, n):
    wait_for(lambda: path.exists() and path.read_text(errors="replace").count("\n") >= n)
    return path.read_text(errors="replace").splitlines()


COMBINED = re.compile(r'^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                      r'"([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$')


def test_combined_to_a_file(top):
    log = top / "log" / "access"
    with serve(top, log) as h:
        h.raw(request("/?q", "User-Agent: me", "Referer: http://r/") +
              request("/nothing", "Connection: close"))
        first, second = lines_of(log, 2)
        assert COMBINED.match(first).groups() == ("GET /?q HTTP/1.1", "200", "4", "http://r/", "me")
        assert COMBINED.match(second).group(2) == "404"


def test_no_request_can_break_a_line(top):
    log = top / "log" / "access"
    with serve(top, log) as h:
        h.raw(request('/"', 'User-Agent: a" "b\\', "X: y"))
        h.raw(request("/x", 'User-Agent: a"\\x0a\t\xe9\x80 500 0', "Connection: close"))
        h.raw(b"\x00\x01garbage\r\n\r\n")
        h.raw(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: a\nfake - - line\r\n\r\n")
        lines = lines_of(log, 4)
        assert len(lines) == 4
        assert [COMBINED.match(line).group(2) for line in lines] == ["400", "404", "400", "400"]
        assert COMBINED.match(lines[1]).group(5) == 'a\\x22\\x5cx0a\\x09\\xe9\\x80 500 0'


def test_json(top):
    log = top / "log" / "access"
    with serve(top, log, "json") as h:
        h.raw(request('/a"b\\', "User-Agent: \xff\x80\"", "Connection: close"))
        h.raw(request("/?x=1", "Connection: close", host="Host.Example:80"))
        one, two = [json.loads(line) for line in lines_of(log, 2)]
        assert (one["status"], one["client"]) == (400, "127.0.0.1")
        assert (two["status"], two["bytes"], two["target"]) == (200, 4, "/?x=1")
        assert two["host"] == "Host.Example"
        assert re.match(r"^[0-9a-f]{16}$", two["id"]) and two["id"] != one["id"]


def test_own_format(top):
    log = top / "log" / "access"
    with serve(top, log, "%m|%U|%v|%q|%H|%s|%b|100%%") as h:
        h.raw(request("/?a=b", "Connection: close"))
        assert lines_of(log, 1) == ["GET|-|a|?a=b|HTTP/1.1|200|4|100%"]


def test_stdout(top):
    with serve(top, "stdout", "%r %s") as h:
        h.raw(request("/", "Connection: close"))
        wait_for(lambda: "GET / HTTP/1.1 200\n" in h.stderr())  # the test joins 1 and 2


def test_unix_datagram(top):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(str(top / "log" / "socket"))
    (top / "log" / "socket").chmod(0o666)
    s.settimeout(5)
    with serve(top, f"unix:{top}/log/socket", "%r %s") as h:
        h.raw(request("/", "Connection: close"))
        assert s.recv(1000) == b"GET / HTTP/1.1 200"


def own_dev(dev):
    """In the child: a /dev of its own, in which there is null and what the test put there."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x00020000) == 0  # CLONE_NEWNS
    (dev / "null").touch()
    for argv in (["--make-rprivate", "/"], ["--bind", "/dev/null", dev / "null"],
                 ["--rbind", dev, "/dev"]):
        subprocess.run(["mount", *argv], check=True)
    httpd.drop_all()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a /dev of its own")
def test_syslog(top):
    """RFC 3164's form, as syslog(3) would send it, to whoever has /dev/log; again after SIGUSR1."""
    def listen():
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(str(top / "dev" / "log"))
        (top / "dev" / "log").chmod(0o666)
        s.settimeout(5)
        return s
    (top / "dev").mkdir()
    with listen() as first, serve(top, "syslog", "%r %s", drop=lambda: own_dev(top / "dev")) as h:
        h.wait_ready()
        h.raw(request("/", "Connection: close"))
        assert re.fullmatch(rb"<134>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d sallyport-httpd\[\d+\]: "
                            rb"GET / HTTP/1\.1 200", first.recv(1000))
        first.close()  # the daemon is restarted
        (top / "dev" / "log").unlink()
        h.raw(request("/lost", "Connection: close"))
        with listen() as second:
            os.kill(h.pid, signal.SIGUSR1)
            end = time.monotonic() + 5
            second.setblocking(False)
            while time.monotonic() < end:
                h.raw(request("/again", "Connection: close"))
                with contextlib.suppress(BlockingIOError):
                    assert b"GET /again" in second.recv(1000)
                    break
            else:
                pytest.fail("nothing after SIGUSR1")


def test_duration_is_of_the_answer_and_not_of_the_connection(top):
    """%D: nothing for what is sent at once, whatever went before; the wait for a slow reader."""
    log = top / "log" / "access"
    with serve(top, log, "%U %D") as h, h.connect() as s:
        time.sleep(0.3)
        s.sendall(request("/big.bin", "User-Agent: slow", "Connection: close"))
        time.sleep(0.5)
        while s.recv(1 << 20):
            pass
        h.raw(request("/", "User-Agent: quick", "Connection: close"))
        took = dict(line.split() for line in lines_of(log, 2))
        assert 400_000 <= int(took["slow"]) < 5_000_000
        assert int(took["quick"]) < 100_000


def test_reopened_on_usr1(top):
    log = top / "log" / "access"
    with serve(top, log, "%U") as h:
        h.raw(request("/", "User-Agent: one", "Connection: close"))
        assert lines_of(log, 1) == ["one"]
        log.rename(top / "log" / "access.1")
        os.kill(h.pid, signal.SIGUSR1)
        wait_for(log.exists)
        h.raw(request("/", "User-Agent: two", "Connection: close"))
        assert lines_of(log, 1) == ["two"]
        assert (top / "log" / "access.1").read_text() == "one\n"


def test_what_a_reader_does_not_take_is_dropped_not_waited_for(top):
    """stdout is a pipe that nobody reads: requests go on, and the drops are counted."""
    r, w = os.pipe()
    admin = httpd.listen_tcp()
    web = httpd.listen_tcp()
    file = top / "httpd.conf"
    file.write_text(f'workers = 1\naccess-log = "fd:9"\nsite "x" {{ root = {top}/site }}\n')

    def give_pipe():
        os.dup2(w, 9)
        os.set_inheritable(9, True)
        httpd.drop_all()

    # closerange() of the helper would close 9, so the descriptor is put in place after it.
    with Httpd("--config", file, sockets=[("http", web), ("admin", admin)], drop=give_pipe,
               keep=[w]) as h:
        h.wait_ready()
        for _ in range(20):
            got = h.raw(request("/", "User-Agent: " + "u" * 500) * 99 + request("/", "Connection: close"))
            assert len(replies(got)) == 100
        time.sleep(0.1)
        with socket.create_connection(admin.getsockname()) as s:
            s.sendall(request("/metrics", "Connection: close"))
            text = httpd.Reply(s.makefile("rb")).body.decode()
        assert int(re.search(r"^sallyport_log_dropped_total (\d+)$", text, re.M).group(1)) > 0
        assert h.stop() == 0
    os.close(r)
    os.close(w)


def test_answer_that_was_cut_says_how_much_was_sent(top):
    log = top / "log" / "access"
    with serve(top, log, "%b") as h:
        with h.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(request("/big.bin"))
            s.recv(1000)
        n = int(lines_of(log, 1)[0])
        assert 0 < n < 20_000_000


def test_a_target_that_cannot_be_opened_stops_the_start(top):
    with serve(top, "/nonexistent/log") as h:
        assert h.wait() == 78
        assert "access log /nonexistent/log" in h.stderr()
