"""What the benchmarks need to be believed: their client at a fixed rate, and the file they write."""
import re
import subprocess
import sys
import time

import httpd
from httpd import BUILD, SOURCE, Httpd

sys.path.insert(0, str(SOURCE / "tests/bench"))

import report  # noqa: E402


def load(*args):
    return subprocess.run([BUILD / "tests/bench_http_load", *map(str, args)], capture_output=True,
                          text=True, check=True, timeout=60).stdout


def counts(*args):
    return map(int, re.fullmatch(r"(\d+) requests, (\d+) bad\n", load(*args)).groups())


def test_load_tells_errors_from_answers():
    root = httpd.world_readable_dir()
    (root / "1k7").write_bytes(b"x" * 1024)
    with Httpd("--root", root, "--workers", "1") as h:
        h.wait_ready()
        done, bad = counts("-t", 1, "-c", h.port, "/1k#", 8, 0.5)
        assert done > 20 and done / 2 < bad < done  # nine digits of ten are 404
        done, bad = counts("-H", "Range: bytes=1-2", h.port, "/1k7", 8, 0.5)
        assert done > 20 and bad == 0


def test_load_keeps_its_rate():
    root = httpd.world_readable_dir()
    (root / "1k").write_bytes(b"x" * 1024)
    with Httpd("--root", root, "--workers", "1") as h:
        h.wait_ready()
        began = time.monotonic()
        out = load("-r", "500", h.port, "/1k", 8, 1)
        assert time.monotonic() - began > 0.99
        found = re.fullmatch(r"500 requests, 0 bad, p50 (\d+) p99 (\d+) p99\.9 (\d+) us\n", out)
        p50, p99, p999 = map(int, found.groups())
        assert p50 <= p99 <= p999


def test_each_benchmark_writes_its_own_section(tmp_path):
    path = tmp_path / "PERFORMANCE.md"
    report.write(path, "one", "One", "first")
    report.write(path, "two", "Two", "second")
    report.write(path, "one", "One", "third")
    text = path.read_text()
    assert "first" not in text and text.index("third") < text.index("second")
    assert text.startswith(report.HEAD)


def test_a_bar_is_met_or_it_is_not():
    values = {"ours": 8.0, "a": 10.0, "b": 20.0, "floor": 7.0}
    good = report.Row("x", values).to_best(0.88, ["a", "b"]).to("floor", 1.15)
    bad = report.Row("x", values).to_best(0.7, ["a", "b"])
    more = report.Row("x", values, more=True).to_best(1.5, ["a", "b"])
    assert good.met() and not bad.met() and not more.met()
    lines = report.table([good, bad]).splitlines()
    assert lines[0] == "|  | ours | a | b | floor | bar | met |"
    assert lines[2].endswith("| 0.80 of a, at most 0.88; 1.14 of floor, at most 1.15 | yes |")
    assert lines[3].endswith("| **no** |")
