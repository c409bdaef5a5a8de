"""Requests and answers over real sockets: raw bytes, curl, http.client, node."""
import email.utils
import http.client
import json
import shutil
import subprocess
import time

import pytest

import httpd
from httpd import Httpd, replies, request

SMALL = b"<!doctype html><title>t</title><p>hello"
BIG = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(SMALL)
    (path / "empty.txt").write_bytes(b"")
    (path / "big.bin").write_bytes(BIG)
    (path / "style.css").write_bytes(b"a{}")
    (path / "with space & \xe9.txt").write_bytes(b"odd name")
    (path / "sub").mkdir()
    (path / "sub" / "index.html").write_bytes(b"sub")
    (path / "bare").mkdir()
    (path / ".git").mkdir()
    (path / ".git" / "config").write_bytes(b"secret")
    (path / ".well-known").mkdir()
    (path / ".well-known" / "security.txt").write_bytes(b"Contact: x")
    (path / "private.txt").write_bytes(b"x")
    (path / "private.txt").chmod(0o600)
    return path


@pytest.fixture(scope="module")
def server(root):
    with Httpd("--root", root) as h:
        yield h


def one(server, *args, **kwargs):
    got = server.raw(request(*args, **kwargs))
    head = kwargs.get("method") == "HEAD"
    return replies(got, ["HEAD"] if head else None)[0]


def test_a_page_with_all_its_fields(server):
    r = one(server, "/", "Connection: close")
    assert (r.status, r.body) == (200, SMALL)
    assert r.get("content-type") == "text/html; charset=utf-8"
    assert r.get("content-length") == str(len(SMALL))
    assert r.get("etag").startswith('"')
    now = time.time()
    date = email.utils.parsedate_to_datetime(r.get("date")).timestamp()
    assert abs(date - now) < 3
    assert email.utils.parsedate_to_datetime(r.get("last-modified")).timestamp() <= now
    assert r.get("connection") == "close"


@pytest.mark.parametrize("target,status", [
    ("/", 200), ("/index.html", 200), ("/empty.txt", 200), ("/big.bin", 200), ("/sub/", 200),
    ("/sub", 301), ("/nothing", 404), ("/index.html/", 404), ("/bare/", 403), ("/bare", 301),
    ("/.git/config", 404), ("/.well-known/security.txt", 200),
    ("/with%20space%20%26%20%C3%A9.txt", 200), ("/%69ndex.html", 200), ("//index.html", 200),
    ("/./sub/../index.html", 200), ("/..", 400), ("/sub/../..", 400), ("/%", 400), ("/%0", 400),
    ("/%00", 400), ("/a%2fb", 404), ("/a\\b", 400), ("http://a/", 200), ("/?q=%", 200),
])
def test_status_of_target(server, target, status):
    assert one(server, target, "Connection: close").status == status


def test_unreadable_file_is_403(server):
    import os
    if os.geteuid() != 0:
        pytest.skip("as its owner the server may read it")
    assert one(server, "/private.txt", "Connection: close").status == 403


def test_redirect_keeps_the_query(server):
    assert one(server, "/sub?x=1", "Connection: close").get("location") == "/sub/?x=1"


@pytest.mark.parametrize("target", ["/", "/big.bin", "/nothing", "/sub", "/bare/"])
def test_head_is_get_without_the_body(server, target):
    get, head = one(server, target, "Connection: close"), \
        one(server, target, "Connection: close", method="HEAD")
    assert head.body == b""
    assert [f for f in get.fields if f[0] != "date"] == [f for f in head.fields if f[0] != "date"]
    assert get.status == head.status


@pytest.mark.parametrize("method,status", [
    ("POST", 405), ("PUT", 405), ("DELETE", 405), ("PATCH", 405), ("TRACE", 405), ("BREW", 501),
    ("get", 501),
])
def test_other_methods(server, method, status):
    r = one(server, "/", "Connection: close", method=method)
    assert r.status == status
    assert (r.get("allow") is not None) == (status == 405)


@pytest.mark.parametrize("data,status", [
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
])
def test_refused_and_closed(server, data, status):
    """The bytes behind a refused request are not another request."""
    got = server.raw(data + request("/smuggled"))
    all_replies = replies(got)
    assert [r.status for r in all_replies] == [status]
    assert all_replies[0].get("connection") == "close"


def test_keep_alive_and_pipelining(server):
    targets = ["/", "/big.bin", "/nothing", "/empty.txt", "/sub/", "/style.css"] * 5
    got = server.raw(b"".join(request(t) for t in targets[:-1]) +
                     request(targets[-1], "Connection: close"))
    rs = replies(got)
    assert [r.status for r in rs] == [200, 200, 404, 200, 200, 200] * 5
    assert rs[1].body == BIG
    assert all(r.get("connection") is None for r in rs[:-1])


def test_pipeline_of_thousands_in_one_write(server):
    got = server.raw(request("/") * 2999 + request("/", "Connection: close"))
    assert [r.body for r in replies(got)] == [SMALL] * 3000


def test_bodies_are_skipped_and_the_connection_survives(server):
    chunked = b"5;x=\"a\"\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n"
    got = server.raw(
        request("/", "Content-Length: 7", method="POST") + b"GET / HT" +
        request("/", "Transfer-Encoding: chunked", method="POST") + chunked +
        request("/", "Content-Length: 3") + b"abc" +
        request("/", "Connection: close"))
    # The sized body above is 7 bytes long: the eighth, "T", begins the next method, "TPOST".
    assert [r.status for r in replies(got)] == [405, 501, 200, 200]
    got = server.raw(
        request("/", "Content-Length: 8", method="POST") + b"GET / HT" +
        request("/", "Transfer-Encoding: chunked", method="POST") + chunked +
        request("/", "Content-Length: 3") + b"abc" +
        request("/", "Connection: close"))
    assert [r.status for r in replies(got)] == [405, 405, 200, 200]


def test_expect_continue(server):
    with server.connect() as s:
        f = s.makefile("rb")
        s.sendall(request("/", "Content-Length: 5", "Expect: 100-continue"))
        assert httpd.Reply(f).status == 100
        s.sendall(b"hello" + request("/", "Connection: close"))
        assert [httpd.Reply(f).status, httpd.Reply(f).status] == [200, 200]


def test_http_1_0(server):
    r = replies(server.raw(b"GET / HTTP/1.0\r\n\r\n"))
    assert (r[0].status, r[0].get("connection")) == (200, "close")
    r = replies(server.raw(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2))
    assert [x.get("connection") for x in r] == ["keep-alive"] * 2


def test_request_cut_at_every_byte(server):
    data = request("/sub/../style.css", "If-None-Match: \"x\"", "Content-Length: 4") + b"body" + \
        request("/", "Connection: close")
    want = None
    for cut in range(1, len(data)):
        with server.connect() as s:
            s.setsockopt(6, 1, 1)  # TCP_NODELAY: two segments, not one
            s.sendall(data[:cut])
            time.sleep(0.001)
            s.sendall(data[cut:])
            got = b""
            while chunk := s.recv(65536):
                got += chunk
        have = [(r.status, r.body) for r in replies(got)]
        want = want or have
        assert have == want, cut
    assert want == [(200, b"a{}"), (200, SMALL)]


def test_request_byte_by_byte(server):
    with server.connect() as s:
        s.setsockopt(6, 1, 1)
        for byte in request("/style.css", "Connection: close"):
            s.sendall(bytes([byte]))
        assert httpd.Reply(s.makefile("rb")).body == b"a{}"


def test_half_closed_client_gets_its_answer(server):
    with server.connect() as s:
        s.sendall(request("/big.bin"))
        s.shutdown(1)
        assert httpd.Reply(s.makefile("rb")).body == BIG


def test_slow_reader_gets_every_byte(server):
    with server.connect() as s:
        s.setsockopt(1, 8, 65536)  # SO_RCVBUF
        s.sendall(request("/big.bin") * 3 + request("/", "Connection: close"))
        time.sleep(0.3)
        f = s.makefile("rb")
        assert [httpd.Reply(f).body == b for b in (BIG, BIG, BIG, SMALL)] == [True] * 4


def test_not_modified(server):
    etag = one(server, "/", "Connection: close").get("etag")
    r = one(server, "/", f"If-None-Match: \"x\", W/{etag}", "Connection: close")
    assert (r.status, r.body, r.get("etag")) == (304, b"", etag)
    assert r.get("content-length") is None


def test_changed_file_is_served_new_within_two_seconds(server, root):
    path = root / "changing.txt"
    path.write_bytes(b"old")
    assert one(server, "/changing.txt", "Connection: close").body == b"old"
    path.write_bytes(b"new!")
    time.sleep(2)
    assert one(server, "/changing.txt", "Connection: close").body == b"new!"
    path.unlink()
    time.sleep(2)
    assert one(server, "/changing.txt", "Connection: close").status == 404


def test_curl(server, tmp_path):
    url = f"http://127.0.0.1:{server.port}/big.bin"
    out = subprocess.run(["curl", "-sS", "--fail", "-w", "%{http_code} %{num_connects}\n",
                          "-o", tmp_path / "x", url, "-o", tmp_path / "y", url],
                         capture_output=True, text=True, timeout=20)
    assert out.stdout.splitlines() == ["200 1", "200 0"], out.stderr
    assert (tmp_path / "x").read_bytes() == BIG
    assert (tmp_path / "y").read_bytes() == BIG


def test_python_http_client(server):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        c.request("GET", "/", body=iter([b"chunk", b"ed"]), encode_chunked=True,
                  headers={"Transfer-Encoding": "chunked"})
        r = c.getresponse()
        assert (r.status, r.read()) == (200, SMALL)
    c.close()


NODE_CLIENT = """
const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const said = [], ports = new Set();

function ask(method, path, headers, chunks) {
  return new Promise((done, failed) => {
    const r = http.request({ port: process.argv[1], agent, method, path, headers }, (answer) => {
      let bytes = 0;
      ports.add(answer.socket.localPort);
      answer.on('data', (data) => { bytes += data.length; });
      answer.on('end', () => {
        said.push([answer.statusCode, bytes, r.said100 === true]);
        done(answer);
      });
    });
    const send = () => { for (const c of chunks || []) r.write(c); r.end(); };
    r.on('error', failed);
    r.on('continue', () => { r.said100 = true; send(); });
    if (!(headers || {}).Expect)
      send();
  });
}

(async () => {
  const page = await ask('GET', '/');
  await ask('HEAD', '/');
  await ask('GET', '/', { 'If-None-Match': page.headers.etag });
  await ask('GET', '/', { 'Transfer-Encoding': 'chunked' }, ['chunk', 'ed']);
  await ask('GET', '/', { Expect: '100-continue', 'Content-Length': 4 }, ['body']);
  await ask('GET', '/big.bin', { Range: 'bytes=-1000' });
  await ask('GET', '/big.bin');
  await ask('GET', '/nothing', { Connection: 'close' });
  console.log(JSON.stringify([said, ports.size]));
})();
"""


def test_node_http(server):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    out = subprocess.run([node, "-e", NODE_CLIENT, str(server.port)], capture_output=True,
                         text=True, timeout=20)
    assert out.returncode == 0 and out.stdout, out.stderr
    said, connections = json.loads(out.stdout)
    missing = len(one(server, "/nothing", "Connection: close").body)
    assert said == [[200, len(SMALL), False], [200, 0, False], [304, 0, False],
                    [200, len(SMALL), False], [200, len(SMALL), True], [206, 1000, False],
                    [200, len(BIG), False], [404, missing, False]]
    assert connections == 1


@pytest.mark.parametrize("target", ["*", "/", "/nothing"])
def test_options(server, target):
    r = one(server, target, "Connection: close", method="OPTIONS")
    assert (r.status, r.get("allow"), r.body) == (204, "GET, HEAD, OPTIONS", b"")
