"""The worker's own confinement: tried from inside, and seen from outside."""
import os
import re
import signal
import time

import pytest

import httpd
from httpd import Httpd, replies, request
from test_http_workers import children, wait_for

WHAT = ["read outside", "write", "internet socket", "bind", "executable memory", "other processes",
        "rights", "fork", "exec"]


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"x" * 100)
    (path / "big.html").write_bytes(b"<p>some text that compresses</p>" * 5000)
    return path


def test_everything_that_must_fail_fails(root):
    if httpd.sanitized():
        pytest.skip("sanitizers need calls that the filter forbids")
    with Httpd("--root", root, "--workers", "1", hooks="try") as h:
        wait_for(lambda: "tried everything" in h.stderr())
        for what in WHAT:
            assert f"try {what}: refused" in h.stderr(), h.stderr()
        assert "DONE" not in h.stderr()
        assert not os.path.exists("/tmp/sallyport-must-not-exist")
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200


def test_without_the_sandbox_the_attempts_do_work(root):
    """Else the test above would prove nothing."""
    conf = root / "open.conf"
    conf.write_text(f'workers = 1\nsandbox = no\nsite "x" {{ root = {root} }}\n')
    with Httpd("--config", conf, hooks="try") as h:
        wait_for(lambda: "try fork" in h.stderr())
        for what in ("read outside", "internet socket", "bind", "executable memory", "rights",
                     "fork"):
            assert f"try {what}: DONE" in h.stderr(), h.stderr()
        time.sleep(0.3)
        for leftover in ("/tmp/sallyport-must-not-exist", "/tmp/sallyport-must-not-exist.d"):
            if os.path.isdir(leftover):
                os.rmdir(leftover)
            elif os.path.exists(leftover):
                os.unlink(leftover)
        assert "try exec:" not in h.stderr()  # /bin/true took the place of the worker


def test_status_of_every_process(root):
    if httpd.sanitized():
        pytest.skip("sanitizers need calls that the filter forbids")
    with Httpd("--root", root, "--workers", "2") as h:
        h.wait_ready()
        for pid in [h.pid, *children(h.pid)]:
            status = open(f"/proc/{pid}/status").read()
            assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
            assert re.search(r"^Seccomp:\s+2$", status, re.M)
            assert re.search(r"^CapPrm:\s+0+$", status, re.M)
            assert "Max core file size        0" in open(f"/proc/{pid}/limits").read()
            if os.geteuid() == 0 and httpd.NOBODY:
                assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # not dumpable


def test_what_comes_later_is_served_and_a_new_root_after_a_reload(root):
    """Landlock holds directories, not names: what is new below a root is there at once; another
    directory under a root's name is not the one that was opened."""
    conf = root / "reload.conf"
    conf.write_text(f'workers = 1\nsite "x" {{ root = {root}/www }}\n')
    (root / "www").mkdir()
    with Httpd("--config", conf) as h:
        h.wait_ready()
        (root / "www" / "new").mkdir()
        (root / "www" / "new" / "index.html").write_bytes(b"new")
        assert replies(h.raw(request("/new/", "Connection: close")))[0].body == b"new"
        (root / "www").rename(root / "old")
        (root / "www").mkdir()
        (root / "www" / "index.html").write_bytes(b"another")
        assert replies(h.raw(request("/new/", "Connection: close")))[0].body == b"new"
        assert replies(h.raw(request("/", "Connection: close")))[0].status != 200
        os.kill(h.pid, signal.SIGHUP)
        end = time.monotonic() + 10
        while replies(h.raw(request("/", "Connection: close")))[0].body != b"another":
            assert time.monotonic() < end
            time.sleep(0.05)


def test_every_way_of_serving_works_confined(root):
    """Large, compressed, missing, changed, listed: whatever opens or maps something."""
    with Httpd("--root", root, "--workers", "1") as h:
        lines = ["Accept-Encoding: br", "Connection: close"]
        assert replies(h.raw(request("/big.html", *lines)))[0].get("content-encoding") == "br"
        lines[0] = "Accept-Encoding: gzip"
        assert replies(h.raw(request("/big.html", *lines)))[0].get("content-encoding") == "gzip"
        r = replies(h.raw(request("/big.html", "Range: bytes=0-1,5-6", "Connection: close")))[0]
        assert r.status == 206
        assert replies(h.raw(request("/no", "Connection: close")))[0].status == 404
        time.sleep(1.1)
        assert replies(h.raw(request("/", "Connection: close")))[0].status == 200
        assert h.stop() == 0
        assert "died" not in h.stderr()
