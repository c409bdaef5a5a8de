"""Ranges and conditions over the wire."""
import email
import time

import pytest

import httpd
from httpd import Httpd, replies, request

SMALL = bytes(range(100))
BIG = bytes(i * 7 % 251 for i in range(300_000))


@pytest.fixture(scope="module")
def server():
    path = httpd.world_readable_dir()
    (path / "small.bin").write_bytes(SMALL)
    (path / "big.bin").write_bytes(BIG)
    (path / "empty.bin").write_bytes(b"")
    time.sleep(1.1)  # a date is a strong validator only once the second has passed
    with Httpd("--root", path) as h:
        yield h


def get(server, target, *lines, method="GET"):
    got = server.raw(request(target, *lines, "Connection: close", method=method))
    return replies(got, [method])[0]


@pytest.mark.parametrize("target,data", [("/small.bin", SMALL), ("/big.bin", BIG)])
@pytest.mark.parametrize("spec,first,last", [
    ("0-0", 0, 0), ("0-9", 0, 9), ("50-", 50, None), ("-1", -1, None), ("-99999999", 0, None),
    ("0-99999999", 0, None), ("10-10", 10, 10),
])
def test_single_range(server, target, data, spec, first, last):
    r = get(server, target, f"Range: bytes={spec}")
    begin = first if first >= 0 else len(data) + first
    end = len(data) - 1 if last is None else last
    assert (r.status, r.body) == (206, data[begin:end + 1])
    assert r.get("content-range") == f"bytes {begin}-{end}/{len(data)}"


@pytest.mark.parametrize("target,data", [("/small.bin", SMALL), ("/big.bin", BIG)])
def test_multiple_ranges(server, target, data):
    r = get(server, target, "Range: bytes=10-19, 0-0, -5")
    assert r.status == 206
    kind = r.get("content-type")
    assert kind.startswith("multipart/byteranges; boundary=")
    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + r.body)
    n = len(data)
    want = [(10, 19), (0, 0), (n - 5, n - 1)]
    parts = message.get_payload()
    assert [p["Content-Range"] for p in parts] == [f"bytes {a}-{b}/{n}" for a, b in want]
    for part, (a, b) in zip(parts, want):
        assert part["Content-Type"] == "application/octet-stream"
        assert data[a:b + 1] in r.body


def test_overlapping_ranges_are_merged(server):
    r = get(server, "/small.bin", "Range: bytes=0-10,5-20,21-30")
    assert (r.status, r.body) == (206, SMALL[:31])


@pytest.mark.parametrize("lines,status", [
    (["Range: bytes=100-"], 416), (["Range: bytes=-0"], 416), (["Range: bytes=5-2"], 200),
    (["Range: lines=1-2"], 200), (["Range: bytes=0-1," + ",".join(f"{i}-{i}" for i in range(3, 90, 2))], 200),
    (["Range: bytes=0-1", "If-Range: \"no\""], 200),
    (["Range: bytes=0-1", "If-None-Match: *"], 304), (["If-Match: \"no\""], 412),
    (["If-Match: \"no\"", "Range: bytes=0-1"], 412),
    (["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], 412),
    (["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], 200),
    (["If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"], 304),
])
def test_range_and_condition_status(server, lines, status):
    r = get(server, "/small.bin", *lines)
    assert r.status == status
    if status == 416:
        assert r.get("content-range") == "bytes */100"
    if status == 200:
        assert r.body == SMALL


def test_if_range_by_etag_and_date(server):
    r = get(server, "/small.bin")
    for validator in (r.get("etag"), r.get("last-modified")):
        assert get(server, "/small.bin", "Range: bytes=1-2", f"If-Range: {validator}").status == 206


def test_empty_file_has_no_range(server):
    assert get(server, "/empty.bin", "Range: bytes=0-").status == 416
    assert get(server, "/empty.bin").status == 200


def test_head_ignores_range(server):
    r = get(server, "/small.bin", "Range: bytes=0-1", method="HEAD")
    assert (r.status, r.get("content-length")) == (200, "100")


def test_curl_resumes(server, tmp_path):
    import subprocess
    out = tmp_path / "big"
    out.write_bytes(BIG[:1234])
    subprocess.run(["curl", "-sS", "--fail", "-C", "-", "-o", out,
                    f"http://127.0.0.1:{server.port}/big.bin"], check=True, timeout=20)
    assert out.read_bytes() == BIG
