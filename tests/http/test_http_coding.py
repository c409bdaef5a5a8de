"""Content codings: neighbours on the disk, and what is compressed on the way."""
import gzip
import os
import subprocess
import time

import pytest

import httpd
from httpd import Httpd, replies, request

TEXT = b"all work and no play makes jack a dull boy\n" * 100
LARGE = TEXT * 100
PAGE = b"<p>" + TEXT


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "plain.txt").write_bytes(TEXT)
    (path / "large.txt").write_bytes(LARGE)
    (path / "tiny.txt").write_bytes(b"tiny")
    (path / "random.txt").write_bytes(os.urandom(5000))
    (path / "photo.png").write_bytes(TEXT)
    (path / "page.html").write_bytes(PAGE)
    for suffix in (".br", ".zst", ".gz"):
        (path / ("page.html" + suffix)).write_bytes(b"on the disk" + suffix.encode())
    (path / "stale.html").write_bytes(PAGE)
    (path / "stale.html.gz").write_bytes(b"old")
    os.utime(path / "stale.html.gz", (1, 1))
    return path


@pytest.fixture(scope="module")
def server(root):
    with Httpd("--root", root) as h:
        yield h


def get(server, target, accept=None, *lines):
    more = [f"Accept-Encoding: {accept}"] if accept is not None else []
    return replies(server.raw(request(target, *more, *lines, "Connection: close")))[0]


@pytest.mark.parametrize("accept,coding,body", [
    (None, None, PAGE), ("", None, PAGE), ("identity", None, PAGE),
    ("br, gzip, zstd", "br", b"on the disk.br"), ("gzip", "gzip", b"on the disk.gz"),
    ("zstd", "zstd", b"on the disk.zst"), ("gzip, br;q=0.5", "gzip", b"on the disk.gz"),
    ("gzip;q=0", None, PAGE), ("*", "br", b"on the disk.br"),
    ("br;q=0, *;q=0.3", "zstd", b"on the disk.zst"), ("deflate", None, PAGE),
    ("gzip;q=0.2, identity;q=0.9", None, PAGE),
])
def test_neighbours_on_the_disk(server, accept, coding, body):
    r = get(server, "/page.html", accept)
    assert (r.status, r.get("content-encoding"), r.body) == (200, coding, body)
    assert r.get("content-type") == "text/html; charset=utf-8"
    assert r.get("vary") == "Accept-Encoding"


def test_stale_neighbour_is_not_used(server):
    r = get(server, "/stale.html", "gzip")
    assert gzip.decompress(r.body) == PAGE


@pytest.mark.parametrize("target,data", [("/plain.txt", TEXT), ("/large.txt", LARGE)])
def test_compressed_on_the_way(server, target, data):
    r = get(server, target, "gzip")
    assert r.get("content-encoding") == "gzip"
    assert len(r.body) < len(data) / 10
    assert gzip.decompress(r.body) == data
    plain, again = get(server, target), get(server, target, "gzip")
    assert plain.body == data
    assert (again.body, again.get("etag")) == (r.body, r.get("etag"))
    br = get(server, target, "br, gzip")
    assert br.get("content-encoding") == "br"
    assert len({x.get("etag") for x in (plain, r, br)}) == 3
    assert get(server, target, "gzip", f"If-None-Match: {r.get('etag')}").status == 304
    assert get(server, target, None, f"If-None-Match: {r.get('etag')}").status == 200
    part = get(server, target, "gzip", "Range: bytes=0-9")
    assert (part.status, part.body) == (206, r.body[:10])


def test_brotli_is_brotli(server, tmp_path):
    node = "const z=require('zlib');process.stdin.pipe(z.createBrotliDecompress()).pipe(process.stdout)"
    body = get(server, "/large.txt", "br").body
    try:
        out = subprocess.run(["node", "-e", node], input=body, capture_output=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("node is not installed")
    assert out.stdout == LARGE


@pytest.mark.parametrize("target", ["/tiny.txt", "/random.txt", "/photo.png"])
def test_what_does_not_gain_is_sent_as_it_is(server, target):
    r = get(server, target, "gzip, br")
    assert r.status == 200
    assert r.get("content-encoding") is None


def test_a_new_neighbour_is_found_and_a_removed_one_forgotten(server, root):
    path = root / "later.html"
    path.write_bytes(PAGE)
    assert gzip.decompress(get(server, "/later.html", "gzip").body) == PAGE
    (root / "later.html.gz").write_bytes(b"there now")
    time.sleep(2)
    assert get(server, "/later.html", "gzip").body == b"there now"
    (root / "later.html.gz").unlink()
    time.sleep(2)
    assert gzip.decompress(get(server, "/later.html", "gzip").body) == PAGE


def test_curl_compressed(server):
    out = subprocess.run(["curl", "-sS", "--compressed", f"http://127.0.0.1:{server.port}/plain.txt"],
                         capture_output=True, timeout=20, check=True)
    assert out.stdout == TEXT
