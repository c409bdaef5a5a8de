"""Pages of users: /~name/ by the server's own rights, and POSIX ACLs that give it just those.

The user database and the homes are made up, in a mount namespace of the server's own.
"""
import ctypes
import os
import shutil
import subprocess

import pytest

import httpd
from httpd import NOBODY, Httpd, replies, request

if os.geteuid() != 0:
    pytest.skip("needs root to make up users", allow_module_level=True)

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
JO, AL, SYS = 41001, 41002, 201


@pytest.fixture(scope="module")
def top():
    path = httpd.world_readable_dir()
    for name in ("jo", "al", "sys", "nopages"):
        home = path / "home" / name
        home.mkdir(parents=True)
        if name != "nopages":
            (home / "public_html").mkdir()
            (home / "public_html" / "index.html").write_text(f"pages of {name}")
            (home / "public_html" / "private.txt").write_text("mine")
            (home / "secret").write_text("not for the public")
            (home / "public_html" / "out").symlink_to("../secret")
    uids = {"jo": JO, "al": AL, "sys": SYS, "nopages": 41003}
    for name, uid in uids.items():
        subprocess.run(["chown", "-R", f"{uid}:{uid}", path / "home" / name], check=True)
        (path / "home" / name).chmod(0o711)
    (path / "home" / "jo" / "public_html" / "private.txt").chmod(0o600)
    (path / "passwd").write_text(
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n" +
        "".join(f"{n}:x:{u}:{u}::{path}/home/{n}:/bin/sh\n" for n, u in uids.items()))
    (path / "passwd").chmod(0o644)
    (path / "site").mkdir()
    (path / "site" / "index.html").write_text("the site")
    return path


def serve(top, users="yes", more=""):
    conf = top / "httpd.conf"
    conf.write_text(f'workers = 1\nsite "x" {{ root = {top}/site users = {users} {more} }}\n')

    def own_users():
        assert libc.unshare(CLONE_NEWNS) == 0
        assert libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0
        assert libc.mount(bytes(top / "passwd"), b"/etc/passwd", None, MS_BIND, None) == 0
        httpd.drop_all()
    return Httpd("--config", conf, drop=own_users)


def get(server, target):
    return replies(server.raw(request(target, "Connection: close")))[0]


def test_pages_of_users(top):
    with serve(top) as h:
        assert get(h, "/~jo/").body == b"pages of jo"
        assert get(h, "/~al/index.html").body == b"pages of al"
        r = get(h, "/~jo")
        assert (r.status, r.get("location")) == (301, "/~jo/")
        assert get(h, "/").body == b"the site"


def test_another_directory(top):
    web = top / "home" / "al" / "web"
    web.mkdir()
    (web / "index.html").write_text("web of al")
    with serve(top, more="users-dir = web") as h:
        assert get(h, "/~al/").body == b"web of al"
        assert get(h, "/~jo/").status == 404


@pytest.mark.parametrize("target,status", [
    ("/~nobody/", 404), ("/~root/", 404), ("/~sys/", 404), ("/~nopages/", 404), ("/~/", 404),
    ("/~", 404), ("/~joe/", 404), ("/~j/", 404), ("/~jo/private.txt", 403), ("/~jo/out", 403),
    ("/~jo/../secret", 404), ("/~jo/%2e%2e/%2e%2e/etc/passwd", 400), ("/~jo/..%2fsecret", 404),
    ("/%7Ejo/", 200), ("/~jo/../~al/", 200),
])
def test_nothing_else(top, target, status):
    with serve(top) as h:
        r = get(h, target)
        assert r.status == status
        assert b"not for the public" not in r.body and b"mine" not in r.body


def test_off_by_default(top):
    with serve(top, "no") as h:
        assert get(h, "/~jo/").status == 404


def readable_by(uid, path):
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            open(path).close()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_acl_for_the_server_and_nobody_else(top):
    """What docs/man/sallyport-httpd.conf.5 tells users to do."""
    if not shutil.which("setfacl"):
        pytest.skip("setfacl is not installed")
    home, page = top / "home" / "jo", top / "home" / "jo" / "public_html" / "index.html"
    home.chmod(0o700)
    with serve(top) as h:
        assert get(h, "/~jo/").status == 404
    if subprocess.run(["setfacl", "-m", f"u:{NOBODY}:x", home], capture_output=True).returncode:
        pytest.skip("no ACLs on this file system")
    subprocess.run(["setfacl", "-R", "-m", f"u:{NOBODY}:rX", home / "public_html"], check=True)
    with serve(top) as h:
        assert get(h, "/~jo/").body == b"pages of jo"
        assert get(h, "/~jo/out").status == 403
    assert not readable_by(AL, page) and readable_by(NOBODY, page)
    assert not readable_by(NOBODY, home / "secret") or (home / "secret").stat().st_mode & 4
    subprocess.run(["setfacl", "-R", "-b", home], check=True)
    home.chmod(0o711)
