"""The configuration file: what it can say, what it refuses, and what the manual says of it."""
import base64
import email.utils
import re
import socket
import subprocess
import time

import pytest

import httpd
from httpd import Httpd, replies, request

# mkpasswd -m sha512crypt -R 1000: "secret"
HASH = subprocess.run(["openssl", "passwd", "-6", "-salt", "saltsalt", "secret"],
                      capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def top():
    path = httpd.world_readable_dir()
    for name, text in {
        "a/index.html": "site a", "a/deep/page.html": "deep", "a/app/index.html": "the app",
        "a/404.html": "<h1>lost</h1>", "a/img.png": "png", "a/note.txt": "note", "a/x.php": "<?",
        "a/other.htm": "other", "a/.hidden": "hidden", "b/index.html": "site b",
        "static/css/s.css": "a{}", "static/index.html": "static root",
    }.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (path / "a" / "list").mkdir()
    (path / "passwords").write_text(f"# people\njo:{HASH}\n")
    return path


def config_text(top):
    return f"""
# everything at once
workers = 2
request-rate = 0
site "a.example" {{
    names = {{ "a.example", "*.a.example" }}
    root = {top}/a
    headers = {{ "X-Frame-Options: DENY", "X-Site: a" }}
    error-pages = {{ "404=/404.html" }}
    cache = "no-cache"
    cache-types = {{ "image/*: max-age=86400", "text/plain: max-age=5" }}
    route "/static" {{ alias = {top}/static }}
    route "/rooted/" {{ alias = {top}/static/css }}
    route "/old/" {{ redirect = "/new/$rest$query" status = 301 }}
    route "/up" {{ redirect = "https://$host$path$query" }}
    route "=/health" {{ respond = "fine\\n" headers = {{ "X-Own: yes" }} }}
    route "/gone/" {{ status = 410 }}
    route "*.php" {{ status = 403 }}
    route "/app/" {{ try = {{ "$path", "/app/index.html" }} }}
    route "/clean/" {{ alias = {top}/a try = {{ "$path", "$path.htm", "$path/", "=410" }} }}
    route "/private/" {{ alias = {top}/a auth = {top}/passwords auth-realm = "the club" }}
    route "/local/" {{ alias = {top}/a access = {{ "deny 127.0.0.1", "allow all" }} }}
    route "/lan/" {{ alias = {top}/a access = {{ "allow 127.0.0.0/8", "deny all" }} }}
    route "/getonly/" {{ alias = {top}/a methods = {{ "GET" }} }}
    route "/expiring/" {{ alias = {top}/a expires = yes }}
    route "/dots/" {{ alias = {top}/a dotfiles = yes }}
    route "/plain/" {{ alias = {top}/a type = "text/x-all" }}
    route "/htm/" {{ alias = {top}/a index = {{ "none.html", "other.htm" }} }}
}}
site "b.example" {{
    root = {top}/b
}}
"""


@pytest.fixture(scope="module")
def server(top):
    file = top / "httpd.conf"
    file.write_text(config_text(top))
    with Httpd("--config", file) as h:
        h.wait_ready()
        yield h


def get(server, target, *lines, host="a.example", method="GET"):
    got = server.raw(request(target, *lines, "Connection: close", host=host, method=method))
    return replies(got, [method])[0]


@pytest.mark.parametrize("host,body", [
    ("a.example", b"site a"), ("A.EXAMPLE:80", b"site a"), ("x.a.example", b"site a"),
    ("b.example", b"site b"), ("b.example.", b"site b"), ("unknown", b"site a"), ("", b"site a"),
])
def test_virtual_hosts(server, host, body):
    assert get(server, "/", host=host).body == body


@pytest.mark.parametrize("target,status,body", [
    ("/static/css/s.css", 200, b"a{}"), ("/static/", 200, b"static root"),
    ("/static", 301, None), ("/static/../deep/page.html", 200, b"deep"),
    ("/rooted/s.css", 200, b"a{}"), ("/rooted/../../a/note.txt", 400, None),
    ("/health", 200, b"fine\n"), ("/healthy", 404, b"<h1>lost</h1>"),
    ("/gone/x", 410, None), ("/x.php", 403, None), ("/app/some/route", 200, b"the app"),
    ("/clean/other", 200, b"other"), ("/clean/note.txt", 200, b"note"), ("/clean/no", 410, None),
    ("/clean/app", 200, b"the app"), ("/nothing", 404, b"<h1>lost</h1>"),
    ("/.hidden", 404, b"<h1>lost</h1>"), ("/dots/.hidden", 200, b"hidden"),
    ("/htm/", 200, b"other"), ("/lan/note.txt", 200, b"note"), ("/local/note.txt", 403, None),
    ("/local", 404, None), ("//local/note.txt", 403, None), ("/x/../local/note.txt", 403, None),
    ("/%6cocal/note.txt", 403, None),
])
def test_routes(server, target, status, body):
    r = get(server, target)
    assert r.status == status
    assert body is None or r.body == body


def test_redirects(server):
    r = get(server, "/old/a%20b/c?x=1")
    assert (r.status, r.get("location")) == (301, "/new/a%20b/c?x=1")
    r = get(server, "/up/here?q")
    assert (r.status, r.get("location")) == (302, "https://a.example/up/here?q")


def test_redirect_cannot_be_made_to_split(server):
    got = server.raw(request("/old/%0d%0aSet-Cookie:%20x=1", "Connection: close", host="a.example"))
    assert b"\r\nSet-Cookie" not in got
    assert replies(got)[0].get("location") == "/new/%0D%0ASet-Cookie%3A%20x%3D1"


def test_fields_of_a_site_go_to_every_answer(server):
    for target in ("/", "/nothing", "/old/x", "/static/css/s.css"):
        r = get(server, target)
        assert (r.get("x-frame-options"), r.get("x-site")) == ("DENY", "a"), target
    r = get(server, "/health")
    assert (r.get("x-own"), r.get("x-site")) == ("yes", None)  # a route's list replaces


@pytest.mark.parametrize("target,value", [
    ("/img.png", "max-age=86400"), ("/note.txt", "max-age=5"), ("/", "no-cache"),
    ("/nothing", None),
])
def test_cache_control(server, target, value):
    assert get(server, target).get("cache-control") == value


def test_expires_is_what_max_age_says(server):
    r = get(server, "/expiring/img.png")
    dates = [email.utils.parsedate_to_datetime(r.get(n)) for n in ("date", "expires")]
    assert (dates[1] - dates[0]).total_seconds() == 86400
    assert get(server, "/expiring/").get("expires") is None  # no-cache
    assert get(server, "/img.png").get("expires") is None


def test_type_of_a_route(server):
    assert get(server, "/plain/img.png").get("content-type") == "text/x-all"
    assert get(server, "/img.png").get("content-type") == "image/png"


def test_methods_of_a_route(server):
    r = get(server, "/getonly/note.txt", method="HEAD")
    assert (r.status, r.get("allow")) == (405, "GET")


@pytest.mark.parametrize("credentials,status", [
    (None, 401), ("jo:secret", 200), ("jo:wrong", 401), ("jo:", 401), ("jo", 401),
    ("al:secret", 401), ("jo:secret\0", 401), ("\xff", 401),
])
def test_basic_auth(server, credentials, status):
    time.sleep(0.15)  # below the limit on hashing
    lines = []
    if credentials is not None:
        lines = ["Authorization: Basic " + base64.b64encode(credentials.encode("latin-1")).decode()]
    r = get(server, "/private/note.txt", *lines)
    assert r.status == status
    if status == 401:
        assert r.get("www-authenticate") == 'Basic realm="the club", charset="UTF-8"'


def test_wrong_passwords_are_limited_but_known_ones_are_not(server):
    good = "Authorization: Basic " + base64.b64encode(b"jo:secret").decode()
    wrong = "Authorization: Basic " + base64.b64encode(b"jo:nope").decode()
    assert get(server, "/private/note.txt", good).status == 200
    with server.connect() as s:
        f = s.makefile("rb")
        s.sendall(request("/private/note.txt", wrong, host="a.example") * 40)
        seen = [httpd.Reply(f).status for _ in range(40)]
        assert 429 in seen and set(seen) <= {401, 429}
        s.sendall(request("/private/note.txt", good, host="a.example"))
        # Another worker may know her, this one may not yet: at most it asks to come again.
        assert httpd.Reply(f).status in (200, 429)


@pytest.mark.parametrize("text,line,says", [
    ("nonsense = 1\n", 1, "no such option 'nonsense'"),
    ("workers = many\n", 1, "workers = many: want a number or auto"),
    ("\n\nidle-timeout = 5x\n", 3, "want a time, such as 15s"),
    ("cache-bytes = -1\n", 1, "want a size"),
    ("header-bytes = 1G\n", 1, "out of range"),
    ('site "x" {\n  root = /nonexistent\n}\n', 2, "/nonexistent: No such file"),
    ('site "x" {\n  root = relative\n}\n', 2, "want an absolute path"),
    ('site "x" {\n  root = /\n  headers = { "Bad" }\n}\n', 3, "want Name: value"),
    ('site "x" {\n  root = /\n  headers = { "Content-Length: 5" }\n}\n', 3, "not the server's own"),
    ('site "x" {\n  root = /\n  route "/a" {\n    access = { "allow 1.2.3" }\n  }\n}\n', 4,
     "want allow or deny"),
    ('site "x" {\n  root = /\n  route "/a" {\n    sttus = 1\n  }\n}\n', 4, "no such option 'sttus'"),
    ('site "x" {\n  root = /\n  dotfiles = maybe\n}\n', 3, "want yes or no"),
])
def test_errors_name_file_and_line(tmp_path, text, line, says):
    file = tmp_path / "bad.conf"
    file.write_text(text)
    p = subprocess.run([httpd.BUILD / "bin/sallyport-httpd", "--check", "--config", file],
                       capture_output=True, text=True, timeout=10)
    assert p.returncode == 78
    assert f"{file}:{line}: " in p.stderr
    assert says in p.stderr


@pytest.mark.parametrize("text,says", [
    ("", "no site in it"),
    ('site "x" { }\n', "nothing to do"),
    ('site "x" { root = / route "bad" { status = 404 } }\n', "want /prefix"),
    ('site "x" { root = / route "/r" { redirect = "/y" status = 404 } }\n', "redirect with status 404"),
    ('site "x" { root = / }\nsite "y" { root = / names = { "x" } }\n', "belongs to site"),
    ('site "x" { root = / alias = / }\n', "exclude each other"),
])
def test_errors_of_the_whole(tmp_path, text, says):
    file = tmp_path / "bad.conf"
    file.write_text(text)
    p = subprocess.run([httpd.BUILD / "bin/sallyport-httpd", "--check", "--config", file],
                       capture_output=True, text=True, timeout=10)
    assert p.returncode == 78
    assert says in p.stderr


def test_check_accepts_the_good_one(server, top):
    p = subprocess.run([httpd.BUILD / "bin/sallyport-httpd", "--check", "--config",
                        top / "httpd.conf"], capture_output=True, text=True, timeout=10)
    assert (p.returncode, p.stderr) == (0, "")


def help_options():
    text = subprocess.run([httpd.BUILD / "bin/sallyport-httpd", "--help"], capture_output=True,
                          text=True, check=True).stdout
    command_line = re.findall(r"^  --([a-z-]+)", text, re.M)
    in_file = re.findall(r"^  ([a-z][a-z-]+) ", text, re.M)
    assert len(command_line) > 4 and len(in_file) > 40
    return command_line, in_file


def test_the_manual_names_every_option():
    page = (httpd.SOURCE / "docs/man/sallyport-httpd.8").read_text()
    conf = httpd.SOURCE / "docs/man/sallyport-httpd.conf.5"
    command_line, in_file = help_options()
    for name in command_line:
        assert f"Fl Fl {name}" in page, name
    for name in in_file:
        assert re.search(rf"^\.It Ic {name}( |$)", conf.read_text(), re.M), name
