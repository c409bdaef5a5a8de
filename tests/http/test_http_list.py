"""Directory listings: what they say, how they sort, and that no name gets out of its place."""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import httpd
from httpd import Httpd, replies, request

NASTY = ["<script>document.title='owned'</script>", '"onmouseover="document.title=1', "a&amp;b",
         "javascript:alert(1)", "%2e%2e", "name with blank", "caf\u00e9 \u65e5\u672c", "\u202egnp.exe", "new\nline", "'", "#x?y",
         "</a></table>"]


@pytest.fixture(scope="module")
def top():
    path = httpd.world_readable_dir()
    site = path / "site"
    (site / "files").mkdir(parents=True)
    for i, name in enumerate(["b.txt", "a.txt", "c.bin"]):
        (site / "files" / name).write_bytes(b"x" * (1000 * (3 - i) ** 5))
        os.utime(site / "files" / name, (1_700_000_000 + i, 1_700_000_000 + i))
    (site / "files" / "sub").mkdir()
    (site / "files" / ".hidden").write_bytes(b"")
    (site / "files" / "out").symlink_to("/etc/passwd")
    (site / "files" / "in").symlink_to("a.txt")
    os.mkfifo(site / "files" / "fifo")
    (site / "nasty").mkdir()
    for name in NASTY:
        if "/" not in name:
            (site / "nasty" / name).write_bytes(name.encode())
    (site / "nasty" / os.fsdecode(b"bytes\xff\xfe")).write_bytes(b"")
    (site / "nasty" / "<b>").mkdir()
    (site / "many").mkdir()
    for i in range(10050):
        (site / "many" / f"{i:05}").touch()
    return path


@pytest.fixture(scope="module")
def server(top):
    conf = top / "httpd.conf"
    conf.write_text(f'workers = 1\nsite "x" {{ root = {top}/site autoindex = yes\n'
                    f'route "/no" {{ alias = {top}/site/files autoindex = no }} }}\n')
    with Httpd("--config", conf) as h:
        h.wait_ready()
        yield h


def get(server, target, *lines):
    return replies(server.raw(request(target, *lines, "Connection: close")))[0]


def names(page):
    return [html.unescape(n) for n in re.findall(r"<bdi>(.*?)</bdi>", page.split("<tbody>")[1], re.S)]


def test_page(server):
    r = get(server, "/files/")
    page = r.body.decode()
    assert r.get("content-type") == "text/html; charset=utf-8"
    assert names(page) == ["sub", "a.txt", "b.txt", "c.bin", "in"]
    assert 'href="../"' in page and "2023-11-14 22:13" in page
    assert "237 K" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page


@pytest.mark.parametrize("query,want", [
    ("?sort=size&order=asc", ["c.bin", "a.txt", "in", "b.txt"]),
    ("?sort=size&order=desc", ["b.txt", "in", "a.txt", "c.bin"]),
    ("?sort=time&order=desc", ["c.bin", "in", "a.txt", "b.txt"]),
    ("?order=desc", ["in", "c.bin", "b.txt", "a.txt"]), ("?sort=rubbish", ["a.txt", "b.txt", "c.bin", "in"]),
])
def test_sorting(server, query, want):
    got = names(get(server, "/files/" + query).body.decode())
    assert [n for n in got if n != "sub"] == want
    assert got[0] == "sub" or query.endswith("desc")


@pytest.mark.parametrize("target,lines", [
    ("/files/?format=json", []), ("/files/", ["Accept: application/json"]),
])
def test_json(server, target, lines):
    r = get(server, target, *lines)
    d = json.loads(r.body)
    assert (d["path"], d["complete"]) == ("/files/", True)
    assert [e["name"] for e in d["entries"]] == ["sub", "a.txt", "b.txt", "c.bin", "in"]
    assert d["entries"][1] == {"name": "a.txt", "type": "file", "size": 32000,
                               "modified": "2023-11-14T22:13:21Z"}
    assert "size" not in d["entries"][0]


def test_off_is_403_and_redirect_first(server):
    assert get(server, "/no/").status == 403
    assert get(server, "/files").status == 301


def test_every_link_leads_to_its_file(server):
    page = get(server, "/nasty/").body.decode(errors="surrogateescape")
    links = re.findall(r'<tr><td><a href="([^"]*)"><bdi>', page)
    assert len(links) == len([n for n in NASTY if "/" not in n]) + 2
    for link in links:
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", link)
        if not link.endswith("/") and "%FF" not in link:
            name = get(server, "/nasty/" + link).body.decode()
            assert name in NASTY


def test_names_are_text(server):
    body = get(server, "/nasty/").body
    for bad in (b"<script", b"<b>", b'"onmouse', b"</a></table>"):
        assert bad not in body
    d = json.loads(get(server, "/nasty/?format=json").body)
    assert "new\nline" in [e["name"] for e in d["entries"]]


def test_very_many(server):
    r = get(server, "/many/")
    assert r.body.count(b"<tr><td>") == 10001  # and the way up
    assert b"10000 of more entries" in r.body


def chromium():
    path = shutil.which("chromium")
    if not path:
        pytest.skip("chromium is not installed")
    return [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]


def test_chromium_runs_nothing_and_shows_all(server, tmp_path):
    out = subprocess.run([*chromium(), f"--user-data-dir={tmp_path}/profile", "--dump-dom",
                          f"http://127.0.0.1:{server.port}/nasty/"], capture_output=True, timeout=60)
    dom = out.stdout.decode(errors="replace")
    assert "<title>/nasty/</title>" in dom, out.stderr.decode(errors="replace")[-500:]
    assert dom.count("<bdi>") == len([n for n in NASTY if "/" not in n]) + 3
    assert "<script" not in dom


@pytest.mark.parametrize("name,size,flags", [
    ("desk", "1000,700", []), ("phone", "390,700", []), ("dark", "1000,700", ["--force-dark-mode"]),
])
def test_screenshots(server, tmp_path, name, size, flags):
    """Kept when SALLYPORT_SCREENSHOTS names a folder, for somebody to look at."""
    where = pathlib.Path(os.environ.get("SALLYPORT_SCREENSHOTS", tmp_path))
    picture = where / f"listing-{name}.png"
    subprocess.run([*chromium(), *flags, f"--user-data-dir={tmp_path}/profile", f"--window-size={size}",
                    f"--screenshot={picture}", f"http://127.0.0.1:{server.port}/files/"],
                   capture_output=True, timeout=60, check=True)
    assert picture.stat().st_size > 3000
