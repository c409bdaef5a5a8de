"""Real servers, with the units as Debian ships them, and servers that know LISTEN_FDS by
themselves; each reached by a real client under `sallyport run`."""

import json

import pytest

from support import debs
from support.box import LAUNCHER, Box, open_or_skip, wait_for

PACKAGES = ("micro-httpd", "tang", "openssh-server", "openssh-client", "rpcbind", "uuid-runtime",
            "lighttpd", "gunicorn", "curl")
SANDBOX_OF_UUIDD = ("ProtectSystem", "ProtectHome", "PrivateDevices", "PrivateUsers",
                    "ProtectKernelTunables", "ProtectKernelModules", "ProtectControlGroups",
                    "MemoryDenyWriteExecute", "ReadWritePaths", "SystemCallFilter")
PAGE = "<h1>served</h1>\n"


@pytest.fixture(scope="module")
def box():
    names = debs.fetch(*PACKAGES)
    with open_or_skip(lambda: Box(binds=debs.binds())) as opened:
        debs.install(opened, names)
        opened.write("/var/www/html/index.html", PAGE)
        yield opened


def get(box, path, port=80, host="127.0.0.1"):
    return box.run(["curl", "-sS", "-m", "5", f"http://{host}:{port}{path}"]).stdout


def run_if_done(box, *units, args=(), **kw):
    """A launcher; or its own words about what it does not do yet, as the reason to fail."""
    if not kw.get("units"):
        r = box.run([LAUNCHER, "check", *args, *units], check=False)
        why = [x for x in r.stdout.splitlines() if "refused" in x and "not" in x and "yet" in x]
        if why:
            pytest.xfail(why[0])
    return box.launcher(*units, args=args, **kw)


def test_micro_httpd(box):
    """Accept=yes, inetd style."""
    with run_if_done(box, "micro-httpd.socket"):
        for _ in range(3):
            assert get(box, "/") == PAGE


def test_tang(box):
    """Accept=yes, as its own user, state in /var/lib/tang."""
    with run_if_done(box, "tangd.socket"):
        wait_for(lambda: "payload" in get(box, "/adv"), text="an advertisement")
        assert json.loads(get(box, "/adv"))["payload"]


def test_openssh_is_refused_as_it_runs_as_root(box):
    r = box.run([LAUNCHER, "run", "ssh.socket"], check=False)
    assert r.returncode != 0
    assert "root" in r.stderr and "--allow-root-services" in r.stderr, r.stderr


def test_openssh_with_explicit_permission(box):
    box.run(["sh", "-c", "echo 'svc:*:19000:0:99999:7:::' >> /etc/shadow; mkdir -p /home/svc/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/key"
             " && cp /root/key.pub /home/svc/.ssh/authorized_keys && chown -R svc /home/svc"])
    with run_if_done(box, "ssh.socket", args=["--allow-root-services"]):
        r = box.run(["ssh", "-q", "-i", "/root/key", "-o", "StrictHostKeyChecking=no", "-o",
                     "BatchMode=yes", "svc@127.0.0.1", "id -un; cat /proc/self/status"])
        assert r.stdout.startswith("svc\n")


def test_rpcbind(box):
    """Five sockets in one unit."""
    with run_if_done(box, "rpcbind.socket", args=["--allow-root-services"]):
        out = box.run(["rpcinfo", "-p", "127.0.0.1"]).stdout
        assert "portmapper" in out
        out = box.run(["rpcinfo", "-T", "udp", "127.0.0.1", "100000"], check=False).stdout
        assert "ready and waiting" in out


def test_uuidd(box):
    """Its sandbox is not enforced yet, and accepted by name."""
    args = [x for name in SANDBOX_OF_UUIDD for x in ("--unenforced", name)]
    with run_if_done(box, "uuidd.socket", args=args) as run:
        out = box.run(["uuidd", "--random", "--uuids", "3"]).stdout
        assert "List of UUIDs" in out or out.count("-") >= 4, out
        pid, line = next((p, x) for p, x in run.services() if "uuidd" in x)
        assert "--socket-activation" in line
        uid = box.run(["stat", "-c", "%U", f"/proc/{box.inside_pid(pid)}"]).stdout.strip()
        assert uid == "uuidd"


LIGHTTPD = """\
server.document-root = "/var/www/html"
server.systemd-socket-activation = "enable"
index-file.names = ( "index.html" )
"""


def test_lighttpd(box):
    box.write("/etc/lighttpd/activated.conf", LIGHTTPD)
    units = {"lighty.socket": "[Socket]\nListenStream=80\nListenStream=127.0.0.1:8080\n"
                              "BindIPv6Only=ipv6-only\n",
             "lighty.service": "[Service]\nUser=www-data\n"
                               "ExecStart=/usr/sbin/lighttpd -D -f /etc/lighttpd/activated.conf\n"}
    with run_if_done(box, "lighty.socket", units=units):
        assert get(box, "/", host="[::1]") == PAGE
        assert get(box, "/", 8080) == PAGE


WSGI = """\
def app(environ, start_response):
    import os
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getuid()} {environ['SERVER_PORT']}".encode()]
"""


def test_gunicorn(box):
    box.write("/opt/wsgi/site_app.py", WSGI)
    units = {"g.socket": "[Socket]\nListenStream=127.0.0.1:80\n",
             "g.service": "[Service]\nType=notify\nUser=www-data\nWorkingDirectory=/opt/wsgi\n"
                          "NotifyAccess=all\nEnvironment=PYTHONDONTWRITEBYTECODE=1\n"
                          "ExecStart=/usr/bin/gunicorn --worker-tmp-dir /dev/shm site_app:app\n"}
    with run_if_done(box, "g.socket", units=units):
        assert get(box, "/") == "33 80"


SOCKETSERVER = """\
import http.server, os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
server = http.server.HTTPServer(("", 0), http.server.SimpleHTTPRequestHandler, False)
server.socket = socket.socket(fileno=3)
server.serve_forever()
"""


def test_python_socketserver(box):
    box.write("/opt/py/server.py", SOCKETSERVER)
    units = {"py.socket": "[Socket]\nListenStream=127.0.0.1:80\n",
             "py.service": "[Service]\nUser=www-data\nWorkingDirectory=/var/www/html\n"
                           "ExecStart=/usr/bin/python3 /opt/py/server.py\n"}
    with run_if_done(box, "py.socket", units=units):
        assert get(box, "/index.html") == PAGE


