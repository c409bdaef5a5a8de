"""No path, however it is written, leaves the root: with the path check, and without it."""
import os
import socket

import pytest

import httpd
from httpd import Httpd, replies, request

SECRET = b"secret-outside"


@pytest.fixture(scope="module")
def tree():
    top = httpd.world_readable_dir()
    root = top / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "index.html").write_bytes(b"inside")
    (root / "sub" / "file").write_bytes(b"inside")
    (top / "secret").write_bytes(SECRET)
    (top / "dir").mkdir()
    (top / "dir" / "secret").write_bytes(SECRET)
    links = {
        "abs": str(top / "secret"), "rel": "../secret", "absdir": str(top / "dir"),
        "reldir": "../dir", "sub/up": "../../secret", "rootlink": "/", "etc": "/etc",
        "proc": "/proc/self/root" + str(top / "secret"), "self": "self",
        "chain1": "chain2", "chain2": "abs",
        "good": "sub/file", "sub/deep/good": "../../sub/file",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(root / "socket"))
    return root


LINKS = ["/abs", "/rel", "/absdir/secret", "/reldir/secret", "/absdir/", "/sub/up",
         "/rootlink/etc/passwd", "/etc/passwd", "/proc", "/self", "/chain1"]

PATHS = [
    "/../secret", "/..", "/sub/../../secret", "/%2e%2e/secret", "/%2e./secret", "/.%2e/secret",
    "/%2E%2E/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/%252e%252e/secret",
    "/%252e%252e%252fsecret", "/sub/%2e%2e/%2e%2e/secret", "/./../secret", "/.//../secret",
    "//../secret", "/sub/..%2f..%2fsecret", "/..;/secret", "/sub/..;/..;/secret",
    "/%c0%ae%c0%ae/secret", "/%e0%80%ae%e0%80%ae/secret", "/..%c0%afsecret", "/..%5csecret",
    "/..\\secret", "/%2e%2e%5csecret", "/..%00/secret", "/secret%00.html", "/index.html%00",
    "/sub%2f..%2f..%2fsecret", "/.../secret", "/....//secret", "/%u002e%u002e/secret",
    "/etc/passwd", "//etc/passwd", "///etc/passwd", "/%2fetc%2fpasswd", "/%2f/etc/passwd",
    "http://a/../secret", "http://a/%2e%2e/secret", "/proc/self/root/etc/passwd",
    "/sub/deep/../../../secret", "/sub/file/../../../secret", "/index.html/../../secret",
]


def get(server, target):
    got = server.raw(request(target, "Connection: close"))
    assert SECRET not in got and b"root:" not in got, target
    return replies(got)[0]


@pytest.mark.parametrize("hooks", [None, "raw-path"], ids=["checked", "path check off"])
def test_nothing_leaves_the_root(tree, hooks):
    with Httpd("--root", tree, hooks=hooks) as server:
        for target in PATHS:
            assert get(server, target).status in (400, 403, 404), target
        for target in LINKS:
            assert get(server, target).status in (403, 404), target
        for target in ("/", "/sub/file", "/good", "/sub/deep/good"):
            assert get(server, target).body == b"inside", target


def test_the_hook_does_switch_the_check_off(tree):
    """Else the test above would prove nothing: ".." inside the root reaches the kernel."""
    with Httpd("--root", tree, hooks="raw-path") as server:
        assert get(server, "/nodir/../index.html").status == 404
        assert get(server, "/../secret").status == 403
    with Httpd("--root", tree) as server:
        assert get(server, "/nodir/../index.html").status == 200
        assert get(server, "/../secret").status == 400


def test_what_is_no_file_is_not_read(tree):
    with Httpd("--root", tree) as server:
        assert get(server, "/fifo").status == 403
        assert get(server, "/socket").status == 403


def test_a_link_that_changes_under_us_never_leads_out(tree):
    """Flip a name between a file inside and a link outside while it is asked for."""
    flip = tree / "flip"
    with Httpd("--root", tree) as server, server.connect() as s:
        f = s.makefile("rb")
        seen = set()
        for i in range(400):
            new = tree / "flip.new"
            if i % 2:
                new.symlink_to("../secret")
            else:
                new.write_bytes(b"inside")
            os.replace(new, flip)
            s.sendall(request("/flip"))
            r = httpd.Reply(f)
            assert SECRET not in r.body
            seen.add(r.status)
        assert seen <= {200, 403}
