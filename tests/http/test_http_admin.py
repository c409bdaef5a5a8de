"""Metrics and health on the admin socket."""
import json
import os
import re
import signal
import socket

import pytest

import httpd
from httpd import Httpd, Reply, request
from test_http_workers import children, wait_for


@pytest.fixture(scope="module")
def root():
    path = httpd.world_readable_dir()
    (path / "index.html").write_bytes(b"page")
    (path / "metrics").write_bytes(b"a file of the site")
    return path


class Both:
    def __init__(self, root, workers=2):
        self.web, self.admin = httpd.listen_tcp(), httpd.listen_tcp()
        self.h = Httpd("--root", root, "--workers", str(workers),
                       sockets=[("http", self.web), ("admin", self.admin)])
        self.h.wait_ready()

    def get(self, where, target, method="GET"):
        with socket.create_connection(where.getsockname(), timeout=10) as s:
            s.sendall(request(target, "Connection: close", method=method))
            return Reply(s.makefile("rb"), method == "HEAD")

    def figures(self):
        text = self.get(self.admin, "/metrics").body.decode()
        return {k: float(v) for k, v in re.findall(r"^(sallyport_\S+) (\S+)$", text, re.M)}


@pytest.fixture
def both(root):
    b = Both(root)
    with b.h:
        yield b


def test_the_sum_over_all_workers_and_the_dead(both):
    for _ in range(30):
        both.get(both.web, "/")
    both.get(both.web, "/nothing")
    f = both.figures()
    assert f['sallyport_answers_total{code="404"}'] == 1
    before = f['sallyport_answers_total{code="200"}']
    assert before >= 30
    victim = children(both.h.pid)[0]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(children(both.h.pid)) == 2 and victim not in children(both.h.pid))
    f = both.figures()
    assert f['sallyport_answers_total{code="200"}'] >= before
    assert f["sallyport_worker_deaths_total"] == 1
    assert f["sallyport_workers"] == 2


def test_prometheus_text_is_well_formed(both):
    both.get(both.web, "/")
    r = both.get(both.admin, "/metrics")
    assert r.get("content-type").startswith("text/plain; version=0.0.4")
    typed, seen = set(), []
    for line in r.body.decode().splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in typed
            typed.add(name)
        elif not line.startswith("#"):
            m = re.match(r'^([a-z_]+)(\{[a-z]+="[^"]*"\})? \S+$', line)
            assert m, line
            base = re.sub(r"_(bucket|sum|count)$", "", m.group(1))
            assert m.group(1) in typed or base in typed, line
            seen.append(m.group(1) + (m.group(2) or ""))
    assert len(seen) == len(set(seen)) > 40


def test_json_has_the_same(both):
    both.get(both.web, "/")
    r = both.get(both.admin, "/status")
    d = json.loads(r.body)
    assert d["ready"] is True and d["workers"] == 2 and d["answers"]["200"] >= 1


def test_health(both):
    assert both.get(both.admin, "/healthz").body == b"ok\n"
    assert both.get(both.admin, "/readyz").status == 200
    assert both.get(both.admin, "/").status == 404
    assert both.get(both.admin, "/metrics", method="POST").status == 405
    assert both.get(both.admin, "/metrics", method="HEAD").body == b""


def test_the_site_does_not_show_them(both):
    assert both.get(both.web, "/metrics").body == b"a file of the site"
    assert both.get(both.web, "/healthz").status == 404
